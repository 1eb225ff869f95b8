// 1-D convolution: `conv2d` on images of one row.
//
//   y[n,i,o] = b[o] + Σ_{k,c} x[n, i·stride - pad + k·dilation, c] · w[k,c,o]
//
//   x [N,L,C]   w [K,C/G,O]   b [O], optional   y [N,OL,O]
//
// Layout and padding are Keras's Conv1D.

import { expectInteger, expectOptions, expectRank, expectShape, formatShape, ShapeError } from "../errors.ts";
import { asTensor, type Tensor } from "../tensor.ts";
import { conv2d } from "./conv2d.ts";
import { groupedConv2dDims } from "./grouped-conv2d-dims.ts";
import { reshape } from "./movement.ts";

/** How a filter moves along a sequence. */
export interface Conv1dOptions {
  /** Steps of the filter; default 1. */
  readonly stride?: number;
  /** Distance between neighbouring filter taps; default 1. */
  readonly dilation?: number;
  /**
   * Zeros around the sequence; default `"same"`. `"causal"` pads in front alone, so that no output sees what comes after
   * its place.
   */
  readonly padding?:
    | "same"
    | "valid"
    | "causal"
    | number
    | { readonly before: number; readonly after: number };
  /** Groups of channels that are convolved apart; default 1. */
  readonly groups?: number;
}

/**
 * Convolves sequences with filters.
 *
 * @param x sequences `[N,L,C]`
 * @param w filters `[K,C/groups,O]`
 * @param b one bias per output channel `[O]`, or `undefined` for none
 * @returns `[N,OL,O]`
 * @throws ShapeError where the shapes do not fit; RangeError on an invalid stride, dilation, padding or group count;
 *   TypeError on an unknown option
 * @example
 * const x = tensor([[[1], [2], [3], [4]]]);
 * const w = ones([2, 1, 1]);
 * console.log(String(conv1d(x, w, undefined, { padding: "valid" }))); // Tensor [1,3,1] [[[3], [5], [7]]]
 * console.log(String(conv1d(x, w, undefined, { padding: "causal" }))); // Tensor [1,4,1] [[[1], [3], [5], [7]]]
 */
export function conv1d(x: Tensor, w: Tensor, b?: Tensor, options: Conv1dOptions = {}): Tensor {
  const op = "conv1d";
  expectOptions(op, options, ["stride", "dilation", "padding", "groups"]);
  const [from, filter] = [asTensor(op, "x", x), asTensor(op, "w", w)];
  expectRank(op, "x", from.shape, 3, "[N,L,C]");
  expectRank(op, "w", filter.shape, 3, "[K,Cin,Cout]");
  const { stride = 1, dilation = 1, padding = "same", groups = 1 } = options;
  expectInteger(op, "stride", stride, 1);
  expectInteger(op, "dilation", dilation, 1);
  const [N, L, C] = from.shape as [number, number, number];
  const [K, D, O] = filter.shape as [number, number, number];
  if (K < 1) throw new ShapeError(`${op}: w ${formatShape(filter.shape)} must have taps`);
  if (D * groups !== C) {
    throw new ShapeError(
      `${op}: w ${formatShape(filter.shape)} has ${D} input channels but x ${formatShape(from.shape)} has ${C} in ${groups} groups`,
    );
  }
  if (b !== undefined) expectShape(op, "b", asTensor(op, "b", b).shape, [O]);
  const sides = (left: number, right: number) => ({ top: 0, bottom: 0, left, right });
  const around =
    padding === "causal"
      ? sides((K - 1) * dilation, 0)
      : typeof padding === "number"
        ? sides(padding, padding)
        : typeof padding === "object" && padding !== null
          ? sides(padding.before, padding.after)
          : padding;
  const geometry = {
    stride: [1, stride],
    dilation: [1, dilation],
    padding: around,
    groups,
  } as const;
  const [image, taps] = [reshape(from, [N, 1, L, C]), reshape(filter, [1, K, D, O])];
  const { OW } = groupedConv2dDims(op, image.shape, taps.shape, geometry);
  return reshape(conv2d(image, taps, b, geometry), [N, OW, O]);
}

// Transposed 2-D convolution: the adjoint of a convolution, used to enlarge an image by its stride.
//
//   y[n, iy·stride - pad + ky, ix·stride - pad + kx, o] += x[n,iy,ix,c] · w[ky,kx,o,c],  plus b[o]
//
//   x [N,H,W,C]   w [KH,KW,O,C]   b [O], optional   y [N,OH,OW,O]
//
//   OH = H · stride                         with padding "same"
//   OH = H · stride + max(KH - stride, 0)   with padding "valid"
//
// Layout and geometry are those of Keras's Conv2DTranspose. For a 3×3 filter, stride 2 and padding "same" the mirrored
// convolution pads 0 before and 1 after, so along one axis, with w0 w1 w2 the taps,
//
//   y[2i] = w0 x[i] + w2 x[i-1]      y[2i+1] = w1 x[i]
//
// (PyTorch's padding=1, output_padding=1 is shifted against that by one.) Output padding and dilation are not supported.
//
// It owns no kernel. It is described by the convolution that it mirrors, which takes y to x: its transposed kernel is
// the forward pass here, its forward kernel gives the gradient of x, and its filter gradient has image and gradient
// exchanged.

import { contribute, record } from "../autograd.ts";
import { walkOver } from "../broadcast.ts";
import { expectOptions, expectRank, expectShape, formatShape, ShapeError } from "../errors.ts";
import { type Pair, pair, type Shape } from "../shape.ts";
import { asTensor, empty, type Tensor } from "../tensor.ts";
import { conv2dFilterGradient, conv2dForward, conv2dTransposed } from "./conv2d.ts";
import { type Conv2dDims, conv2dDims } from "./conv2d-dims.ts";
import { sumForward } from "./sum.ts";

/** How a filter spreads over the enlarged image. */
export interface ConvTranspose2dOptions {
  /** By how much rows and columns grow; default 1. */
  readonly stride?: Pair;
  /** Whether the result is `stride` times the size, or keeps what reaches beyond; default `"same"`. */
  readonly padding?: "same" | "valid";
}

/**
 * Checks that image and filter fit and gives the integers of the mirrored convolution: its `H, W, C` belong to the
 * result, its `OH, OW, O` to `x`.
 *
 * @throws ShapeError where image and filter do not fit; RangeError where an option lies outside of its range
 * @example
 * const { H, W, C } = convTranspose2dDims([1, 4, 4, 16], [3, 3, 8, 16], { stride: 2 });
 * console.log(H, W, C); // 8 8 8
 */
export function convTranspose2dDims(x: Shape, w: Shape, options: ConvTranspose2dOptions = {}): Conv2dDims {
  const op = "convTranspose2d";
  expectRank(op, "x", x, 4, "[N,H,W,C]");
  expectRank(op, "w", w, 4, "[KH,KW,Cout,Cin]");
  const { stride = 1, padding = "same" } = options;
  if (w[3] !== x[3]) {
    throw new ShapeError(`${op}: w has ${w[3]} input channels but x ${formatShape(x)} has ${x[3]}`);
  }
  if (padding !== "same" && padding !== "valid") {
    throw new RangeError(`${op}: padding must be "same" or "valid" but is ${String(padding)}`);
  }
  const enlarge = (size: number, filter: number, step: number) =>
    size * step + (padding === "valid" ? Math.max(filter - step, 0) : 0);
  const [strideH, strideW] = pair(stride);
  const enlarged = [x[0], enlarge(x[1], w[0], strideH), enlarge(x[2], w[1], strideW), w[2]];
  return conv2dDims(op, enlarged, w, { stride, padding });
}

/**
 * Enlarges images with filters, as Keras's `Conv2DTranspose` does.
 *
 * @param x images `[N,H,W,C]`
 * @param w filters `[KH,KW,O,C]`: output channels come before input channels
 * @param b one bias an output channel `[O]`, or `undefined` for none
 * @returns `[N,OH,OW,O]`
 * @throws ShapeError where the shapes do not fit; RangeError if a stride or padding is invalid; TypeError on an unknown
 *   option
 * @example
 * const x = tensor([[[[1], [10]]]]);
 * const w = tensor([[[[1]], [[2]], [[3]]]]);
 * console.log(String(convTranspose2d(x, w, undefined, { stride: [1, 2] })));
 * // Tensor [1,1,4,1] [[[[1], [2], [13], [20]]]]
 */
export function convTranspose2d(
  x: Tensor,
  w: Tensor,
  b?: Tensor,
  options: ConvTranspose2dOptions = {},
): Tensor {
  expectOptions("convTranspose2d", options, ["stride", "padding"]);
  x = asTensor("convTranspose2d", "x", x);
  w = asTensor("convTranspose2d", "w", w);
  const d = convTranspose2dDims(x.shape, w.shape, options);
  if (b !== undefined) expectShape("convTranspose2d", "b", asTensor("convTranspose2d", "b", b).shape, [d.C]);
  const y = empty([d.N, d.H, d.W, d.C]);
  conv2dTransposed({ x: y.data, y: x.data, w: w.data, b: b?.data }, d);
  return record("convTranspose2d", y, b === undefined ? [x, w] : [x, w, b], (gy) => {
    contribute([x], (gx) => conv2dForward({ y: gx, x: gy, w: w.data }, d));
    contribute([w], (gw) => conv2dFilterGradient({ gw, x: gy, gy: x.data }, d));
    if (b !== undefined)
      contribute([b], (gb) =>
        sumForward({ out: gb, x: gy }, { walk: walkOver(y.shape, [y.shape, b.shape]), scale: 1 }),
      );
  });
}

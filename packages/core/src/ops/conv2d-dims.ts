// The geometry of a convolution: every check and every integer, once, for the operator, its kernels, the
// transposed convolution, accelerators, FLOP counts and benches.

import { expectInteger, expectRank, formatShape, ShapeError } from "../errors.ts";
import { outputSize, type Padding, type Pair, pair, resolvePadding, type Shape } from "../shape.ts";

/** How a filter moves over an image. */
export interface Conv2dOptions {
  /** Steps of the filter along rows and columns; default 1. */
  readonly stride?: Pair;
  /** Distance between neighbouring filter taps; default 1. */
  readonly dilation?: Pair;
  /** Zeros around the image; default: `"same"` (TensorFlow's). */
  readonly padding?: Padding;
  /** Groups of channels that are convolved apart; default 1; as many as `x` has channels for a depthwise filter. */
  readonly groups?: number;
}

/**
 * The integers of one convolution of `x [N,H,W,C]` with `w [KH,KW,C,O]` into `y [N,OH,OW,O]`: output pixel
 * `(oy, ox)` reads input pixel `(oy * strideH - padTop + ky * dilationH, ox * strideW - padLeft + kx * dilationW)`.
 */
export interface Conv2dDims {
  readonly N: number;
  readonly H: number;
  readonly W: number;
  readonly C: number;
  readonly O: number;
  readonly KH: number;
  readonly KW: number;
  readonly OH: number;
  readonly OW: number;
  readonly strideH: number;
  readonly strideW: number;
  readonly dilationH: number;
  readonly dilationW: number;
  readonly padTop: number;
  readonly padLeft: number;
  /** Two (one multiplication, one addition) for each filter tap of each output; taps on padding count too. */
  readonly flops: number;
}

/**
 * Checks that image and filter of one group fit and works out the integers. `op` is for the messages.
 *
 * @throws ShapeError where image and filter do not fit; RangeError where an option lies outside of its range
 * @example
 * const { OH, OW, O } = conv2dDims("conv2d", [1, 8, 8, 3], [3, 3, 3, 16], { stride: 2 });
 * console.log(OH, OW, O); // 4 4 16
 */
export function conv2dDims(
  op: string,
  x: Shape,
  w: Shape,
  options: Omit<Conv2dOptions, "groups"> = {},
): Conv2dDims {
  expectRank(op, "x", x, 4, "[N,H,W,C]");
  expectRank(op, "w", w, 4, "[KH,KW,Cin,Cout]");
  const [N, H, W, C] = x as [number, number, number, number];
  const [KH, KW, filterC, O] = w as [number, number, number, number];
  if (filterC !== C) {
    throw new ShapeError(`${op}: w has ${filterC} input channels but x ${formatShape(x)} has ${C}`);
  }
  if (KH < 1 || KW < 1) throw new ShapeError(`${op}: w ${formatShape(w)} must have rows and columns`);
  const [strideH, strideW] = pair(options.stride ?? 1);
  const [dilationH, dilationW] = pair(options.dilation ?? 1);
  for (const stride of [strideH, strideW]) expectInteger(op, "stride", stride, 1);
  for (const dilation of [dilationH, dilationW]) expectInteger(op, "dilation", dilation, 1);
  const { padding = "same" } = options;
  if (padding === null || (typeof padding === "string" && padding !== "same" && padding !== "valid")) {
    throw new RangeError(
      `${op}: padding must be "same", "valid", a number or each side by name but is ${String(padding)}`,
    );
  }
  const [rows, columns] = resolvePadding(
    padding,
    [H, W],
    [KH, KW],
    [strideH, strideW],
    [dilationH, dilationW],
  );
  for (const side of [rows.before, rows.after, columns.before, columns.after])
    expectInteger(op, "padding", side, 0);
  const OH = outputSize(H, rows, KH, strideH, dilationH);
  const OW = outputSize(W, columns, KW, strideW, dilationW);
  if (OH < 1 || OW < 1) {
    throw new ShapeError(
      `${op}: w ${formatShape(w)} does not fit into x ${formatShape(x)} with this padding`,
    );
  }
  return Object.freeze({
    N,
    H,
    W,
    C,
    O,
    KH,
    KW,
    OH,
    OW,
    strideH,
    strideW,
    dilationH,
    dilationW,
    padTop: rows.before,
    padLeft: columns.before,
    flops: 2 * N * OH * OW * O * KH * KW * C,
  });
}

// The geometry of pooling: every check and every integer, once, for maxPool2d and avgPool2d.

import { expectInteger, expectRank, formatShape, ShapeError } from "../errors.ts";
import { outputSize, type Pair, pair, resolvePadding, type Shape } from "../shape.ts";

/** How a window moves over an image. */
export interface Pool2dOptions {
  /** Rows and columns of the window; default 2. */
  readonly size?: Pair;
  /** Steps of the window; default: its size. */
  readonly stride?: Pair;
  /** Whether windows may reach over the edge (where there is nothing, not zeros); default `"valid"`: they may not. */
  readonly padding?: "valid" | "same";
}

/** The integers of pooling `x [N,H,W,C]` into `y [N,OH,OW,C]`: window `(oy, ox)` begins at `oy · strideH - padTop`. */
export interface Pool2dDims {
  readonly N: number;
  readonly H: number;
  readonly W: number;
  readonly C: number;
  readonly OH: number;
  readonly OW: number;
  readonly sizeH: number;
  readonly sizeW: number;
  readonly strideH: number;
  readonly strideW: number;
  readonly padTop: number;
  readonly padLeft: number;
}

/**
 * Checks that the window fits and works out the integers.
 *
 * @throws ShapeError where the image has not four axes or is smaller than the window; RangeError where a size or stride is none
 * @example
 * const { OH, OW } = pool2dDims("maxPool2d", [1, 9, 8, 3], { size: 2 });
 * console.log(OH, OW); // 4 4
 */
export function pool2dDims(op: string, x: Shape, options: Pool2dOptions): Pool2dDims {
  expectRank(op, "x", x, 4, "[N,H,W,C]");
  const [N, H, W, C] = x as [number, number, number, number];
  const { size = 2, stride = size, padding = "valid" } = options;
  const [sizeH, sizeW] = pair(size);
  const [strideH, strideW] = pair(stride);
  for (const extent of [sizeH, sizeW]) expectInteger(op, "size", extent, 1);
  for (const step of [strideH, strideW]) expectInteger(op, "stride", step, 1);
  if (padding !== "same" && padding !== "valid") {
    throw new RangeError(`${op}: padding must be "same" or "valid" but is ${String(padding)}`);
  }
  const [rows, columns] = resolvePadding(padding, [H, W], [sizeH, sizeW], [strideH, strideW], [1, 1]);
  const OH = outputSize(H, rows, sizeH, strideH);
  const OW = outputSize(W, columns, sizeW, strideW);
  if (OH < 1 || OW < 1) {
    throw new ShapeError(`${op}: a window of ${sizeH} by ${sizeW} does not fit into x ${formatShape(x)}`);
  }
  const [padTop, padLeft] = [rows.before, columns.before];
  return Object.freeze({ N, H, W, C, OH, OW, sizeH, sizeW, strideH, strideW, padTop, padLeft });
}

// Resizing of images, by the nearest pixel or bilinearly.
//
//   y[oy,ox] = Σ weight · x   over the (up to) four pixels around (sy, sx),   sy = (oy + ½) H / OH - ½
//
//   x [N,H,W,C]   y [N,OH,OW,C]
//
// Centres lie at half pixels and nothing is blurred before shrinking: tf.image.resize (TensorFlow 2) with
// antialias=False. Coordinates are exact here, where TensorFlow rounds them to 32 bits.

import { contribute, record } from "../autograd.ts";
import { expectInteger, expectList, expectOptions, expectRank } from "../errors.ts";
import { type Floats, kernel } from "../kernel.ts";
import type { Shape } from "../shape.ts";
import { asTensor, empty, type Tensor } from "../tensor.ts";

/** How {@link resize} finds values between pixels. */
export interface ResizeOptions {
  /** Default `"bilinear"`. */
  readonly method?: "bilinear" | "nearest";
}

/** The integers of one resizing of `x [N,H,W,C]` into `y [N,OH,OW,C]`. */
export interface ResizeDims {
  readonly N: number;
  readonly H: number;
  readonly W: number;
  readonly C: number;
  readonly OH: number;
  readonly OW: number;
  readonly method: "bilinear" | "nearest";
}

/**
 * Checks the image and the size wanted.
 *
 * @throws ShapeError where the image has not four axes; RangeError where a size or the method is none
 * @example
 * const { OH, OW } = resizeDims([1, 4, 4, 3], [8, 6], {});
 * console.log(OH, OW); // 8 6
 */
export function resizeDims(x: Shape, size: readonly [number, number], options: ResizeOptions): ResizeDims {
  expectRank("resize", "x", x, 4, "[N,H,W,C]");
  const [N, H, W, C] = x as [number, number, number, number];
  for (const extent of [H, W]) expectInteger("resize", "size of x", extent, 1);
  for (const extent of size) expectInteger("resize", "size", extent, 1);
  const { method = "bilinear" } = options;
  if (method !== "bilinear" && method !== "nearest") {
    throw new RangeError(`resize: method must be "bilinear" or "nearest" but is ${String(method)}`);
  }
  return Object.freeze({ N, H, W, C, OH: size[0], OW: size[1], method });
}

/** The positions on one axis that each result is mixed from, and how much each counts. */
function tapsAlong(
  size: number,
  outSize: number,
  method: ResizeDims["method"],
): { at: number; weight: number }[][] {
  return Array.from({ length: outSize }, (_, o) => {
    const position = ((2 * o + 1) * size) / (2 * outSize);
    if (method === "nearest") return [{ at: Math.floor(position), weight: 1 }];
    const below = Math.floor(position - 0.5);
    const lerp = position - 0.5 - below;
    const taps = [
      { at: Math.max(below, 0), weight: 1 - lerp },
      { at: Math.min(below + 1, size - 1), weight: lerp },
    ];
    return taps.filter(({ weight }) => weight > 0);
  });
}

/** Calls `visit` for every pixel of the result with each pixel it is mixed from (indices within one image). */
function forEachTap(d: ResizeDims, visit: (o: number, i: number, weight: number) => void): void {
  const rows = tapsAlong(d.H, d.OH, d.method);
  const columns = tapsAlong(d.W, d.OW, d.method);
  rows.forEach((rowTaps, oy) => {
    columns.forEach((columnTaps, ox) => {
      for (const row of rowTaps)
        for (const column of columnTaps)
          visit((oy * d.OW + ox) * d.C, (row.at * d.W + column.at) * d.C, row.weight * column.weight);
    });
  });
}

/** `y = Σ weight · x`. */
export const resizeForward = kernel(
  "resize.forward",
  { y: "write", x: "read" },
  ({ y, x }: { y: Floats; x: Floats }, d: ResizeDims) => {
    const sums = new Float64Array(d.OH * d.OW * d.C);
    for (let n = 0; n < d.N; n++) {
      const image = n * d.H * d.W * d.C;
      sums.fill(0);
      forEachTap(d, (o, i, weight) => {
        for (let c = 0; c < d.C; c++) sums[o + c] += weight * x[image + i + c];
      });
      y.set(sums, n * sums.length);
    }
  },
);

/** The adjoint: `gx = Σ weight · gy`. */
export const resizeGradient = kernel(
  "resize.gradient",
  { gx: "write", gy: "read" },
  ({ gx, gy }: { gx: Floats; gy: Floats }, d: ResizeDims) => {
    const sums = new Float64Array(d.H * d.W * d.C);
    for (let n = 0; n < d.N; n++) {
      const image = n * d.OH * d.OW * d.C;
      sums.fill(0);
      forEachTap(d, (o, i, weight) => {
        for (let c = 0; c < d.C; c++) sums[i + c] += weight * gy[image + o + c];
      });
      gx.set(sums, n * sums.length);
    }
  },
);

/**
 * Resizes images.
 *
 * @param x images `[N,H,W,C]`
 * @param size rows and columns of the result
 * @returns `[N,OH,OW,C]`
 * @throws ShapeError where `x` is no batch of images; RangeError if a size or method is invalid
 * @example
 * const x = tensor([[[[0], [4]]]]);
 * console.log(String(resize(x, [1, 4]))); // Tensor [1,1,4,1] [[[[0], [1], [3], [4]]]]
 */
export function resize(x: Tensor, size: readonly [number, number], options: ResizeOptions = {}): Tensor {
  expectOptions("resize", options, ["method"]);
  x = asTensor("resize", "x", x);
  expectList("resize", "size", size);
  const d = resizeDims(x.shape, size, options);
  const y = empty([d.N, d.OH, d.OW, d.C]);
  resizeForward({ y: y.data, x: x.data }, d);
  return record("resize", y, [x], (gy) => contribute([x], (gx) => resizeGradient({ gx, gy }, d)));
}

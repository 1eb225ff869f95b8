// The image with its border of zeros, in doubles. JavaScript computes in doubles alone: a float costs a conversion at
// every use, a double none. Attempts from the fourth on copy each image once and know no border any more.

import type { Conv2dDims } from "@saunet/core/kernels";

/** The sizes of the padded image. */
export interface PaddedSize {
  readonly rows: number;
  readonly columns: number;
}

/** What the outputs reach, and `overhang` columns of outputs more. */
export function paddedSize(d: Conv2dDims, overhang = 0): PaddedSize {
  return {
    rows: Math.max(d.padTop + d.H, (d.OH - 1) * d.strideH + (d.KH - 1) * d.dilationH + 1),
    columns: Math.max(d.padLeft + d.W, (d.OW - 1 + overhang) * d.strideW + (d.KW - 1) * d.dilationW + 1),
  };
}

/** Copies image `n`; what lies around it must be zero already. */
export function copyPadded(
  to: Float64Array,
  x: Float32Array,
  n: number,
  d: Conv2dDims,
  { columns }: PaddedSize,
): void {
  for (let row = 0; row < d.H; row++) {
    const from = (n * d.H + row) * d.W * d.C;
    to.set(x.subarray(from, from + d.W * d.C), ((row + d.padTop) * columns + d.padLeft) * d.C);
  }
}

/** The filter in doubles, four output channels side by side: `[O/4][KH][KW][C][4]`. */
export function inFours(w: Float32Array, { KH, KW, C, O }: Conv2dDims): Float64Array {
  const taps = KH * KW * C;
  const packed = new Float64Array(taps * O);
  for (let tap = 0; tap < taps; tap++)
    for (let o = 0; o < O; o++) packed[(o >> 2) * taps * 4 + tap * 4 + (o & 3)] = w[tap * O + o];
  return packed;
}

// What the Winograd attempts share (Lavin and Gray, "Fast algorithms for convolutional neural networks", 2015).
//
// F(m, 3) makes m neighbouring outputs of three taps from m + 2 inputs d with m + 2 products instead of 3m:
//
//   y = Aᵀ [ (G g) ⊙ (Bᵀ d) ]
//
// In two dimensions each transform runs over columns and then over rows. Summed over the channels, each of the (m + 2)²
// products is a matrix product over all tiles: that is the GEMM of attempt 5, and nearly all of the work.

import type { Conv2dDims } from "@saunet/core/kernels";
import { gemm } from "./gemm.ts";
import { copyPadded } from "./padded.ts";

/** Transforms `count` neighbours at once: number i of a result lies `i * step` after `at`. */
export type Transform = (
  to: Float64Array,
  at: number,
  step: number,
  from: Float64Array,
  start: number,
  distance: number,
  count: number,
) => void;

/** One of the algorithms. */
export interface Winograd {
  /** Outputs of a tile along an axis. */
  readonly m: number;
  /** `m + 2` rows of three. */
  readonly G: readonly (readonly number[])[];
  /** Bᵀ: `m + 2` numbers from `m + 2`. */
  readonly input: Transform;
  /** Aᵀ: `m` numbers from `m + 2`. */
  readonly output: Transform;
}

/** The filter at every point, `[point][O/4][C][4]`. */
export function transformFilter(w: Float32Array, { C, O }: Conv2dDims, G: Winograd["G"]): Float64Array {
  const points = G.length;
  const U = new Float64Array(points * points * C * O);
  for (let i = 0; i < points; i++)
    for (let j = 0; j < points; j++)
      for (let c = 0; c < C; c++)
        for (let o = 0; o < O; o++) {
          let sum = 0;
          for (let ky = 0; ky < 3; ky++)
            for (let kx = 0; kx < 3; kx++) sum += G[i][ky] * G[j][kx] * w[((ky * 3 + kx) * C + c) * O + o];
          U[((i * points + j) * O + (o & ~3)) * C + c * 4 + (o & 3)] = sum;
        }
  return U;
}

/** Convolves, one row of tiles at a time. */
export function convolveWinograd(
  y: Float32Array,
  x: Float32Array,
  U: Float64Array,
  b: Float32Array,
  d: Conv2dDims,
  { m, input, output }: Winograd,
): void {
  const { N, C, O, OH, OW } = d;
  const points = m + 2;
  const across = Math.ceil(OW / m);
  const rowTiles = Math.ceil(across / 3) * 3;
  const size = { rows: Math.ceil(OH / m) * m + 2, columns: across * m + 2 };
  const image = new Float64Array(size.rows * size.columns * C);
  const half = new Float64Array(points * points * C);
  const V = new Float64Array(points * points * rowTiles * C);
  const M = new Float64Array(points * points * rowTiles * O);
  const halfOut = new Float64Array(points * m * O);
  const tile = new Float64Array(m * m * O);
  const zeros = new Float64Array(O);
  for (let n = 0; n < N; n++) {
    copyPadded(image, x, n, d, size);
    for (let oy = 0; oy < OH; oy += m) {
      for (let t = 0; t < across; t++) {
        // Columns first: every column of the tile has its numbers one row of the image apart.
        const corner = (oy * size.columns + t * m) * C;
        input(half, 0, points * C, image, corner, size.columns * C, points * C);
        for (let i = 0; i < points; i++)
          input(V, (i * points * rowTiles + t) * C, rowTiles * C, half, i * points * C, C, C);
      }
      for (let point = 0; point < points * points; point++)
        gemm(M, point * rowTiles * O, V, point * rowTiles * C, U, point * C * O, zeros, rowTiles, C, O);
      for (let t = 0; t < across; t++) {
        for (let j = 0; j < points; j++)
          output(halfOut, j * O, points * O, M, (j * rowTiles + t) * O, points * rowTiles * O, O);
        for (let i = 0; i < m; i++) output(tile, i * m * O, O, halfOut, i * points * O, O, O);
        for (let i = 0; i < Math.min(m, OH - oy); i++)
          for (let j = 0; j < Math.min(m, OW - t * m); j++) {
            const at = ((n * OH + oy + i) * OW + t * m + j) * O;
            for (let o = 0; o < O; o++) y[at + o] = tile[(i * m + j) * O + o] + b[o];
          }
      }
    }
  }
}

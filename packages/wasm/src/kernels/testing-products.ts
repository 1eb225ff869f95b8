// Matrix products that suit no tile: for tests.

import { type MatmulDims, matmulDims } from "@saunet/core/kernels";

const sides = [
  [false, false],
  [false, true],
  [true, false],
  [true, true],
] as const;

/** Rows, columns, terms: from one on, around the sizes of tiles, panels, patches and chunks. */
const sizes = [
  [1, 1, 4099],
  [1, 300, 70],
  [7, 5, 129],
  [2, 16, 257],
  [3, 17, 600],
  [13, 1, 513],
  [5, 1001, 3],
  [12, 36, 150],
  [8, 64, 130],
  [9, 48, 300],
  [65, 33, 66],
  [31, 30, 29],
  [127, 7, 259],
  [63, 14, 64],
  [300, 68, 5],
  [258, 10, 258],
  [101, 275, 2],
  [100, 12, 70],
  [1, 2603, 250],
  [4, 1030, 482],
  [14, 26, 1027],
  [301, 1, 1030],
] as const;

/** Batches: shapes of y's, a's and b's axes. */
const batches = [
  [[6], [6], [6]],
  [[5], [1], [5]],
  [
    [2, 3, 4],
    [2, 1, 4],
    [1, 3, 1],
  ],
] as const;

/** Every size with every side transposed, and batches that broadcast. */
export const productCases: readonly MatmulDims[] = sides.flatMap(([transposeA, transposeB]) => [
  ...sizes.map(([m, n, k]) => matmulDims(m, n, k, { transposeA, transposeB })),
  ...batches.flatMap(([batch, batchA, batchB]) =>
    [
      [19, 21, 22],
      [32, 32, 32],
      [70, 18, 65],
      // Few rows and one column have code of their own.
      [3, 100, 65],
      [90, 1, 65],
    ].map(([m, n, k]) => matmulDims(m, n, k, { batch, batchA, batchB, transposeA, transposeB })),
  ),
]);

/** Elements of y, a and b. */
export function sizesOf({ batch, m, n, k, walk }: MatmulDims): readonly [number, number, number] {
  const matrices = (own: readonly number[]) =>
    walk.shape.reduce((count, size, axis) => (own[axis] === 0 ? count : count * size), 1);
  return [batch * m * n, matrices(walk.strides[1]) * m * k, matrices(walk.strides[2]) * k * n];
}

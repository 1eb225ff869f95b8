// The fast form of the matrix product in plain TypeScript.
//
// Both factors are copied into double panels of four: [rows / 4][k][4] and [columns / 4][k][4]. A tile of 4 x 4 sums then
// reads both in order, whichever way the factors lie. Panels of 64 columns stay in the cache while all rows pass.

import type { Floats, KernelFunction } from "../kernel.ts";
import type { MatmulDims } from "../ops/matmul-dims.ts";
import { type Factors, forEachProduct } from "../ops/products.ts";
import { addOuterProducts } from "./outer-product.ts";

const TILE = 4;
const BLOCK_COLUMNS = 64;

const paddedTo4 = (count: number): number => Math.ceil(count / TILE) * TILE;

/** `matmul.forward`. Products of a few rows or columns are not worth panels: `plain` does those that it reads in order. */
export function portableMatmul(
  arrays: Factors,
  d: MatmulDims,
  plain: KernelFunction<Factors, MatmulDims>,
): void {
  const [fewRows, fewColumns] = [d.m < TILE, d.n < TILE];
  if ((fewColumns && !d.transposeA) || (fewRows && d.transposeB)) plain(arrays, d);
  else if (fewRows) multiplyRows(arrays, d);
  else multiplyPanels(arrays, d);
}

/** Row by row, `b` read in order. */
function multiplyRows({ y, a, b }: Factors, d: MatmulDims): void {
  const { m, n, k } = d;
  const [rowA, termA] = d.transposeA ? [1, m] : [k, 1];
  const sums = new Float64Array(n);
  forEachProduct(d, (atY, atA, atB) => {
    for (let i = 0; i < m; i++) {
      sums.fill(0);
      for (let t = 0; t < k; t++) {
        const factor = a[atA + i * rowA + t * termA];
        const row = atB + t * n;
        for (let j = 0; j < n; j++) sums[j] += factor * b[row + j];
      }
      y.set(sums, atY + i * n);
    }
  });
}

function multiplyPanels({ y, a, b }: Factors, d: MatmulDims): void {
  const { m, n, k } = d;
  const left = new Float64Array(paddedTo4(m) * k);
  const right = new Float64Array(paddedTo4(n) * k);
  const tile = new Float64Array(TILE * TILE);
  let packedA = -1;
  let packedB = -1;
  forEachProduct(d, (atY, atA, atB) => {
    if (atA !== packedA) packPanels(left, a, atA, m, k, d.transposeA);
    if (atB !== packedB) packPanels(right, b, atB, n, k, !d.transposeB);
    [packedA, packedB] = [atA, atB];
    for (let block = 0; block < n; block += BLOCK_COLUMNS)
      for (let i = 0; i < m; i += TILE)
        for (let j = block; j < Math.min(n, block + BLOCK_COLUMNS); j += TILE) {
          tile.fill(0);
          addOuterProducts(tile, 0, TILE, left, i * k, TILE, TILE, right, j * k, TILE, TILE, k);
          const columns = Math.min(TILE, n - j);
          for (let row = 0; row < Math.min(TILE, m - i); row++)
            for (let column = 0; column < columns; column++)
              y[atY + (i + row) * n + j + column] = tile[row * TILE + column];
        }
  });
}

/** `to[i / 4][t][i % 4]` of a matrix stored `[count][k]`, or `[k][count]` where it is `transposed`. */
function packPanels(
  to: Float64Array,
  from: Floats,
  at: number,
  count: number,
  k: number,
  transposed: boolean,
): void {
  const [step, term] = transposed ? [1, count] : [k, 1];
  for (let i = 0; i < count; i++) {
    const place = (i - (i % TILE)) * k + (i % TILE);
    const first = at + i * step;
    for (let t = 0; t < k; t++) to[place + t * TILE] = from[first + t * term];
  }
}

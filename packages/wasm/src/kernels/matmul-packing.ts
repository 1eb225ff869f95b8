// Factors of a matrix product, arranged in the order in which its register tile reads them.
//
//   b [k][n] or [n][k]   →   panels of 16 columns (conv/panels.ts)
//   a [k][m]             →   [m][k]
//
// What lies transposed goes over patch by patch, so that the lines that are written a quarter at a time are still in the
// cache when their next quarter comes.

import type { MatmulDims, matmulForward } from "@saunet/core/kernels";
import { FLOAT, type FunctionBuilder, type I32, type Value } from "../asm/index.ts";
import type { Phase } from "../plan.ts";
import { copyRows, panelsBytes, turning, turnRows } from "./conv/panels.ts";
import { BLOCK } from "./conv/register-tile.ts";
import { MEMORY_GRAIN } from "./stream.ts";

export type MatmulArrays = Parameters<typeof matmulForward>[0];

/** Rows of b that an item copies. */
const COPIED_ROWS = 32;
/** Sides of a patch that an item turns over: along k, and along the rows of y. */
const PATCH_TERMS = 256;
const PATCH_ROWS = 64;

/** How many different matrices a factor has in the batch. */
export function matricesOf({ walk: { shape, strides } }: MatmulDims, factor: "a" | "b"): number {
  const own = strides[factor === "a" ? 1 : 2];
  return shape.reduce((count, size, axis) => (own[axis] === 0 ? count : count * size), 1);
}

/**
 * Where a factor's matrix of some product begins: the first lies at `start`, `bytes` from one to the next, as they do in
 * its array where that is left out.
 */
export function matrixAt(
  f: FunctionBuilder,
  product: I32,
  { walk: { shape, strides }, m, n, k }: MatmulDims,
  factor: "a" | "b",
  start: I32 | Value<"i32">,
  bytes = (factor === "a" ? m * k : k * n) * FLOAT,
): I32 {
  const { i32 } = f;
  const at = f.let("matrixAt", start);
  const elements = factor === "a" ? m * k : k * n;
  let before = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const step = (strides[factor === "a" ? 1 : 2][axis] / elements) * bytes;
    if (step > 0) f.advance(at, i32.mul(i32.rem_u(i32.div_u(product, before), shape[axis]), step));
    before *= shape[axis];
  }
  return at;
}

/** Puts every matrix b into panels, the first at `start` of the shared memory. */
export function packColumns(d: MatmulDims, start: number): Phase<MatmulArrays> {
  const { n, k, transposeB } = d;
  const chunk = transposeB ? PATCH_TERMS : COPIED_ROWS;
  const chunks = Math.ceil(k / chunk);
  /** Panels are turned one by one. */
  const parts = transposeB ? Math.ceil(n / BLOCK) : 1;
  return {
    items: matricesOf(d, "b") * parts * chunks,
    grain: Math.ceil(MEMORY_GRAIN / (Math.min(chunk, k) * Math.min(n, transposeB ? BLOCK : n))),
    reads: ["b"],
    write: (f, { from, to, shared, arrays }) => {
      const { i32 } = f;
      const { item, matrix, panel, first, count, source, target } = f.declare("i32");
      const [row, column] = transposeB ? [FLOAT, k * FLOAT] : [n * FLOAT, FLOAT];
      const pack = transposeB ? turnRows(f, { n, k, row, column }) : copyRows(f, { n, k, row, column });
      f.forRange(item, { from, to }, () => {
        f.unravel(item, [matrix, panel, first], [parts, chunks]);
        f.set(first, i32.mul(first, chunk));
        f.cut(count, first, k, chunk);
        f.set(source, f.at(f.at(arrays.b, matrix, k * n * FLOAT), first, row));
        f.set(target, f.at(i32.add(shared, start), matrix, panelsBytes(d)));
        pack({ source, target, first, count }, panel);
      });
    },
  };
}

/** Turns every matrix a that lies transposed, the first to `start` of the shared memory. */
export function packRows(d: MatmulDims, start: number): Phase<MatmulArrays> {
  const { m, k } = d;
  const [parts, chunks] = [Math.ceil(m / PATCH_ROWS), Math.ceil(k / PATCH_TERMS)];
  return {
    items: matricesOf(d, "a") * parts * chunks,
    grain: Math.ceil(MEMORY_GRAIN / (Math.min(m, PATCH_ROWS) * Math.min(k, PATCH_TERMS))),
    reads: ["a"],
    write: (f, { from, to, shared, arrays }) => {
      const { i32 } = f;
      const { item, matrix, t, terms, i, rows, source, target } = f.declare("i32");
      const turn = turning(f, { source: m * FLOAT, target: k * FLOAT });
      f.forRange(item, { from, to }, () => {
        f.unravel(item, [matrix, i, t], [parts, chunks]);
        f.set(i, i32.mul(i, PATCH_ROWS));
        f.set(t, i32.mul(t, PATCH_TERMS));
        f.cut(rows, i, m, PATCH_ROWS);
        f.cut(terms, t, k, PATCH_TERMS);
        f.set(matrix, i32.mul(matrix, m * k * FLOAT));
        f.set(source, f.at(i32.add(arrays.a, matrix), f.at(i, t, m), FLOAT));
        f.set(target, f.at(i32.add(i32.add(shared, start), matrix), f.at(t, i, k), FLOAT));
        turn(source, target, terms, rows);
      });
    },
  };
}

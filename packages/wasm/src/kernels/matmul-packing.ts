// Factors of a matrix product, arranged in the order in which its register tile reads them.
//
//   b [k][n] or [n][k]   →   panels of 16 columns, [n / 16][k][16], the last one as narrow as whole vectors allow
//   a [k][m]             →   [m][k]
//
// What lies transposed goes over in blocks of 4 x 4, patch by patch, so that the lines that are written a quarter at a
// time are still in the cache when their next quarter comes. Lanes after the last column lead to nothing that is stored.

import type { MatmulDims, matmulForward } from "@saunet/core/kernels";
import type { FunctionBuilder, Local } from "../asm/index.ts";
import type { Phase } from "../plan.ts";
import { loadLanes, numbers } from "./conv/lanes.ts";
import { BLOCK, type Blocks, blocksOf, repeat } from "./conv/register-tile.ts";
import { FLOAT, MEMORY_GRAIN, VECTOR, whileAtLeast } from "./stream.ts";

type I32 = Local<"i32">;
export type MatmulArrays = Parameters<typeof matmulForward>[0];

/** Rows of b that an item copies. */
const COPIED_ROWS = 32;
/** Sides of a patch that an item turns over: along k, and along the rows of y. */
const PATCH_TERMS = 256;
const PATCH_ROWS = 64;

/** Bytes of one matrix b in panels. */
export const panelsBytes = ({ n, k }: MatmulDims): number => k * Math.ceil(n / 4) * VECTOR;

/** Bytes from one term to the next in the panels of a group. */
export const panelRow = ({ vectors }: Blocks): number => vectors * VECTOR;

/** How many different matrices a factor has in the batch. */
export function matricesOf({ walk: { shape, strides } }: MatmulDims, factor: "a" | "b"): number {
  const own = strides[factor === "a" ? 1 : 2];
  return shape.reduce((count, size, axis) => (own[axis] === 0 ? count : count * size), 1);
}

/** `count = min(chunk, size - first)` */
export function cut(f: FunctionBuilder, count: I32, first: I32, size: number, chunk: number): void {
  f.set(count, f.i32.sub(size, first));
  f.set(count, f.select(count, chunk, f.i32.lt_s(count, chunk)));
}

/** Puts every matrix b into panels, the first at `start` of the shared memory. */
export function packColumns(d: MatmulDims, start: number): Phase<MatmulArrays> {
  const { n, k, transposeB } = d;
  const chunk = transposeB ? PATCH_TERMS : COPIED_ROWS;
  const chunks = Math.ceil(k / chunk);
  const parts = transposeB ? Math.ceil(n / BLOCK) : 1;
  return {
    items: matricesOf(d, "b") * parts * chunks,
    grain: Math.ceil(MEMORY_GRAIN / (Math.min(chunk, k) * Math.min(n, transposeB ? BLOCK : n))),
    reads: ["b"],
    write: (f, { from, to, shared, arrays }) => {
      const { i32 } = f;
      const { item, matrix, rest, t, terms } = f.declare("i32");
      const { source, target } = f.declare("i32");
      const place = { t, terms, source, target };
      const panel = f.local("panel", "i32");
      const pack = transposeB ? turnedPanel(f, { ...place, panel }, d) : copiedRows(f, place, d);
      f.forRange(item, { from, to }, () => {
        f.set(matrix, i32.div_u(item, parts * chunks));
        f.set(rest, i32.rem_u(item, parts * chunks));
        f.set(panel, i32.div_u(rest, chunks));
        f.set(t, i32.mul(i32.rem_u(rest, chunks), chunk));
        cut(f, terms, t, k, chunk);
        f.set(source, f.at(arrays.b, matrix, k * n * FLOAT));
        f.set(target, i32.add(f.at(shared, matrix, panelsBytes(d)), start));
        pack();
      });
    },
  };
}

interface Place {
  /** The first of some terms, and how many. */
  readonly t: I32;
  readonly terms: I32;
  /** A matrix, and its panels. */
  readonly source: I32;
  readonly target: I32;
}

/** Copies some rows of a matrix b into all panels. */
function copiedRows(
  f: FunctionBuilder,
  { t, terms, source, target }: Place,
  { n, k }: MatmulDims,
): () => void {
  const { i32, v128 } = f;
  const { line, panelLine, x, y, row } = f.declare("i32");
  return () => {
    for (const blocks of blocksOf(n)) {
      const { first, count, channels, vectors } = blocks;
      f.set(line, f.at(first * FLOAT, t, n * FLOAT));
      f.set(line, i32.add(source, line));
      f.set(panelLine, f.at(first * k * FLOAT, t, panelRow(blocks)));
      f.set(panelLine, i32.add(target, panelLine));
      repeat(f, "block", count, () => {
        f.set(x, line);
        f.set(y, panelLine);
        f.forRange(row, { to: terms }, () => {
          for (let v = 0; v < vectors; v++) {
            const lanes = Math.min(4, channels - 4 * v);
            v128.store(y, loadLanes(f, x, lanes, v * VECTOR), { offset: v * VECTOR });
          }
          f.advance(x, n * FLOAT);
          f.advance(y, panelRow(blocks));
        });
        f.advance(line, BLOCK * FLOAT);
        f.advance(panelLine, k * panelRow(blocks));
      });
    }
  };
}

/** Turns some terms of one panel of a matrix b that lies transposed. */
function turnedPanel(
  f: FunctionBuilder,
  { t, terms, source, target, panel }: Place & { readonly panel: I32 },
  { n, k }: MatmulDims,
): () => void {
  const { i32 } = f;
  const groups = blocksOf(n);
  const columns = f.local("columns", "i32");
  const turns = groups.map((blocks) => turning(f, { source: k * FLOAT, target: panelRow(blocks) }));
  return () => {
    f.advance(source, i32.mul(panel, BLOCK * k * FLOAT));
    f.advance(source, i32.mul(t, FLOAT));
    f.advance(target, i32.mul(panel, BLOCK * k * FLOAT));
    const turn = (g: number) => {
      f.advance(target, i32.mul(t, panelRow(groups[g])));
      f.set(columns, groups[g].channels);
      turns[g](source, target, columns, terms);
    };
    if (groups.length === 1) turn(0);
    else
      f.if(
        i32.lt_s(panel, groups[0].count),
        () => turn(0),
        () => turn(1),
      );
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
      const { item, matrix, rest, t, terms } = f.declare("i32");
      const { i, rows, source, target } = f.declare("i32");
      const turn = turning(f, { source: m * FLOAT, target: k * FLOAT });
      f.forRange(item, { from, to }, () => {
        f.set(matrix, i32.div_u(item, parts * chunks));
        f.set(rest, i32.rem_u(item, parts * chunks));
        f.set(i, i32.mul(i32.div_u(rest, chunks), PATCH_ROWS));
        f.set(t, i32.mul(i32.rem_u(rest, chunks), PATCH_TERMS));
        cut(f, rows, i, m, PATCH_ROWS);
        cut(f, terms, t, k, PATCH_TERMS);
        f.set(matrix, i32.mul(matrix, m * k * FLOAT));
        f.set(source, i32.mul(f.at(i, t, m), FLOAT));
        f.set(source, i32.add(i32.add(arrays.a, matrix), source));
        f.set(target, i32.mul(f.at(t, i, k), FLOAT));
        f.set(target, i32.add(i32.add(i32.add(shared, start), matrix), target));
        turn(source, target, terms, rows);
      });
    },
  };
}

const LOWER_PAIRS = numbers(0, 4, 1, 5);
const UPPER_PAIRS = numbers(2, 6, 3, 7);
const LOWER_HALVES = numbers(0, 1, 4, 5);
const UPPER_HALVES = numbers(2, 3, 6, 7);

/**
 * Prepares `target[column][row] = source[row][column]`, with so many bytes from line to line. What it returns uses up
 * `source`, `target` and `rows`.
 */
function turning(
  f: FunctionBuilder,
  line: { readonly source: number; readonly target: number },
): (source: I32, target: I32, rows: I32, columns: I32) => void {
  const { v128, i8x16 } = f;
  const { x, y, left } = f.declare("i32");
  const rowsOf4 = f.locals("row", "v128", 4);
  const pairs = f.locals("pair", "v128", 4);
  const one = f.local("one", "v128");
  return (source, target, rows, columns) => {
    /** So many rows next to each other, along all columns. */
    const strip = (height: number) => {
      f.set(x, source);
      f.set(y, target);
      f.set(left, columns);
      if (height === 4)
        whileAtLeast(f, left, 4, () => {
          rowsOf4.forEach((row, r) => {
            f.set(row, v128.load(x, { offset: r * line.source, align: FLOAT }));
          });
          for (const r of [0, 2]) {
            f.set(pairs[r], i8x16.shuffle(rowsOf4[r], rowsOf4[r + 1], LOWER_PAIRS));
            f.set(pairs[r + 1], i8x16.shuffle(rowsOf4[r], rowsOf4[r + 1], UPPER_PAIRS));
          }
          for (let column = 0; column < 4; column++) {
            const [low, high] = column < 2 ? [pairs[0], pairs[2]] : [pairs[1], pairs[3]];
            f.set(one, i8x16.shuffle(low, high, column % 2 === 0 ? LOWER_HALVES : UPPER_HALVES));
            v128.store(y, one, { offset: column * line.target, align: FLOAT });
          }
          f.advance(x, VECTOR);
          f.advance(y, 4 * line.target);
        });
      whileAtLeast(f, left, 1, () => {
        for (let r = 0; r < height; r++) {
          f.set(one, v128.load32_zero(x, { offset: r * line.source }));
          v128.store32_lane(y, one, 0, { offset: r * FLOAT });
        }
        f.advance(x, FLOAT);
        f.advance(y, line.target);
      });
      f.advance(source, height * line.source);
      f.advance(target, height * FLOAT);
    };
    whileAtLeast(f, rows, 4, () => strip(4));
    whileAtLeast(f, rows, 1, () => strip(1));
  };
}

// Matrices [k][n] in panels of 16 columns, [n / 16][k][16], in the order in which a register tile reads them. The last
// panel is as narrow as whole vectors allow; its lanes after the last column lead to nothing that is stored.
//
// A matrix whose columns lie side by side is copied. One that lies transposed goes over in blocks of 4 x 4.

import { FLOAT, type FunctionBuilder, type I32, VECTOR } from "../../asm/index.ts";
import { BLOCK, type Blocks, blocksOf } from "./register-tile.ts";

/** A matrix, its places in bytes. */
export interface Matrix {
  readonly n: number;
  /** Rows of its panels. */
  readonly k: number;
  /** From row to row and from column to column; one of the two is a float. */
  readonly row: number;
  readonly column: number;
}

/** Some rows of a matrix. */
export interface Rows {
  /** Where the first of them begins. */
  readonly source: I32;
  /** The panels. */
  readonly target: I32;
  /** Where in the panels the rows go, and how many they are. */
  readonly first: I32;
  readonly count: I32;
}

/** Bytes of a matrix in panels. */
export const panelsBytes = ({ n, k }: { readonly n: number; readonly k: number }): number =>
  k * Math.ceil(n / 4) * VECTOR;

/** Bytes from row to row in the panels of some blocks. */
export const panelRow = ({ vectors }: Blocks): number => vectors * VECTOR;

/** Prepares the copying of rows into all panels. */
export function copyRows(f: FunctionBuilder, { n, k, row }: Matrix): (rows: Rows) => void {
  const { i32, v128 } = f;
  const { line, panelLine, x, y, i } = f.declare("i32");
  return ({ source, target, first, count }) => {
    for (const blocks of blocksOf(n)) {
      f.set(line, i32.add(source, blocks.first * FLOAT));
      f.set(panelLine, f.at(i32.add(target, blocks.first * k * FLOAT), first, panelRow(blocks)));
      f.repeat("block", blocks.count, () => {
        f.set(x, line);
        f.set(y, panelLine);
        f.forRange(i, { to: count }, () => {
          for (let v = 0; v < blocks.vectors; v++) {
            const lanes = Math.min(4, blocks.channels - 4 * v);
            v128.store(y, f.loadLanes(x, lanes, v * VECTOR), { offset: v * VECTOR });
          }
          f.advance(x, row);
          f.advance(y, panelRow(blocks));
        });
        f.advance(line, BLOCK * FLOAT);
        f.advance(panelLine, k * panelRow(blocks));
      });
    }
  };
}

/** Prepares the turning of rows of a matrix that lies transposed into one of its panels. */
export function turnRows(f: FunctionBuilder, { n, k, column }: Matrix): (rows: Rows, panel: I32) => void {
  const { i32 } = f;
  const groups = blocksOf(n);
  const { from, to, columns } = f.declare("i32");
  const turns = groups.map((blocks) => turning(f, { source: column, target: panelRow(blocks) }));
  return ({ source, target, first, count }, panel) => {
    f.set(from, f.at(source, panel, BLOCK * column));
    f.set(to, f.at(target, panel, BLOCK * k * FLOAT));
    const turn = (g: number) => {
      f.set(to, f.at(to, first, panelRow(groups[g])));
      f.set(columns, groups[g].channels);
      turns[g](from, to, columns, count);
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

/** Prepares the packing of rows into all panels, however the matrix lies. */
export function packRows(f: FunctionBuilder, matrix: Matrix): (rows: Rows) => void {
  if (matrix.column === FLOAT) return copyRows(f, matrix);
  const panel = f.local("panel", "i32");
  const turn = turnRows(f, matrix);
  return (rows) => f.forRange(panel, { to: Math.ceil(matrix.n / BLOCK) }, () => turn(rows, panel));
}

const LOWER_PAIRS = [0, 4, 1, 5] as const;
const UPPER_PAIRS = [2, 6, 3, 7] as const;
const LOWER_HALVES = [0, 1, 4, 5] as const;
const UPPER_HALVES = [2, 3, 6, 7] as const;

/**
 * Prepares `target[column][row] = source[row][column]`, with so many bytes from line to line. What it returns uses up
 * `source`, `target` and `rows`.
 */
export function turning(
  f: FunctionBuilder,
  line: { readonly source: number; readonly target: number },
): (source: I32, target: I32, rows: I32, columns: I32) => void {
  const { v128 } = f;
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
        f.whileAtLeast(left, 4, () => {
          rowsOf4.forEach((row, r) => {
            f.set(row, v128.load(x, { offset: r * line.source, align: FLOAT }));
          });
          for (const r of [0, 2]) {
            f.set(pairs[r], f.pick(rowsOf4[r], rowsOf4[r + 1], LOWER_PAIRS));
            f.set(pairs[r + 1], f.pick(rowsOf4[r], rowsOf4[r + 1], UPPER_PAIRS));
          }
          for (let column = 0; column < 4; column++) {
            const [low, high] = column < 2 ? [pairs[0], pairs[2]] : [pairs[1], pairs[3]];
            f.set(one, f.pick(low, high, column % 2 === 0 ? LOWER_HALVES : UPPER_HALVES));
            v128.store(y, one, { offset: column * line.target, align: FLOAT });
          }
          f.advance(x, VECTOR);
          f.advance(y, 4 * line.target);
        });
      f.whileAtLeast(left, 1, () => {
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
    f.whileAtLeast(rows, 4, () => strip(4));
    f.whileAtLeast(rows, 1, () => strip(1));
  };
}

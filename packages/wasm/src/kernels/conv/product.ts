// Products of matrices in scratch memory: y = x · w, or y += x · w. All columns of y, one block after the other, and for
// each block all rows, some at a time (register-tile.ts).

import { FLOAT, type FunctionBuilder, type I32, type Operand } from "../../asm/index.ts";
import { type Blocks, blocksOf, registerTile } from "./register-tile.ts";

/** How the matrices lie; all distances in bytes. */
export interface Product {
  /** Columns of w and y. */
  readonly columns: number;
  /** Rows of a tile beside so many vectors. */
  readonly tileRows: (vectors: number) => number;
  /** From row to row, and from one term of a sum to the next. */
  readonly x: { readonly row: number; readonly term: number };
  /** From term to term, and from one block of columns to the next. */
  readonly w: (blocks: Blocks) => { readonly term: number; readonly block: number };
  /** From row to row. */
  readonly y: number;
  /** How many products there are, and from one to the next; default: one. */
  readonly batch?: { readonly count: number; readonly x: number; readonly w: number; readonly y: number };
  readonly adds: boolean;
  readonly relaxed: boolean;
}

/** Where the first matrices begin, the rows of x (at least one), and the bytes of all terms of a row. */
export interface Factors {
  readonly x: I32;
  readonly w: I32;
  readonly y: I32;
  readonly rows: I32 | number;
  readonly terms: Operand<"i32">;
}

/**
 * Prepares products; what it returns writes the code. Rows are rounded up to whole tiles: there must be room, and
 * nobody reads what comes out of those after the last.
 */
export function productWriter(
  f: FunctionBuilder,
  { columns, tileRows, x, w, y, batch, adds, relaxed }: Product,
): (factors: Factors) => void {
  const { i32 } = f;
  const groups = blocksOf(columns).map((blocks) => {
    return { blocks, tile: registerTile(f, tileRows(blocks.vectors), blocks.vectors, relaxed) };
  });
  const { xAt, wAt, yAt, row, last, xk, end, wk, block, column, out } = f.declare("i32");
  const multiply = ({ rows, terms }: Factors) => {
    f.set(last, f.at(xAt, rows, x.row));
    f.set(block, wAt);
    f.set(column, yAt);
    for (const { blocks, tile } of groups) {
      const rows = tile.sums.length;
      f.repeat("block", blocks.count, () => {
        f.set(row, xAt);
        f.set(out, column);
        f.loop((again) => {
          f.set(xk, row);
          f.set(end, i32.add(xk, terms));
          f.set(wk, block);
          tile.clear();
          tile.accumulate(xk, end, wk, { row: x.row, x: x.term, w: w(blocks).term });
          tile[adds ? "add" : "store"](out, y);
          f.advance(row, rows * x.row);
          f.advance(out, rows * y);
          f.brIf(again, i32.lt_u(row, last));
        });
        f.advance(block, w(blocks).block);
        f.advance(column, blocks.channels * FLOAT);
      });
    }
  };
  return (factors) => {
    f.set(xAt, factors.x);
    f.set(wAt, factors.w);
    f.set(yAt, factors.y);
    if (batch === undefined) multiply(factors);
    else
      f.forRange(f.local("product", "i32"), { to: batch.count }, () => {
        multiply(factors);
        f.advance(xAt, batch.x);
        f.advance(wAt, batch.w);
        f.advance(yAt, batch.y);
      });
  };
}

// The inner step of every product of matrices here: sums of P rows by V vectors of four columns stay in registers
// while k runs.
//
//   for each k:   sums[p][v] += x[p][k] · w[k][v]
//
// A round is one k. Engines load all that a round needs before they multiply, so P·V sums, P inputs, V weights and one
// product have to fit in 15 registers: 2 x 4, 2 x 3, 4 x 2 or 6 x 1; and unrolled by hand, a round would want the
// loads of all its steps at once (16 -> 16 channels at 592x592 on Node 20: 22 GFLOP/s unrolled by four, 37 like this).

import { FLOAT, type FunctionBuilder, type I32, type V128, VECTOR } from "../../asm/index.ts";

/** Output channels of a whole block: four vectors. */
export const BLOCK = 16;

/** Blocks of output channels that share their code: `count` of them, the first at channel `first`. */
export interface Blocks {
  readonly first: number;
  readonly count: number;
  readonly channels: number;
  readonly vectors: number;
}

/** Whole blocks, then the channels that are left. */
export function blocksOf(channels: number, block = BLOCK): Blocks[] {
  const whole = Math.floor(channels / block);
  const rest = channels % block;
  return [
    { first: 0, count: whole, channels: block, vectors: block / 4 },
    { first: whole * block, count: rest === 0 ? 0 : 1, channels: rest, vectors: Math.ceil(rest / 4) },
  ].filter(({ count }) => count > 0);
}

/** How many rows go with so many vectors. */
export const rowsOf = (vectors: number): number => Math.floor((14 - vectors) / (vectors + 1));

/** Some rows of sums that stay in locals. */
export interface Tile {
  readonly sums: readonly (readonly V128[])[];
  /** Sets the sums to zero. */
  readonly clear: () => void;
  /**
   * Writes the loop over k, while `x` is not `end`; there is at least one k. Bytes from row to row of x, and from one k
   * to the next of x and w: as they lie in packed matrices where they are left out. Both pointers are moved on.
   */
  readonly accumulate: (
    x: I32,
    end: I32,
    w: I32,
    bytes: { readonly row: number; readonly x?: number; readonly w?: number },
  ) => void;
  /** Writes the first `columns` sums of each row, or adds them to what lies there; rows lie `row` bytes apart. */
  readonly store: (out: I32, row: number, columns?: number) => void;
  readonly add: (out: I32, row: number, columns?: number) => void;
  /** The first rows alone, for what whole tiles leave over: reads nothing of those after them, where x may have ended. */
  readonly first: (rows: number) => Tile;
}

/** Declares the locals of a tile. */
export function registerTile(f: FunctionBuilder, rows: number, vectors: number, relaxed: boolean): Tile {
  const { i32, v128, f32x4 } = f;
  const xs = f.locals("x", "v128", rows);
  const weight = f.local("weight", "v128");
  const madd = f.multiplyAdd(relaxed);
  const tileOf = (sums: Tile["sums"]): Tile => {
    const each = (row: number, columns: number, body: (sum: V128, lanes: number, offset: number) => void) =>
      sums.forEach((vectors, p) => {
        vectors.forEach((sum, v) => {
          body(sum, Math.min(4, columns - 4 * v), p * row + v * VECTOR);
        });
      });
    return {
      sums,
      clear: () => {
        for (const sum of sums.flat()) f.set(sum, v128.const("f32x4", 0));
      },
      accumulate: (x, end, w, bytes) => {
        f.loop((again) => {
          sums.forEach((_, p) => {
            f.set(xs[p], v128.load32_splat(x, { offset: p * bytes.row }));
          });
          for (let v = 0; v < vectors; v++) {
            f.set(weight, v128.load(w, { offset: v * VECTOR }));
            sums.forEach((row, p) => {
              f.set(row[v], madd(row[v], xs[p], weight));
            });
          }
          f.advance(w, bytes.w ?? vectors * VECTOR);
          f.advance(x, bytes.x ?? FLOAT);
          f.brIf(again, i32.ne(x, end));
        });
      },
      store: (out, row, columns = 4 * vectors) =>
        each(row, columns, (sum, lanes, offset) => f.storeLanes(out, sum, lanes, offset)),
      add: (out, row, columns = 4 * vectors) =>
        each(row, columns, (sum, lanes, offset) => {
          f.set(sum, f32x4.add(f.loadLanes(out, lanes, offset), sum));
          f.storeLanes(out, sum, lanes, offset);
        }),
      first: (count) => tileOf(sums.slice(0, count)),
    };
  };
  return tileOf(Array.from({ length: rows }, (_, p) => f.locals(`sum${p}_`, "v128", vectors)));
}

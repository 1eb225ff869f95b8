// The integers of a matrix product, for the operator, its kernel, accelerators, FLOP counts and benches.

import { forEachRun, type Walk } from "../broadcast.ts";
import type { Floats } from "../kernel.ts";

/** The integers of `batch` products of `m` × `k` and `k` × `n` matrices, each of them row-major without gaps. */
export interface MatmulDims {
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Whether the matrices in `a` are stored `k` × `m`. */
  readonly transposeA: boolean;
  /** Whether the matrices in `b` are stored `n` × `k`. */
  readonly transposeB: boolean;
  /** Over the batch axes. Strides: from one matrix to the next in y, a and b, in elements; 0 where it is the same. */
  readonly walk: Walk;
  /** Two (one multiplication, one addition) per term. */
  readonly flops: number;
}

/** The arrays of a product. */
export type Factors = {
  readonly y: Floats;
  readonly a: Floats;
  readonly b: Floats;
};

/** Calls `visit` for every product, with where its matrices begin. */
export function forEachProduct({ walk }: MatmulDims, visit: (y: number, a: number, b: number) => void): void {
  const [stepY, stepA, stepB] = walk.strides.map((own) => own.at(-1)!) as [number, number, number];
  forEachRun(walk, (length, y, a, b) => {
    for (let i = 0; i < length; i++) visit(y + i * stepY, a + i * stepA, b + i * stepB);
  });
}

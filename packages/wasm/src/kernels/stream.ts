// Loops over elements that lie side by side, in vectors of four.
//
//   while (count ≥ 4·V)  V vectors at once        so that one fills the waits of another
//   while (count > 0)    one element, in the lowest lane of the same code
//
// An element goes through the same instructions in either loop, so its value does not depend on where the ranges of
// two threads meet.

import { FLOAT, type FunctionBuilder, type I32, type V128, VECTOR } from "../asm/index.ts";

/** Calls with fewer elements stay with the portable form, which is done before a call has been handed over. */
export const SMALLEST = 512;

/** So many elements are worth another thread where memory sets the pace, and where arithmetic does. */
export const MEMORY_GRAIN = 32768;
export const ARITHMETIC_GRAIN = 8192;

/** Vectors by the name of the array they come from or go to. */
export type Vectors<N extends string> = { readonly [K in N]: readonly V128[] };

/** The most vectors at once, up to `most`, of which so many elements are a whole number; 1 where there is none. */
export const vectorsFor = (elements: number, most = 4): number =>
  [4, 3, 2].find((vectors) => vectors <= most && elements % (4 * vectors) === 0) ?? 1;

/** What a loop goes over. */
export interface Stream<N extends string> {
  /** Where each array goes on; after the last element at the end. */
  readonly pointers: { readonly [K in N]: I32 };
  readonly reads: readonly N[];
  /** May name arrays that are read as well. */
  readonly writes: readonly N[];
  /** How many elements; 0 afterwards. */
  readonly count: I32;
  /** How many vectors at once: few where many arrays are read, since what is read waits in registers. */
  readonly vectors: number;
}

/**
 * Writes the loop.
 *
 * @param compute sets the vectors of `writes` from those of `reads`; it may change the latter
 */
export function stream<N extends string>(
  f: FunctionBuilder,
  { pointers, reads, writes, count, vectors }: Stream<N>,
  compute: (values: Vectors<N>) => void,
): void {
  const { v128 } = f;
  const names = [...new Set([...reads, ...writes])];
  const byName = <T>(make: (name: N) => T) =>
    Object.fromEntries(names.map((name) => [name, make(name)])) as Record<N, T>;
  const all: Vectors<N> = byName((name) => f.locals(name, "v128", vectors));
  const lowest: Vectors<N> = byName((name) => all[name].slice(0, 1));

  f.whileAtLeast(count, 4 * vectors, () => {
    for (const name of reads) f.loadEach(all[name], pointers[name]);
    compute(all);
    for (const name of writes) f.storeEach(all[name], pointers[name]);
    for (const name of names) f.advance(pointers[name], VECTOR * vectors);
  });
  f.whileAtLeast(count, 1, () => {
    for (const name of reads) f.set(lowest[name][0], v128.load32_zero(pointers[name]));
    compute(lowest);
    for (const name of writes) v128.store32_lane(pointers[name], lowest[name][0], 0);
    for (const name of names) f.advance(pointers[name], FLOAT);
  });
}

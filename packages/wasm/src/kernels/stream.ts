// Loops over elements that lie side by side, in vectors of four.
//
//   while (count ≥ 4·V)  V vectors at once        so that one fills the waits of another
//   while (count > 0)    one element, in the lowest lane of the same code
//
// An element goes through the same instructions in either loop, so its value does not depend on where the ranges of
// two threads meet.

import type { FunctionBuilder, Local, Operand } from "../asm/index.ts";

export type I32 = Local<"i32">;
export type V128 = Local<"v128">;

/** Bytes of a 32-bit element. */
export const FLOAT = 4;
/** Bytes of a 64-bit one. */
export const DOUBLE = 8;
/** Bytes of a vector. */
export const VECTOR = 16;

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

  whileAtLeast(f, count, 4 * vectors, () => {
    for (const name of reads) load(f, all[name], pointers[name]);
    compute(all);
    for (const name of writes) store(f, all[name], pointers[name]);
    for (const name of names) f.advance(pointers[name], VECTOR * vectors);
  });
  whileAtLeast(f, count, 1, () => {
    for (const name of reads) f.set(lowest[name][0], v128.load32_zero(pointers[name]));
    compute(lowest);
    for (const name of writes) v128.store32_lane(pointers[name], lowest[name][0], 0);
    for (const name of names) f.advance(pointers[name], FLOAT);
  });
}

/** Loads neighbouring vectors. */
export function load(f: FunctionBuilder, vectors: readonly V128[], pointer: I32, offset = 0): void {
  setEach(f, vectors, (v) => f.v128.load(pointer, { offset: offset + VECTOR * v, align: FLOAT }));
}

/** Stores neighbouring vectors. */
export function store(f: FunctionBuilder, vectors: readonly V128[], pointer: I32): void {
  vectors.forEach((vector, v) => {
    f.v128.store(pointer, vector, { offset: VECTOR * v, align: FLOAT });
  });
}

/** `targets[i] = value(i)` for each of some vectors. */
export function setEach(
  f: FunctionBuilder,
  targets: readonly V128[],
  value: (i: number) => Operand<"v128">,
): void {
  targets.forEach((target, i) => {
    f.set(target, value(i));
  });
}

/** A number in all four lanes, in a variable: a constant inside a loop would be made again at every turn. */
export function constant(f: FunctionBuilder, name: string, value: number): V128 {
  return f.let(name, f.v128.const("f32x4", value));
}

/** `while (count ≥ step) { body(); count -= step }` */
export function whileAtLeast(f: FunctionBuilder, count: I32, step: number, body: () => void): void {
  f.until(
    () => f.i32.lt_s(count, step),
    () => {
      body();
      f.set(count, f.i32.sub(count, step));
    },
  );
}

/** Items, from the first to before the last. */
export interface Range {
  readonly from: I32;
  readonly to: I32;
}

/**
 * Writes `for (item = from; item < to; item++) body(item)`. Each array's pointer goes along: it begins at the item
 * `from` of its array, and moves on by the bytes of an item.
 */
export function forEachItem(
  f: FunctionBuilder,
  { from, to }: Range,
  along: readonly (readonly [pointer: I32, bytes: number])[],
  body: (item: I32) => void,
): void {
  const item = f.local("item", "i32");
  for (const [pointer, bytes] of along) f.advance(pointer, from, bytes);
  f.forRange(item, { from, to }, () => {
    body(item);
    for (const [pointer, bytes] of along) f.advance(pointer, bytes);
  });
}

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
export type Vectors<N extends string> = { readonly [K in N]: readonly Local<"v128">[] };

/** What a loop goes over. */
export interface Stream<N extends string> {
  /** Where each array goes on; after the last element at the end. */
  readonly pointers: { readonly [K in N]: Local<"i32"> };
  readonly reads: readonly N[];
  /** May name arrays that are read as well. */
  readonly writes: readonly N[];
  /** How many elements; 0 afterwards. */
  readonly count: Local<"i32">;
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
    for (const name of reads)
      all[name].forEach((vector, v) => {
        f.set(vector, v128.load(pointers[name], { offset: VECTOR * v, align: FLOAT }));
      });
    compute(all);
    for (const name of writes)
      all[name].forEach((vector, v) => {
        v128.store(pointers[name], vector, { offset: VECTOR * v, align: FLOAT });
      });
    for (const name of names) f.advance(pointers[name], VECTOR * vectors);
  });
  whileAtLeast(f, count, 1, () => {
    for (const name of reads) f.set(lowest[name][0], v128.load32_zero(pointers[name]));
    compute(lowest);
    for (const name of writes) v128.store32_lane(pointers[name], lowest[name][0], 0);
    for (const name of names) f.advance(pointers[name], FLOAT);
  });
}

/** `while (count ≥ step) { body(); count -= step }` */
export function whileAtLeast(f: FunctionBuilder, count: Local<"i32">, step: number, body: () => void): void {
  f.block((done) => {
    f.loop((again) => {
      f.brIf(done, f.i32.lt_s(count, step));
      body();
      f.set(count, f.i32.sub(count, step));
      f.br(again);
    });
  });
}

/** `pointer += index · size` */
export function moveBy(
  f: FunctionBuilder,
  pointer: Local<"i32">,
  index: Local<"i32">,
  size: number = FLOAT,
): void {
  f.advance(pointer, f.i32.mul(index, size));
}

/** A number in all four lanes, in a variable: a constant inside a loop would be made again at every turn. */
export function constant(f: FunctionBuilder, name: string, value: number): Local<"v128"> {
  return f.let(name, f.v128.const("f32x4", value));
}

/** `targets[i] = value(i)` for each of some vectors. */
export function setEach(
  f: FunctionBuilder,
  targets: readonly Local<"v128">[],
  value: (i: number) => Operand<"v128">,
): void {
  targets.forEach((target, i) => {
    f.set(target, value(i));
  });
}

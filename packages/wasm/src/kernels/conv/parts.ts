// Sums over all pixels, in parts that are summed up each for itself and then added up. The parts are the same for any
// number of threads, and so is the order in which they are added up.

import type { FunctionBuilder, I32, Value } from "../../asm/index.ts";
import type { StepLocals } from "./steps.ts";

/** As many threads share the work. */
const MOST_PARTS = 8;

/** How a sum over `terms` falls into parts. */
export interface Parts {
  readonly terms: number;
  readonly count: number;
  /** Bytes of the sums of one part. */
  readonly bytes: number;
}

/** The parts of a sum over so many terms. */
export const partsOf = (terms: number, bytes: number): Parts => ({
  terms,
  count: Math.min(MOST_PARTS, terms),
  bytes,
});

/** Bytes of the sums of all parts. */
export const bytesOf = ({ count, bytes }: Parts): number => count * bytes;

/** For the terms of the parts `from` … `to - 1`: `body` adds one to the sums of its part, which are zero at first. */
export function forEachTerm(
  f: FunctionBuilder,
  { from, to, shared }: StepLocals,
  { terms, count, bytes }: Parts,
  body: (term: I32, sums: I32) => void,
): void {
  const { i32, memory } = f;
  const { part, sums, term, end } = f.declare("i32");
  f.forRange(part, { from, to }, () => {
    f.set(sums, f.at(shared, part, bytes));
    memory.fill(sums, 0, bytes);
    f.set(end, i32.div_u(i32.mul(i32.add(part, 1), terms), count));
    f.forRange(term, { from: i32.div_u(i32.mul(part, terms), count), to: end }, () => body(term, sums));
  });
}

/** Adds up what lies at `at` in the first part and at the same place in the others, in double. */
export function addParts(f: FunctionBuilder, at: I32, { count, bytes }: Parts): Value<"f32"> {
  const { f32, f64 } = f;
  const load = (part: number) => f64.promote_f32(f32.load(at, { offset: part * bytes }));
  let sum = load(0);
  for (let part = 1; part < count; part++) sum = f64.add(sum, load(part));
  return f32.demote_f64(sum);
}

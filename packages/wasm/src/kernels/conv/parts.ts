// Sums over all pixels, in parts that are summed up each for itself and then added up. The parts are the same for any
// number of threads, and so is the order in which they are added up.

import type { Correlation } from "@saunet/core/kernels";
import { FLOAT, type FunctionBuilder, type I32, VECTOR } from "../../asm/index.ts";
import { MEMORY_GRAIN } from "../stream.ts";
import type { Step, StepLocals } from "./steps.ts";

/** As many threads share the work. */
const MOST_PARTS = 8;

/** How a sum over `terms` falls into parts. */
export interface Parts {
  readonly terms: number;
  readonly count: number;
  /** Bytes of the sums of one part: whole vectors. */
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

/**
 * For the rows of taps of an output row that lie in the image: `y` is the row of the input that they meet, and `sums` are
 * those of the taps, so many bytes after those of the row before.
 */
export function forEachTapRow(
  f: FunctionBuilder,
  { rows }: Correlation,
  output: I32,
  sums: { readonly from: I32; readonly bytes: number },
  body: (y: I32, sums: I32) => void,
): void {
  const [{ start, spacing, taps }] = rows.phases;
  const { m, y, at } = f.declare("i32");
  f.set(y, f.at(start, output, rows.step));
  f.set(at, sums.from);
  f.forRange(m, { to: taps.length }, () => {
    f.if(f.i32.lt_u(y, rows.inSize), () => body(y, at));
    f.advance(y, spacing);
    f.advance(at, sums.bytes);
  });
}

/** The phase that adds the other parts to the first, if there are any. */
export function addingParts({ count, bytes }: Parts): Step[] {
  const write: Step["write"] = (f, { from, to, shared }) => {
    const { v128, f32x4 } = f;
    const { at, end } = f.declare("i32");
    const sum = f.local("sum", "v128");
    f.set(end, f.at(shared, to, VECTOR));
    f.forRange(at, { from: f.at(shared, from, VECTOR), to: end, step: VECTOR }, () => {
      f.set(sum, v128.load(at));
      for (let part = 1; part < count; part++)
        f.set(sum, f32x4.add(sum, v128.load(at, { offset: part * bytes })));
      v128.store(at, sum);
    });
  };
  return count === 1 ? [] : [{ items: bytes / VECTOR, grain: Math.ceil(MEMORY_GRAIN / (4 * count)), write }];
}

/** How the sums of taps lie in a part: bytes from one row of taps to the next, from tap to tap, and between channels. */
export interface TapSums {
  readonly row: number;
  readonly tap: number;
  readonly input: number;
  readonly output: number;
}

/** The phase that copies the sums of the first part to the gradient of the filter. */
export function writingTaps({ I, O, rows, columns }: Correlation, bytes: TapSums): Step {
  const across = columns.phases[0].taps.length;
  return {
    items: rows.phases[0].taps.length * across,
    write: (f, { from, to, shared, filter: gw }) => {
      const { tap, m, k, i, o, source, at, target } = f.declare("i32");
      f.set(target, f.at(gw, from, I * O * FLOAT));
      f.forRange(tap, { from, to }, () => {
        f.unravel(tap, [m, k], [across]);
        f.set(source, f.at(shared, m, bytes.row, k, bytes.tap));
        f.forRange(i, { to: I }, () => {
          f.set(at, source);
          f.forRange(o, { to: O }, () => {
            f.f32.store(target, f.f32.load(at));
            f.advance(at, bytes.output);
            f.advance(target, FLOAT);
          });
          f.advance(source, bytes.input);
        });
      });
    },
  };
}

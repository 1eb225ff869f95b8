// How far results may lie apart that were rounded differently.
//
// A program can make much of a rounding error: a ReLU near its kink, two maxima that all but tie, a difference of what is
// all but equal. So it is run again with every result of every kernel disturbed by about as much as the kernels differ,
// and what that does to each array is the measure. (Stochastic arithmetic: Vignes, Mathematics and Computers in
// Simulation 35, 1993.)

import type { FlatArray } from "@saunet/core/kernels";
import { type Form, Mismatch, type Snapshot } from "./random-program.ts";

/** Kernels that only move, choose, count or draw: whatever form they run in, their results are the same bit for bit. */
const EXACT =
  /^(random|movement|fill|max\.forward|minimum\.forward|maximum\.forward|compare|where|argmax|oneHot|gather\.forward|maxPool2d\.forward|relu\.forward|dropBlock\.(draw|scale)|dropout|optimizer\.count)/;

/** Runs a kernel and changes what it wrote by up to `amount` of the largest element. */
export function disturbing(form: Form, amount: number, random: () => number): Form {
  return (kernel, arrays, dims) => {
    form(kernel, arrays, dims);
    if (EXACT.test(kernel.name)) return;
    for (const [name, role] of Object.entries(kernel.roles)) {
      const array = arrays[name];
      if (role === "read" || !(array instanceof Float32Array)) continue;
      const change = () => amount * (2 * random() - 1);
      // Variances, moments and learning rates stay above zero.
      const most = role === "update" || /variance/i.test(name) ? 0 : sizeOf(array);
      for (let i = 0; i < array.length; i++) array[i] += array[i] * change() + most * change();
    }
  };
}

/** The largest finite element. */
export function sizeOf(array: FlatArray): number {
  let largest = 0;
  for (const value of array) if (Number.isFinite(value)) largest = Math.max(largest, Math.abs(value));
  return largest;
}

/** The largest difference; infinite where one is a number and the other none. */
export function distance(a: FlatArray, b: FlatArray): number {
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    if (a[i] === b[i] || Object.is(a[i], b[i])) continue;
    const gap = Math.abs(a[i] - b[i]);
    if (!Number.isFinite(gap)) return Number.POSITIVE_INFINITY;
    largest = Math.max(largest, gap);
  }
  return largest;
}

/** Disturbed runs that are tried at most; a kink that rounding crosses, one of them crosses with a probability of 0.4. */
const SAMPLES = 16;
/** How much further than disturbed runs moved it an array may lie off. */
const FACTOR = 3;

/** Tells whether runs are as close as their program lets them be. */
export class Closeness {
  readonly #wanted: readonly Snapshot[];
  readonly #tolerance: number;
  readonly #disturbed: () => readonly Snapshot[];
  readonly #samples: (readonly Snapshot[])[] = [];

  /**
   * @param tolerance relative to the largest element of each array
   * @param disturbed runs the program disturbed, otherwise each time; asked only where the tolerance is not kept
   */
  constructor(wanted: readonly Snapshot[], tolerance: number, disturbed: () => readonly Snapshot[]) {
    this.#wanted = wanted;
    this.#tolerance = tolerance;
    this.#disturbed = disturbed;
  }

  /** Throws a {@link Mismatch} where an array lies too far off. */
  expect(what: string, actual: readonly Snapshot[]): void {
    this.#wanted.forEach((snapshot, run) => {
      for (const [name, numbers] of snapshot) {
        const gap = distance(actual[run].get(name)!, numbers);
        const size = sizeOf(numbers);
        if (gap <= this.#tolerance * size) continue;
        let moved = 0;
        for (let sample = 0; sample < SAMPLES && gap > FACTOR * moved; sample++) {
          this.#samples[sample] ??= this.#disturbed();
          moved = Math.max(moved, distance(this.#samples[sample][run].get(name)!, numbers));
        }
        if (gap > FACTOR * moved)
          throw new Mismatch(
            what,
            `run ${run}, ${name} is off by ${gap} of ${size}; disturbed runs move it by ${moved}`,
          );
      }
    });
  }
}

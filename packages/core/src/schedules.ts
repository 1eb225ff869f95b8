// What happens to the learning rate over time, and when to stop. The plateau rules compare exactly as Keras 2.12's
// callbacks do (keras/callbacks.py), so a run here turns where theirs does.

import { expectBetween, expectInteger } from "./errors.ts";

/** The share of the learning rate at a step: 0 … 1. */
export type Schedule = (step: number) => number;

/**
 * A linear rise over `warmup` steps, then half a cosine down to `final` at step `total` (Loshchilov and Hutter,
 * "SGDR", ICLR 2017).
 *
 * @throws RangeError where `total` or `warmup` is no count of steps, or `final` does not lie between 0 and 1
 * @example
 * const share = cosine({ total: 100, warmup: 10 });
 * console.log(share(0), share(9), share(99).toFixed(3)); // 0.1 1 0.000
 */
export function cosine({
  total,
  warmup = 0,
  final = 0,
}: {
  total: number;
  warmup?: number;
  final?: number;
}): Schedule {
  expectInteger("cosine", "total", total, 1);
  expectInteger("cosine", "warmup", warmup, 0);
  expectBetween("cosine", "final", final, 0, 1);
  return (step) => {
    if (step < warmup) return (step + 1) / warmup;
    const progress = Math.min(1, (step - warmup) / Math.max(1, total - warmup));
    return final + (1 - final) * 0.5 * (1 + Math.cos(Math.PI * progress));
  };
}

/** Options of {@link reduceOnPlateau}. */
export interface PlateauOptions {
  /** What the learning rate is multiplied by. */
  readonly factor?: number;
  /** Epochs without improvement before that. */
  readonly patience?: number;
  /** The learning rate never falls below. */
  readonly minimum?: number;
  /** How much lower a value must be to count as better; absolute. */
  readonly minDelta?: number;
}

/** Something that watches one value an epoch. Its state is plain, so that it can be saved with a run. */
export interface Watch {
  best: number;
  wait: number;
}

/**
 * Lowers a learning rate when a loss stops falling: after `patience` epochs in which `loss < best - minDelta` failed.
 *
 * @returns a function of the epoch's loss and the present rate that gives the rate to go on with
 * @throws RangeError where an option lies outside of its range
 * @example
 * const plateau = reduceOnPlateau({ patience: 1 });
 * console.log([1, 0.5, 0.5].map((loss) => plateau.next(loss, 0.1))); // [ 0.1, 0.1, 0.05 ]
 */
export function reduceOnPlateau({
  factor = 0.5,
  patience = 10,
  minimum = 1e-6,
  minDelta = 1e-4,
}: PlateauOptions = {}): {
  state: Watch;
  next(loss: number, rate: number): number;
} {
  expectBetween("reduceOnPlateau", "factor", factor, 0, 1);
  const state: Watch = { best: Number.POSITIVE_INFINITY, wait: 0 };
  return {
    state,
    next(loss, rate) {
      if (loss < state.best - minDelta) {
        state.best = loss;
        state.wait = 0;
        return rate;
      }
      state.wait++;
      if (state.wait < patience || rate <= minimum) return rate;
      state.wait = 0;
      return Math.max(rate * factor, minimum);
    },
  };
}

/**
 * Says when to stop: after `patience` epochs in which `loss < best` failed.
 *
 * @throws RangeError if `patience` is not a valid count
 * @example
 * const stopping = earlyStopping({ patience: 2 });
 * console.log([1, 2, 2].map((loss) => stopping.next(loss).stop)); // [ false, false, true ]
 */
export function earlyStopping({ patience }: { patience: number }): {
  state: Watch;
  next(loss: number): { improved: boolean; stop: boolean };
} {
  expectInteger("earlyStopping", "patience", patience, 1);
  const state: Watch = { best: Number.POSITIVE_INFINITY, wait: 0 };
  return {
    state,
    next(loss) {
      const improved = loss < state.best;
      state.wait = improved ? 0 : state.wait + 1;
      if (improved) state.best = loss;
      return { improved, stop: state.wait >= patience };
    },
  };
}

// One count of a picture's pixels that answers every threshold: how many have at least the probability k / 1000, for
// k = 0 … 1000, inside and outside the field of view, on vessels and beside them. Moving the threshold is then a
// look-up, for one picture and for a hundred.

import { type Confusion, rocAuc } from "@saunet/model";

/** Thresholds are thousandths, as those of `saunet calibrate` are: 0 … 1000. */
export const STEPS = 1000;
const ROW = STEPS + 1;

/** Rows: outside the field of view, beside and on vessels; inside it, beside and on vessels. */
export interface Tally {
  readonly counts: Uint32Array;
  readonly hasTruth: boolean;
  /** Area under the ROC curve, inside the field of view and over the whole frame; NaN without a truth. */
  readonly auc: { readonly field: number; readonly frame: number };
}

/** A picture that has been segmented; one element a pixel. */
export interface Judged {
  readonly probability: Float32Array;
  readonly field: Uint8Array;
  readonly truth?: Uint8Array | undefined;
}

/** Counts. */
export function tallyOf({ probability, field, truth }: Judged): Tally {
  const counts = new Uint32Array(4 * ROW);
  for (let i = 0; i < probability.length; i++) {
    // The last step whose threshold is reached: of 32-bit floats no product rounds across a step (the test tries those beside each).
    const k = Math.floor(probability[i] * STEPS);
    counts[(2 * field[i] + (truth === undefined ? 0 : truth[i])) * ROW + k]++;
  }
  for (let row = 0; row < 4; row++) {
    for (let k = STEPS - 1; k >= 0; k--) counts[row * ROW + k] += counts[row * ROW + k + 1];
  }
  const auc =
    truth === undefined
      ? { field: Number.NaN, frame: Number.NaN }
      : { field: rocAuc({ probability, truth, fieldOfView: field }), frame: rocAuc({ probability, truth }) };
  return { counts, hasTruth: truth !== undefined, auc };
}

/** The confusion at a threshold of `step` thousandths, inside the field of view or over the whole frame. */
export function confusionAt({ counts }: Tally, step: number, fieldOnly: boolean): Confusion {
  const rows = (onVessel: 0 | 1) => (fieldOnly ? [2 + onVessel] : [onVessel, 2 + onVessel]);
  const sum = (onVessel: 0 | 1, k: number) => rows(onVessel).reduce((n, row) => n + counts[row * ROW + k], 0);
  return {
    truePositives: sum(1, step),
    falseNegatives: sum(1, 0) - sum(1, step),
    falsePositives: sum(0, step),
    trueNegatives: sum(0, 0) - sum(0, step),
  };
}

/** The share of pixels that are called vessel at a threshold of `step` thousandths. */
export function densityAt(tally: Tally, step: number, fieldOnly: boolean): number {
  const { truePositives, falsePositives, trueNegatives, falseNegatives } = confusionAt(
    tally,
    step,
    fieldOnly,
  );
  const called = truePositives + falsePositives;
  return called / (called + trueNegatives + falseNegatives);
}

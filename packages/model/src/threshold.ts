// The threshold that a network's probabilities want: 0.5 is a convention, and the one that gives the highest F1 depends on
// the loss and on the data. It must be fitted on training images; fitted on the test images it would flatter.

import { expectBetween } from "@saunet/core/kernels";
import { DEFAULT_THRESHOLD, type Prediction } from "./metrics.ts";

/** Thresholds that are tried: 0.001, 0.002 … 0.999. */
const STEPS = 1000;

/**
 * F1 of a picture at each threshold `k / 1000`, where a probability that reaches it is vessel; `k` is the place in the
 * result, 0 to 1000.
 *
 * @throws RangeError where a probability that counts does not lie between 0 and 1
 * @example
 * const f1 = f1ByThreshold({ probability: Float32Array.of(0.9, 0.2, 0.7), truth: Uint8Array.of(1, 0, 0) });
 * console.log(f1.length, f1[800]); // 1001 1
 */
export function f1ByThreshold({ probability, truth, fieldOfView }: Prediction): Float64Array {
  const background = new Uint32Array(STEPS + 1);
  const vessel = new Uint32Array(STEPS + 1);
  for (let i = 0; i < probability.length; i++) {
    if (fieldOfView !== undefined && fieldOfView[i] === 0) continue;
    expectBetween("f1ByThreshold", "probability", probability[i], 0, 1);
    // Exact: 24 bits of a float times 10 bits fit the 53 of a double.
    const step = Math.floor(probability[i] * STEPS);
    if (truth[i] === 0) background[step]++;
    else vessel[step]++;
  }
  const vessels = vessel.reduce((sum, count) => sum + count, 0);
  const curve = new Float64Array(STEPS + 1);
  let [truePositives, falsePositives] = [0, 0];
  for (let step = STEPS; step >= 0; step--) {
    truePositives += vessel[step];
    falsePositives += background[step];
    curve[step] = (2 * truePositives) / (truePositives + falsePositives + vessels);
  }
  return curve;
}

/**
 * The threshold with the highest mean F1 over pictures; of several, the one nearest to 0.5.
 *
 * @param curves {@link f1ByThreshold} of each picture; those of pictures without vessels and predictions are left out
 * @returns undefined where no picture has a vessel
 * @example
 * const curves = [f1ByThreshold({ probability: new Float32Array([0.1, 0.3, 0.4]), truth: [0, 1, 1] })];
 * console.log(fitThreshold(curves)); // { threshold: 0.3, f1: 1 }
 */
export function fitThreshold(
  curves: readonly Float64Array[],
): { readonly threshold: number; readonly f1: number } | undefined {
  const defined = curves.filter((curve) => !Number.isNaN(curve[STEPS]));
  if (defined.length === 0) return undefined;
  let best = { threshold: DEFAULT_THRESHOLD, f1: -1 };
  for (let step = 1; step < STEPS; step++) {
    const threshold = step / STEPS;
    const f1 = defined.reduce((sum, curve) => sum + curve[step], 0) / defined.length;
    const isNearer = Math.abs(threshold - DEFAULT_THRESHOLD) < Math.abs(best.threshold - DEFAULT_THRESHOLD);
    if (f1 > best.f1 || (f1 === best.f1 && isNearer)) best = { threshold, f1 };
  }
  return best;
}

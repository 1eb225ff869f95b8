// Whether probabilities mean what they say: of the pixels that are called vessel with 0.3, are three in ten vessel?
//
// The reliability diagram (DeGroot and Fienberg, The Statistician 32, 1983) answers bin by bin; the expected calibration
// error (Naeini, Cooper and Hauskrecht, AAAI 2015) is the mean distance of its points from the diagonal, each weighted by
// its pixels. What is binned is the probability of vessel, so that a bin has a meaning to whoever uses that probability, and
// not the confidence in the likelier of two classes, as Guo, Pleiss, Sun and Weinberger (ICML 2017) bin for many classes.

import { expectBetween } from "@saunet/core/kernels";
import { expectSizes, type Prediction } from "./metrics.ts";

/** Bins of equal width; bin `k` holds probabilities above `k / 15` and up to `(k + 1) / 15`, the first one 0 as well. */
export const RELIABILITY_BINS = 15;

/** The pixels whose probability lies in one bin. */
export interface ReliabilityBin {
  readonly pixels: number;
  /** How many of them are vessel. */
  readonly vessels: number;
  /** The sum of their probabilities. */
  readonly probabilities: number;
}

/**
 * Counts pixels by their probability: the 15 bins of a reliability diagram. Where a field of view is given, pixels outside of it do
 * not count: the dark surround is easy, and makes every network look calibrated.
 *
 * @throws RangeError where sizes differ, or a probability that counts does not lie between 0 and 1
 * @example
 * const bins = reliabilityBins({ probability: Float32Array.of(0.1, 0.9, 0.95), truth: Uint8Array.of(0, 1, 0) });
 * console.log(bins.length, bins[1].pixels, bins[14].vessels); // 15 1 0
 */
export function reliabilityBins(prediction: Prediction): ReliabilityBin[] {
  expectSizes(prediction);
  const { probability, truth, fieldOfView } = prediction;
  const bins = Array.from({ length: RELIABILITY_BINS }, () => ({ pixels: 0, vessels: 0, probabilities: 0 }));
  for (let i = 0; i < probability.length; i++) {
    if (fieldOfView !== undefined && fieldOfView[i] === 0) continue;
    expectBetween("reliabilityBins", "probability", probability[i], 0, 1);
    const bin = bins[Math.max(0, Math.ceil(probability[i] * RELIABILITY_BINS) - 1)];
    bin.pixels++;
    bin.vessels += truth[i] === 0 ? 0 : 1;
    bin.probabilities += probability[i];
  }
  return bins;
}

/**
 * The bins of several pictures together.
 *
 * @example
 * const bins = reliabilityBins({ probability: Float32Array.of(0.9), truth: Uint8Array.of(1) });
 * console.log(sumOfBins([bins, bins])[13].pixels); // 2
 */
export function sumOfBins(pictures: readonly (readonly ReliabilityBin[])[]): ReliabilityBin[] {
  return Array.from({ length: RELIABILITY_BINS }, (_, k) => {
    const sum = (name: keyof ReliabilityBin) => pictures.reduce((total, bins) => total + bins[k][name], 0);
    return { pixels: sum("pixels"), vessels: sum("vessels"), probabilities: sum("probabilities") };
  });
}

/**
 * The expected calibration error: over the bins, the mean distance between the share of vessel and the mean probability, weighted
 * by pixels. 0 of probabilities that keep their word; `NaN` of no pixels.
 *
 * @example
 * const [probability, truth] = [Float32Array.of(0.75, 0.75, 0.75, 0.75), Uint8Array.of(1, 1, 0, 0)];
 * console.log(calibrationError(reliabilityBins({ probability, truth }))); // 0.25
 */
export function calibrationError(bins: readonly ReliabilityBin[]): number {
  const pixels = bins.reduce((sum, bin) => sum + bin.pixels, 0);
  return bins.reduce((sum, bin) => sum + Math.abs(bin.vessels - bin.probabilities), 0) / pixels;
}

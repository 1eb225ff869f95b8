// How good a segmentation is. All figures come from one count of pixels at a threshold, and the AUC from the order of
// the probabilities.
//
// Papers differ in what they report, so both readings of each choice are here: over the full frame or inside the
// field of view; `macro`, the mean of the images' figures, or `micro`, the figures of all pixels pooled.

import { expectBetween } from "@saunet/core/kernels";
import { pooledRocAuc, rankedRocAuc, rankPixels } from "./roc.ts";

/** Which pixels count: all of them, or those where the photograph shows the eye. */
export const REGIONS = ["full", "fov"] as const;

/** One of something for each region. */
export type ByRegion<T> = Readonly<Record<(typeof REGIONS)[number], T>>;

/** Pixels by prediction and truth. */
export interface Confusion {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly trueNegatives: number;
  readonly falseNegatives: number;
}

/** The seven figures of the vessel literature, 0 … 1 (MCC -1 … 1). `NaN` where a figure is not defined. */
export interface Metrics {
  readonly f1: number;
  readonly jaccard: number;
  readonly sensitivity: number;
  readonly specificity: number;
  readonly accuracy: number;
  readonly mcc: number;
  readonly auc: number;
}

/** Names of the figures, in the order of tables. */
export const METRIC_NAMES = [
  "f1",
  "jaccard",
  "sensitivity",
  "specificity",
  "accuracy",
  "mcc",
  "auc",
] as const;

/** How the figures are called where there is room. */
export const METRIC_TITLES = {
  f1: "F1",
  jaccard: "Jaccard",
  sensitivity: "Sensitivity",
  specificity: "Specificity",
  accuracy: "Accuracy",
  mcc: "MCC",
  auc: "AUC",
} as const;

/** Probabilities of a picture against its truth. All arrays have one element a pixel. */
export interface Prediction {
  /** 0 … 1 */
  readonly probability: Float32Array;
  /** 0 or 1 */
  readonly truth: ArrayLike<number>;
  /** 0 or 1; where it is 0, the pixel does not count. */
  readonly fieldOfView?: ArrayLike<number> | undefined;
}

/** A pixel is predicted vessel from this probability on. */
export const DEFAULT_THRESHOLD = 0.5;

function expectSizes({ probability, truth, fieldOfView }: Prediction): void {
  for (const [name, { length }] of Object.entries({ truth, ...(fieldOfView && { fieldOfView }) })) {
    if (length !== probability.length) {
      throw new RangeError(`metrics: ${name} has ${length} pixels but probability has ${probability.length}`);
    }
  }
}

/**
 * Counts pixels; `probability >= threshold` is a prediction of vessel.
 *
 * @throws RangeError where sizes differ, or `threshold` or a probability that counts does not lie between 0 and 1
 * @example
 * const [probability, truth] = [Float32Array.of(0.9, 0.2, 0.7), Uint8Array.of(1, 1, 0)];
 * const { truePositives, falsePositives } = confusion({ probability, truth });
 * console.log(truePositives, falsePositives); // 1 1
 */
export function confusion(prediction: Prediction, threshold = DEFAULT_THRESHOLD): Confusion {
  expectSizes(prediction);
  expectBetween("metrics", "threshold", threshold, 0, 1);
  const { probability, truth, fieldOfView } = prediction;
  // counts[2 * truth + predicted]
  const counts = [0, 0, 0, 0];
  for (let i = 0; i < probability.length; i++) {
    if (fieldOfView !== undefined && fieldOfView[i] === 0) continue;
    expectBetween("metrics", "probability", probability[i], 0, 1);
    counts[2 * (truth[i] === 0 ? 0 : 1) + (probability[i] >= threshold ? 1 : 0)]++;
  }
  const [trueNegatives, falsePositives, falseNegatives, truePositives] = counts;
  return { truePositives, falsePositives, trueNegatives, falseNegatives };
}

/**
 * The six figures that follow from counts. A ratio of nothing to nothing is `NaN`, MCC without contrast is 0.
 *
 * @example
 * console.log(metricsFromConfusion(confusion({ probability: Float32Array.of(0.9, 0.2), truth: Uint8Array.of(1, 0) })).f1); // 1
 */
export function metricsFromConfusion(counts: Confusion): Omit<Metrics, "auc"> {
  const { truePositives: tp, falsePositives: fp, trueNegatives: tn, falseNegatives: fn } = counts;
  const root = Math.sqrt(tp + fp) * Math.sqrt(tp + fn) * Math.sqrt(tn + fp) * Math.sqrt(tn + fn);
  return {
    f1: (2 * tp) / (2 * tp + fp + fn),
    jaccard: tp / (tp + fp + fn),
    sensitivity: tp / (tp + fn),
    specificity: tn / (tn + fp),
    accuracy: (tp + tn) / (tp + fp + tn + fn),
    mcc: root === 0 ? 0 : (tp * tn - fp * fn) / root,
  };
}

/**
 * Area under the ROC curve: the chance that a vessel pixel gets a higher probability than a background pixel, ties
 * counting half (the Mann–Whitney statistic, so it is exact and independent of any threshold). `NaN` where one of
 * the two kinds is missing.
 *
 * @throws RangeError where a probability does not lie between 0 and 1
 * @example
 * const truth = [0, 1, 0, 1];
 * console.log(rocAuc({ probability: new Float32Array([0.1, 0.4, 0.4, 0.8]), truth })); // 0.875
 */
export function rocAuc(prediction: Prediction): number {
  expectSizes(prediction);
  return rankedRocAuc(rankPixels(prediction)).fov;
}

/**
 * All seven figures of one picture.
 *
 * @example
 * const { f1, auc } = evaluate({ probability: Float32Array.of(0.9, 0.2, 0.7), truth: Uint8Array.of(1, 0, 0) });
 * console.log(f1.toFixed(3), auc); // 0.667 1
 */
export function evaluate(prediction: Prediction, threshold = DEFAULT_THRESHOLD): Metrics {
  return { ...metricsFromConfusion(confusion(prediction, threshold)), auc: rocAuc(prediction) };
}

/**
 * The mean of each figure over images; figures that an image does not have are left out of its mean.
 *
 * @example
 * const good = evaluate({ probability: Float32Array.of(0.9, 0.2), truth: Uint8Array.of(1, 0) });
 * const bad = evaluate({ probability: Float32Array.of(0.2, 0.9), truth: Uint8Array.of(1, 0) });
 * console.log(macroAverage([good, bad]).auc); // 0.5
 */
export function macroAverage(images: readonly Metrics[]): Metrics {
  const average = (name: keyof Metrics): number => {
    const defined = images.map((image) => image[name]).filter((value) => !Number.isNaN(value));
    return defined.reduce((sum, value) => sum + value, 0) / defined.length;
  };
  return Object.fromEntries(METRIC_NAMES.map((name) => [name, average(name)])) as unknown as Metrics;
}

/**
 * The figures of all pixels of all images pooled.
 *
 * @example
 * const one = { probability: Float32Array.of(0.9, 0.2), truth: Uint8Array.of(1, 0) };
 * const other = { probability: Float32Array.of(0.6, 0.7), truth: Uint8Array.of(1, 0) };
 * console.log(microAverage([one, other]).auc); // 0.75
 */
export function microAverage(predictions: readonly Prediction[], threshold = DEFAULT_THRESHOLD): Metrics {
  const counts = sumConfusions(predictions.map((prediction) => confusion(prediction, threshold)));
  return { ...metricsFromConfusion(counts), auc: pooledRocAuc(predictions.map(rankPixels)).fov };
}

/**
 * Counts of several images, or of several parts of one, together.
 *
 * @example
 * const counts = confusion({ probability: Float32Array.of(0.9, 0.2), truth: Uint8Array.of(1, 0) });
 * console.log(sumConfusions([counts, counts]).truePositives); // 2
 */
export function sumConfusions(parts: readonly Confusion[]): Confusion {
  const sum = (name: keyof Confusion) => parts.reduce((total, part) => total + part[name], 0);
  return {
    truePositives: sum("truePositives"),
    falsePositives: sum("falsePositives"),
    trueNegatives: sum("trueNegatives"),
    falseNegatives: sum("falseNegatives"),
  };
}

/** Probabilities of classes against the true ones; the background is class 0. */
export interface ClassPrediction {
  /** `[pixels, classes]`, 0 … 1 */
  readonly probability: Float32Array;
  /** The number of each pixel's class. */
  readonly truth: ArrayLike<number>;
  /** 0 or 1; where it is 0, the pixel does not count. */
  readonly fieldOfView?: ArrayLike<number> | undefined;
}

/** The figures of each class against all others. */
export interface ClassMetrics {
  /** By the name of the class. */
  readonly byClass: Readonly<Record<string, Metrics>>;
  /** The mean over the classes without the background, which would flatter it; a figure that a class does not have is left out. */
  readonly mean: Metrics;
}

/**
 * The most likely class of each pixel; of equally likely ones the first.
 *
 * @param probability `[pixels, classes]`
 * @example
 * console.log(mostLikely(new Float32Array([0.2, 0.5, 0.3, 0.4, 0.2, 0.4]), 3)); // Uint8Array(2) [ 1, 0 ]
 */
export function mostLikely(probability: Float32Array, classes: number): Uint8Array {
  const numbers = new Uint8Array(probability.length / classes);
  for (let pixel = 0; pixel < numbers.length; pixel++) {
    let best = 0;
    for (let k = 1; k < classes; k++)
      if (probability[pixel * classes + k] > probability[pixel * classes + best]) best = k;
    numbers[pixel] = best;
  }
  return numbers;
}

/**
 * All seven figures of one picture for each class against all others: a pixel is predicted to be of its most likely class,
 * and the area under the ROC curve follows the order of the class's probabilities.
 *
 * @param classes names, the background first
 * @throws RangeError where sizes differ, or a probability does not lie between 0 and 1
 * @example
 * const probability = new Float32Array([0.8, 0.1, 0.1, 0.2, 0.7, 0.1, 0.1, 0.5, 0.4]);
 * const { byClass, mean } = evaluateClasses({ probability, truth: [0, 1, 2] }, ["background", "artery", "vein"]);
 * console.log(byClass.artery.f1.toFixed(3), byClass.vein.f1, mean.auc); // 0.667 0 1
 */
export function evaluateClasses(
  { probability, truth, fieldOfView }: ClassPrediction,
  classes: readonly string[],
): ClassMetrics {
  const count = classes.length;
  if (truth.length * count !== probability.length) {
    throw new RangeError(
      `metrics: truth has ${truth.length} pixels but probability has ${probability.length / count} of ${count} classes`,
    );
  }
  const predicted = mostLikely(probability, count);
  const figures = classes.map((_, k) => {
    const isTrue = new Uint8Array(truth.length);
    const isPredicted = new Float32Array(truth.length);
    const own = new Float32Array(truth.length);
    for (let pixel = 0; pixel < truth.length; pixel++) {
      isTrue[pixel] = truth[pixel] === k ? 1 : 0;
      isPredicted[pixel] = predicted[pixel] === k ? 1 : 0;
      own[pixel] = probability[pixel * count + k];
    }
    const counts = confusion({ probability: isPredicted, truth: isTrue, fieldOfView });
    return {
      ...metricsFromConfusion(counts),
      auc: rocAuc({ probability: own, truth: isTrue, fieldOfView }),
    };
  });
  return {
    byClass: Object.fromEntries(classes.map((name, k) => [name, figures[k]])),
    mean: macroAverage(figures.slice(1)),
  };
}

// How good a segmentation is. All figures come from one count of pixels at a threshold, and the AUC from the order of
// the probabilities.
//
// Papers differ in what they report, so both readings of each choice are here: over the full frame or inside the
// field of view; `macro`, the mean of the images' figures, or `micro`, the figures of all pixels pooled.

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

/** Counts pixels; `probability >= threshold` is a prediction of vessel. */
export function confusion(prediction: Prediction, threshold = DEFAULT_THRESHOLD): Confusion {
  expectSizes(prediction);
  const { probability, truth, fieldOfView } = prediction;
  // counts[2 * truth + predicted]
  const counts = [0, 0, 0, 0];
  for (let i = 0; i < probability.length; i++) {
    if (fieldOfView !== undefined && fieldOfView[i] === 0) continue;
    counts[2 * (truth[i] === 0 ? 0 : 1) + (probability[i] >= threshold ? 1 : 0)]++;
  }
  const [trueNegatives, falsePositives, falseNegatives, truePositives] = counts;
  return { truePositives, falsePositives, trueNegatives, falseNegatives };
}

/** The six figures that follow from counts. A ratio of nothing to nothing is `NaN`, MCC without contrast is 0. */
export function metricsFromCounts(counts: Confusion): Omit<Metrics, "auc"> {
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
 * @example
 * const truth = [0, 1, 0, 1];
 * console.log(rocAuc({ probability: new Float32Array([0.1, 0.4, 0.4, 0.8]), truth })); // 0.875
 */
export function rocAuc(prediction: Prediction): number {
  expectSizes(prediction);
  const keys = sortedKeys(prediction);
  let negativesBelow = 0;
  let positives = 0;
  // Twice the number of (positive, negative) pairs in the right order: ties count 1.
  let twiceOrdered = 0;
  for (let i = 0; i < keys.length; ) {
    const score = keys[i] >>> 1;
    let tiedNegatives = 0;
    let tiedPositives = 0;
    for (; i < keys.length && keys[i] >>> 1 === score; i++) {
      if (keys[i] & 1) tiedPositives++;
      else tiedNegatives++;
    }
    twiceOrdered += tiedPositives * (2 * negativesBelow + tiedNegatives);
    negativesBelow += tiedNegatives;
    positives += tiedPositives;
  }
  return twiceOrdered / (2 * positives * negativesBelow);
}

/**
 * Every counted pixel as one integer, ascending: the bits of its probability (which are in numerical order for
 * floats that are not negative, and fit 30 bits up to 1.0), then its truth.
 */
function sortedKeys({ probability, truth, fieldOfView }: Prediction): Uint32Array {
  const bits = new Uint32Array(probability.buffer, probability.byteOffset, probability.length);
  const keys = new Uint32Array(probability.length);
  let count = 0;
  for (let i = 0; i < keys.length; i++) {
    if (fieldOfView !== undefined && fieldOfView[i] === 0) continue;
    if (!(probability[i] >= 0 && probability[i] <= 1)) {
      throw new RangeError(
        `rocAuc: probability must lie between 0 and 1 but is ${probability[i]} at pixel ${i}`,
      );
    }
    // + 0 turns the bits of -0 into those of 0.
    keys[count++] = ((probability[i] === 0 ? 0 : bits[i]) << 1) | (truth[i] === 0 ? 0 : 1);
  }
  return radixSort(keys.subarray(0, count));
}

const DIGIT_BITS = 11;

/** Sorts 32-bit integers in three passes of 11 bits: linear time, 8 million keys in a fraction of a second. */
function radixSort(keys: Uint32Array): Uint32Array {
  let from = keys;
  let to: Uint32Array = new Uint32Array(keys.length);
  for (let shift = 0; shift < 32; shift += DIGIT_BITS) {
    const starts = new Uint32Array((1 << DIGIT_BITS) + 1);
    const digit = (key: number) => (key >>> shift) & ((1 << DIGIT_BITS) - 1);
    for (const key of from) starts[digit(key) + 1]++;
    for (let i = 1; i < starts.length; i++) starts[i] += starts[i - 1];
    for (const key of from) to[starts[digit(key)]++] = key;
    [from, to] = [to, from];
  }
  return from;
}

/** All seven figures of one picture. */
export function evaluate(prediction: Prediction, threshold = DEFAULT_THRESHOLD): Metrics {
  return { ...metricsFromCounts(confusion(prediction, threshold)), auc: rocAuc(prediction) };
}

/** The mean of each figure over images; figures that an image does not have are left out of its mean. */
export function macroAverage(images: readonly Metrics[]): Metrics {
  const average = (name: keyof Metrics): number => {
    const defined = images.map((image) => image[name]).filter((value) => !Number.isNaN(value));
    return defined.reduce((sum, value) => sum + value, 0) / defined.length;
  };
  return Object.fromEntries(METRIC_NAMES.map((name) => [name, average(name)])) as unknown as Metrics;
}

/** The figures of all pixels of all images pooled. */
export function microAverage(predictions: readonly Prediction[], threshold = DEFAULT_THRESHOLD): Metrics {
  const counted = predictions.map(({ probability, truth, fieldOfView }) => {
    const inside = (_: unknown, i: number) => fieldOfView === undefined || fieldOfView[i] !== 0;
    return { probability: probability.filter(inside), truth: Uint8Array.from(truth).filter(inside) };
  });
  const pooled = {
    probability: new Float32Array(counted.reduce((sum, { probability }) => sum + probability.length, 0)),
    truth: new Uint8Array(counted.reduce((sum, { truth }) => sum + truth.length, 0)),
  };
  let at = 0;
  for (const { probability, truth } of counted) {
    pooled.probability.set(probability, at);
    pooled.truth.set(truth, at);
    at += probability.length;
  }
  return evaluate(pooled, threshold);
}

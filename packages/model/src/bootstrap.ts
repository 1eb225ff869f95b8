// How far an average over a few images would move with other images: the percentile bootstrap (Efron, Annals of Statistics
// 7(1), 1979). Images are drawn with replacement, not pixels: pixels of one eye are not independent of each other.

import { draw, randomState } from "@saunet/core";
import {
  type ByRegion,
  type Confusion,
  METRIC_NAMES,
  type Metrics,
  macroAverage,
  metricsFromConfusion,
  type Prediction,
  sumConfusions,
} from "./metrics.ts";

/** What an image contributes to averages and to their intervals. */
export interface ImageSummary {
  readonly metrics: Metrics;
  readonly counts: Confusion;
  /** {@link levelsOf} its prediction; left out where that is a mask, which has no AUC. */
  readonly levels?: Uint32Array | undefined;
}

/** Lower and upper end for each figure; `NaN` where the figure is not defined. */
export type Intervals = Readonly<Record<keyof Metrics, readonly [low: number, high: number]>>;

/** How to draw. */
export interface BootstrapOptions {
  /** 1000 when left out. */
  readonly resamples?: number;
  /** 1 when left out; equal seeds give equal intervals. */
  readonly seed?: number;
  /** The share of resamples within the interval; 0.95 when left out. */
  readonly level?: number;
}

/**
 * Intervals for the averages of images, `macro` (mean of the images' figures) and `micro` (figures of all pixels
 * pooled). Undefined for fewer than two images, which say nothing about others.
 *
 * The AUC of pooled pixels is taken from {@link levelsOf} here, within 1e-6 of the exact one on a photograph and far below
 * the width of any interval; sorting hundreds of millions of pixels a thousand times would take hours.
 *
 * @example
 * const images = [[1, 0], [1, 1]].map((truth) => {
 *   const prediction = { probability: new Float32Array([0.9, 0.2]), truth };
 *   return { metrics: evaluate(prediction), counts: confusion(prediction), levels: levelsOf(prediction).full };
 * });
 * console.log(bootstrapIntervals(images)?.macro.accuracy); // [ 0.5, 1 ]
 */
export function bootstrapIntervals(
  images: readonly ImageSummary[],
  { resamples = 1000, seed = 1, level = 0.95 }: BootstrapOptions = {},
): { readonly macro: Intervals; readonly micro: Intervals } | undefined {
  if (images.length < 2) return undefined;
  const random = randomState(seed);
  const macro: Metrics[] = [];
  const micro: Metrics[] = [];
  for (let i = 0; i < resamples; i++) {
    const drawn = images.map(() => images[Math.floor(draw(random) * images.length)]);
    macro.push(macroAverage(drawn.map(({ metrics }) => metrics)));
    micro.push({
      ...metricsFromConfusion(sumConfusions(drawn.map(({ counts }) => counts))),
      auc: areaOfLevels(drawn.flatMap(({ levels }) => levels ?? [])),
    });
  }
  return { macro: intervals(macro, level), micro: intervals(micro, level) };
}

function intervals(resamples: readonly Metrics[], level: number): Intervals {
  const interval = (name: keyof Metrics) => {
    const values = Float64Array.from(
      resamples.map((resample) => resample[name]).filter((value) => !Number.isNaN(value)),
    );
    values.sort();
    return [quantile(values, (1 - level) / 2), quantile(values, (1 + level) / 2)] as const;
  };
  return Object.fromEntries(METRIC_NAMES.map((name) => [name, interval(name)])) as unknown as Intervals;
}

/** Between the two values that stand next to a share of all. */
function quantile(sorted: Float64Array, share: number): number {
  if (sorted.length === 0) return Number.NaN;
  const place = share * (sorted.length - 1);
  const low = sorted[Math.floor(place)];
  return low + (sorted[Math.ceil(place)] - low) * (place % 1);
}

/** Levels, even in the logarithm of the odds: a network's probabilities crowd at both ends. */
const LEVELS = 1024;
/** Odds beyond e^20 share the last level, and so do those below e^-20 the first. */
const RANGE = 20;

/**
 * Counts of background (even places) and vessel pixels (odd places) by level of probability, from low to high, over the
 * full frame and inside the field of view.
 *
 * @example
 * const { full } = levelsOf({ probability: Float32Array.of(0.9, 0.2), truth: Uint8Array.of(1, 0) });
 * console.log(full.reduce((pixels, count) => pixels + count)); // 2
 */
export function levelsOf({ probability, truth, fieldOfView }: Prediction): ByRegion<Uint32Array> {
  const outside = new Uint32Array(2 * LEVELS);
  const fov = new Uint32Array(2 * LEVELS);
  for (let i = 0; i < probability.length; i++) {
    const odds = Math.log(probability[i] / (1 - probability[i]));
    const level = Math.floor(((odds + RANGE) / (2 * RANGE)) * LEVELS);
    const place = 2 * Math.min(LEVELS - 1, Math.max(0, level)) + (truth[i] === 0 ? 0 : 1);
    if (fieldOfView !== undefined && fieldOfView[i] === 0) outside[place]++;
    else fov[place]++;
  }
  return { full: outside.map((count, place) => count + fov[place]), fov };
}

function areaOfLevels(images: readonly Uint32Array[]): number {
  let [negatives, positives, ordered] = [0, 0, 0];
  for (let level = 0; level < 2 * LEVELS; level += 2) {
    let [tiedNegatives, tiedPositives] = [0, 0];
    for (const counts of images) {
      tiedNegatives += counts[level];
      tiedPositives += counts[level + 1];
    }
    ordered += tiedPositives * (negatives + tiedNegatives / 2);
    negatives += tiedNegatives;
    positives += tiedPositives;
  }
  return ordered / (positives * negatives);
}

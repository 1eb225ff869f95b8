// An evaluation for tests of what is said of one: each of its figures is another number.

import { type Intervals, METRIC_NAMES, type Metrics } from "@saunet/model";
import type { Comparison, ImageFigures } from "./evaluation.ts";
import { FIELD_NAMES, type FieldMean } from "./field-figures.ts";
import type { Evaluation } from "./figures.ts";

const named = <T>(names: readonly string[], of: (i: number) => T) =>
  Object.fromEntries(names.map((name, i) => [name, of(i)]));

/** F1 is `first`; each of the others a hundredth more than the one before. */
export const metricsFrom = (first: number) =>
  named(METRIC_NAMES, (i) => first + i / 100) as unknown as Metrics;

/** From `first` on: a tenth wide. */
const intervalsFrom = (first: number) =>
  named(METRIC_NAMES, (i) => [first + i / 100, first + i / 100 + 0.1]) as unknown as Intervals;

const fieldFrom = (first: number) => named(FIELD_NAMES, (i) => first + i) as unknown as FieldMean;

const imageOf = (id: string, first: number): ImageFigures => ({
  id,
  full: metricsFrom(first),
  fov: metricsFrom(first + 0.5),
});

/** The network against the first observer, of two images. */
export const network: Comparison = {
  ...{ prediction: "network", truth: "1st", threshold: 0.4 },
  images: [imageOf("a", 0.11), imageOf("b", 0.21)],
  macro: { full: metricsFrom(0.31), fov: metricsFrom(0.32) },
  micro: { full: metricsFrom(0.33), fov: metricsFrom(0.34) },
  intervals: {
    full: { macro: intervalsFrom(0.35), micro: intervalsFrom(0.36) },
    fov: { macro: intervalsFrom(0.37), micro: intervalsFrom(0.38) },
  },
  field: {
    images: [
      { ...fieldFrom(1), id: "a" },
      { ...fieldFrom(2), id: "b" },
    ],
    mean: { clDice: 0.7, pieces: 1.2, missed: 3.4, spurious: 5.6, ece: 0.01 },
    intervals: { clDice: [0.65, 0.75], pieces: [1.1, 1.3] },
    pooled: {
      error: 0.0123,
      bins: [
        { pixels: 4, vessels: 1, probabilities: 2 },
        { pixels: 0, vessels: 0, probabilities: 0 },
        { pixels: 10, vessels: 10, probabilities: 9 },
      ],
    },
  },
};

/** The second observer against the first: masks, which have no threshold and no probabilities, of one image. */
export const people: Comparison = {
  ...{ prediction: "2nd", truth: "1st", threshold: null },
  images: [imageOf("a", 0.61)],
  macro: { full: metricsFrom(0.71), fov: metricsFrom(0.72) },
  micro: { full: metricsFrom(0.73), fov: metricsFrom(0.74) },
  intervals: { full: null, fov: null },
  field: {
    images: [{ ...fieldFrom(3), id: "a" }],
    mean: { clDice: 0.8, pieces: 1, missed: 2, spurious: 3, ece: Number.NaN },
    intervals: {},
    pooled: null,
  },
};

/** Both of them. */
export const evaluation: Evaluation = {
  ...{ dataset: "chase", data: "/pictures/CHASE_DB1", split: "test", weights: "run/best.safetensors" },
  ...{ tta: false, comparisons: [network, people], images: 2, failed: [] },
  seconds: { segmentation: 12.34, figures: 130 },
};

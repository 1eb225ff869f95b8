// The public list.

export * from "./attention.ts";
export * from "./average.ts";
export * from "./bootstrap.ts";
export * from "./calibration.ts";
export * from "./checkpoint.ts";
export * from "./config.ts";
export { DivergedError } from "./diverged.ts";
export { type FileKind, fileKind, nameOfKind } from "./file-kind.ts";
export * from "./inference.ts";
export * from "./inspect.ts";
export * from "./load-weights.ts";
export * from "./losses.ts";
export {
  type ByRegion,
  type ClassMetrics,
  type ClassPrediction,
  type Confusion,
  confusion,
  DEFAULT_THRESHOLD,
  evaluate,
  evaluateClasses,
  METRIC_NAMES,
  METRIC_TITLES,
  type Metrics,
  macroAverage,
  metricsFromConfusion,
  microAverage,
  mostLikely,
  type Prediction,
  REGIONS,
  rocAuc,
  sumConfusions,
} from "./metrics.ts";
export * from "./network.ts";
export * from "./parameters.ts";
export { maskOf, padFloats, type SegmentOptions } from "./photograph-runner.ts";
export * from "./reliability.ts";
export * from "./roc.ts";
export * from "./scale.ts";
export * from "./segmenter.ts";
export * from "./test-time.ts";
export * from "./threshold.ts";
export * from "./train.ts";
export * from "./weights.ts";

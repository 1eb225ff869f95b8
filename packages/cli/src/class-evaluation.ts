// How well a network tells classes apart: the seven figures of each class against all others, and their mean.

import {
  type ByRegion,
  type ClassMetrics,
  type ClassSegmenter,
  evaluateClasses,
  METRIC_NAMES,
  type Metrics,
  macroAverage,
  REGIONS,
  type SegmentOptions,
} from "@saunet/model";
import { csvRows, fourDigits, REGION_TITLES } from "./figures.ts";
import { counted, duration, secondsSince, table } from "./output.ts";
import type { SyntheticSample } from "./synthetic-samples.ts";
import { printable } from "./terminal.ts";

/** The figures of one picture. */
export type ClassFigures = ByRegion<ClassMetrics> & { readonly id: string };

/** What was found over all pictures. */
export interface ClassEvaluation {
  readonly dataset: "synthetic";
  readonly weights: string;
  readonly classes: readonly string[];
  readonly images: readonly ClassFigures[];
  /** The mean of the pictures' figures. */
  readonly macro: ByRegion<ClassMetrics>;
  /** That segmentation took. */
  readonly seconds: number;
}

/** Segments a picture and holds it against its true classes. */
export async function evaluateSample(
  segmenter: ClassSegmenter,
  sample: SyntheticSample,
  options: Omit<SegmentOptions, "threshold">,
): Promise<{ readonly figures: ClassFigures; readonly seconds: number }> {
  const photograph = await sample.image();
  const start = performance.now();
  const { probability } = await segmenter.segment(photograph, options);
  const seconds = secondsSince(start);
  const truth = sample.classes(segmenter.classes).data;
  const fieldOfView = (await sample.fieldOfView()).data;
  const figures = {
    id: sample.id,
    full: evaluateClasses({ probability, truth }, segmenter.classes),
    fov: evaluateClasses({ probability, truth, fieldOfView }, segmenter.classes),
  };
  return { figures, seconds };
}

/** The mean of the pictures' figures, class by class. */
export function macroOf(
  images: readonly ClassFigures[],
  classes: readonly string[],
): ClassEvaluation["macro"] {
  const [full, fov] = REGIONS.map((region) => {
    const figures = images.map((image) => image[region]);
    const byClass = classes.map((name) => [name, macroAverage(figures.map((each) => each.byClass[name]))]);
    return { byClass: Object.fromEntries(byClass), mean: macroAverage(figures.map(({ mean }) => mean)) };
  });
  return { full, fov };
}

/** An evaluation in words and a table. */
export function describeClasses({ images, weights, classes, macro, seconds }: ClassEvaluation): string {
  const figures = (metrics: Metrics) => METRIC_NAMES.map((name) => fourDigits(metrics[name]));
  const rows = REGIONS.flatMap((region) => [
    ...classes.map((name, at) => [
      at === 0 ? REGION_TITLES[region] : "",
      name,
      ...figures(macro[region].byClass[name]),
    ]),
    ["", `mean without ${classes[0]}`, ...figures(macro[region].mean)],
  ]);
  return (
    `${counted(images.length, "synthetic image")}, weights ${printable(weights)}, macro averages; segmentation took ${duration(seconds)}\n\n` +
    `each class against all others\n${table([["pixels", "class", ...METRIC_NAMES], ...rows])}\n`
  );
}

/** A line for each picture and class. */
export function csvOfClasses({ images, classes }: ClassEvaluation): string {
  const columns = REGIONS.flatMap((region) => METRIC_NAMES.map((name) => ({ region, name })));
  const rows = images.flatMap((image) =>
    classes.map((of) => [
      image.id,
      of,
      ...columns.map(({ region, name }) => image[region].byClass[of][name]),
    ]),
  );
  return csvRows([["id", "class", ...columns.map(({ region, name }) => `${region}_${name}`)], ...rows]);
}

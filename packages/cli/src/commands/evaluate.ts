// saunet evaluate: how well a network's vessels agree with those drawn by hand.

import { type DatasetKind, readDataset, type Sample, type Split } from "@saunet/data/files";
import { type Intervals, METRIC_NAMES, type Metrics, REGIONS, segmentWithFlips } from "@saunet/model";
import { DONE, explain, FAILED, UsageError, WorkError } from "../errors.ts";
import {
  type Comparison,
  type EvaluatedImage,
  fitThresholdOn,
  type Seconds,
  type Segment,
  startEvaluation,
} from "../evaluation.ts";
import { BUNDLED, openSegmenter, withFile, writeFile } from "../files.ts";
import { duration, type Host, type Progress, progress, secondsSince, table, writeJson } from "../output.ts";

/** Options of `saunet evaluate`. */
export interface EvaluateOptions {
  readonly dataset: DatasetKind;
  readonly data: string;
  readonly split?: Split;
  readonly csv?: string;
  readonly weights?: string;
  readonly threshold: number;
  readonly fitThreshold?: boolean;
  readonly tta?: boolean;
  readonly padTo?: number;
  readonly maxPixels: number;
  readonly json?: boolean;
}

/** What an evaluation found. */
export interface Evaluation {
  readonly dataset: DatasetKind;
  readonly data: string;
  readonly split: Split;
  readonly weights: string;
  /** Whether the network saw each photograph mirrored too. */
  readonly tta: boolean;
  /** The threshold that `--fit-threshold` found on the training images, and the mean F1 there. */
  readonly fitted?: { readonly threshold: number; readonly f1: number; readonly images: number };
  /** The network against the reference first. */
  readonly comparisons: readonly Comparison[];
  readonly seconds: Seconds;
  /** Images of the part, those that failed included. */
  readonly images: number;
  readonly failed: readonly { readonly id: string; readonly error: string }[];
}

/** Evaluates a network on a data set. */
export async function evaluate(options: EvaluateOptions, host: Host): Promise<number> {
  const evaluation = await evaluateDataset(options, host);
  if (options.json) writeJson(host, jsonOf(evaluation, options.threshold));
  else host.stdout.write(`\n${describe(evaluation)}`);
  if (options.csv !== undefined) await writeFile(host, options.csv, csvOf(evaluation.comparisons));
  return evaluation.failed.length === 0 ? DONE : FAILED;
}

/**
 * Evaluates a network on a data set, and tells of each image on the way.
 *
 * @param each is given every image that was evaluated
 * @throws WorkError where no image could be evaluated
 */
export async function evaluateDataset(
  options: EvaluateOptions,
  host: Host,
  each: (image: EvaluatedImage) => Promise<void> = async () => {},
): Promise<Evaluation> {
  const { dataset, data, threshold, weights = BUNDLED, tta = false, json } = options;
  // A plain folder has no parts; elsewhere the training images would flatter the network.
  const split = options.split ?? (dataset === "folder" ? "all" : "test");
  const read = (part: Split) =>
    withFile(host, data, (directory) => readDataset({ kind: dataset, directory, split: part }));
  const samples = await read(split);
  const training = options.fitThreshold ? await trainingPart(options, split, read) : [];
  const segment = await segmentOf(options, host);
  const bar = progress(host, training.length + samples.length);
  const failed: { id: string; error: string }[] = [];
  const fitted =
    training.length === 0 ? undefined : await withFile(host, data, () => fit(training, segment, bar));
  const evaluator = startEvaluation(segment, [threshold, ...(fitted ? [fitted.threshold] : [])]);
  try {
    for (const sample of samples) {
      bar.show(sample.id);
      try {
        const start = performance.now();
        const image = await withFile(host, data, () => evaluator.add(sample));
        if (!json) bar.print(`${lineOf(image)} in ${duration(secondsSince(start))}`);
        await each(image);
      } catch (error) {
        failed.push({ id: sample.id, error: explain(error) });
        bar.warn(`saunet: ${sample.id}: ${explain(error)}`);
      }
      bar.advance(sample.id);
    }
    if (failed.length === samples.length) {
      throw new WorkError(`${data}: none of ${samples.length} images could be evaluated`);
    }
    const found = { dataset, data, split, weights, tta, images: samples.length, failed };
    return { ...found, ...(fitted && { fitted }), ...evaluator.finish() };
  } finally {
    bar.stop();
    evaluator.close();
  }
}

async function segmentOf(options: EvaluateOptions, host: Host): Promise<Segment> {
  const { padTo, maxPixels, tta } = options;
  const segmenter = await openSegmenter(host, options.weights);
  const how = { maxPixels, ...(padTo && { padTo }) };
  return (photograph) =>
    tta ? segmentWithFlips(segmenter, photograph, how) : segmenter.segment(photograph, how);
}

async function trainingPart(
  { dataset }: EvaluateOptions,
  split: Split,
  read: (split: Split) => Promise<Sample[]>,
): Promise<Sample[]> {
  const refuse = (reason: string): never => {
    throw new UsageError(`option '--fit-threshold': ${reason}`);
  };
  if (dataset === "folder") refuse("a plain folder has no training images to fit a threshold to");
  if (split !== "test")
    refuse("a threshold fitted to the training images says nothing on these images themselves");
  return read("train");
}

async function fit(
  training: readonly Sample[],
  segment: Segment,
  bar: Progress,
): Promise<Evaluation["fitted"]> {
  const found = await fitThresholdOn(training, segment, ({ id }) =>
    bar.advance(`fitting the threshold: ${id}`),
  );
  if (found === undefined) throw new WorkError("no training image has a vessel to fit a threshold to");
  return { ...found, images: training.length };
}

const lineOf = ({ id, figures }: EvaluatedImage): string =>
  `${id}: F1 ${four(figures.full.f1)} (field of view ${four(figures.fov.f1)})`;

const four = (figure: number): string => (Number.isNaN(figure) ? "-" : figure.toFixed(4));
const interval = ([low, high]: readonly [number, number]): string =>
  Number.isNaN(low) ? "-" : `${low.toFixed(3)}–${high.toFixed(3)}`;

const TITLES = { full: "full frame", fov: "field of view" } as const;

/** An evaluation in words and tables. */
function describe({ images, failed, fitted, seconds, comparisons, ...of }: Evaluation): string {
  const count = failed.length === 0 ? `${images}` : `${images - failed.length} of ${images}`;
  const lines = [
    `${count} images of ${of.data} (${of.dataset}, ${of.split}), weights ${of.weights}${of.tta ? ", mean over flips" : ""}`,
  ];
  if (fitted) {
    const { threshold, f1 } = fitted;
    lines.push(
      `threshold ${threshold} fitted on ${fitted.images} training images, where it gives F1 ${four(f1)}`,
    );
  }
  lines.push(
    `segmentation took ${duration(seconds.segmentation)}, the figures ${duration(seconds.figures)}; ` +
      "95 % intervals from 1000 draws of the images",
  );
  return [lines.join("\n"), ...comparisons.map(describeComparison)].map((part) => `${part}\n`).join("\n");
}

function describeComparison({ prediction, truth, threshold, macro, micro, intervals }: Comparison): string {
  const title =
    threshold === null
      ? `${prediction} against ${truth}: how far people agree`
      : `${prediction} against ${truth}, threshold ${threshold}`;
  const figures = (metrics: Metrics) => METRIC_NAMES.map((name) => four(metrics[name]));
  const ends = (of: Intervals | undefined) =>
    of === undefined ? [] : [["", "95 %", ...METRIC_NAMES.map((name) => interval(of[name]))]];
  const rows = REGIONS.flatMap((region) => [
    [TITLES[region], "macro", ...figures(macro[region])],
    ...ends(intervals[region]?.macro),
    ["", "micro", ...figures(micro[region])],
    ...ends(intervals[region]?.micro),
  ]);
  return `${title}\n${table([["pixels", "mean", ...METRIC_NAMES], ...rows])}`;
}

/** The network against the reference in front, as it is wanted most; everything else behind it. */
function jsonOf({ comparisons, images: _, failed, ...settings }: Evaluation, threshold: number) {
  const [{ images, macro, micro, intervals }] = comparisons;
  return {
    ...settings,
    threshold,
    images,
    macro,
    micro,
    intervals,
    comparisons,
    ...(failed.length > 0 && { failed }),
  };
}

/** One line an image and comparison. */
function csvOf(comparisons: readonly Comparison[]): string {
  const quoted = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const columns = REGIONS.flatMap((region) => METRIC_NAMES.map((name) => ({ region, name })));
  const heading = [
    "id",
    "prediction",
    "truth",
    "threshold",
    ...columns.map(({ region, name }) => `${region}_${name}`),
  ];
  const rows = comparisons.flatMap(({ prediction, truth, threshold, images }) =>
    images.map((image) => [
      ...[image.id, prediction, truth].map(quoted),
      threshold ?? "",
      // A figure that is not defined, such as the AUC of a truth without vessels, is left empty.
      ...columns.map(({ region, name }) => (Number.isNaN(image[region][name]) ? "" : image[region][name])),
    ]),
  );
  return [heading, ...rows].map((row) => `${row.join(",")}\n`).join("");
}

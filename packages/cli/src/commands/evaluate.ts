// saunet evaluate: how well a network's vessels agree with those drawn by hand.

import { readFile } from "node:fs/promises";
import { photographWarnings } from "@saunet/data";
import { type DatasetKind, readDataset, type Sample, type Split } from "@saunet/data/files";
import {
  classSegmenterOf,
  DEFAULT_THRESHOLD,
  type Scale,
  type Segmenter,
  segmenterOf,
  segmentWithFlips,
  type Weights,
} from "@saunet/model";
import { openCalibration } from "../calibrations.ts";
import {
  type ClassEvaluation,
  type ClassFigures,
  csvOfClasses,
  describeClasses,
  evaluateSample,
  macroOf,
} from "../class-evaluation.ts";
import { throwIfAsked, untilAsked } from "../ending.ts";
import { DONE, explain, FAILED, UsageError, WorkError } from "../errors.ts";
import { type EvaluatedImage, fitThresholdOn, type Segment, startEvaluation } from "../evaluation.ts";
import { csvOf, describeEvaluation, type Evaluation, fourDigits, jsonOf } from "../figures.ts";
import { BUNDLED, openNetwork, sha256, withFile, writeFile } from "../files.ts";
import {
  complain,
  counted,
  doubtsOf,
  duration,
  type Host,
  type Progress,
  print,
  progress,
  secondsSince,
  writeJson,
} from "../output.ts";
import { filesOfDataset, refuseClashes, weightsFile } from "../outputs.ts";
import { type SyntheticSample, syntheticSamples } from "../synthetic-samples.ts";

/** Options of `saunet evaluate`. */
export interface EvaluateOptions {
  readonly dataset: DatasetKind | "synthetic";
  /** Of every data set but synthetic pictures. */
  readonly data?: string;
  /** How many synthetic pictures, and their side in pixels. */
  readonly images?: number;
  readonly pictureSize?: number;
  readonly split?: Split;
  readonly csv?: string;
  readonly weights?: string;
  readonly threshold?: number;
  /** A file of `saunet calibrate`, whose threshold holds. */
  readonly calibration?: string;
  readonly fitThreshold?: boolean;
  readonly tta?: boolean;
  readonly scale?: Scale;
  readonly padTo?: number;
  readonly maxPixels: number;
  readonly json?: boolean;
}

/** Evaluates a network on a data set. */
export async function evaluate(given: EvaluateOptions, host: Host): Promise<number> {
  expectSense(given);
  const network = await openNetwork(host, given.weights);
  const calibration = await openCalibration(given, network, host);
  const options = calibration === undefined ? given : { ...given, threshold: calibration.threshold };
  if (options.csv !== undefined) {
    const { dataset, data = "" } = options;
    const read = dataset === "synthetic" ? [] : await filesOfDataset(host, { dataset, data });
    await refuseClashes(
      host,
      [{ file: options.csv, what: "the figures", option: "--csv" }],
      [
        weightsFile(options.weights),
        ...(given.calibration === undefined ? [] : [given.calibration]),
        ...read,
      ],
    );
  }
  if (network.config.classes !== undefined) return evaluateClasses(network, options, host);
  const segmenter = await withFile(host, options.weights ?? BUNDLED, () => segmenterOf(network));
  const seen: string[] = [];
  const evaluation = await evaluateDataset(options, host, segmenter, async ({ id, file }) => {
    if (calibration === undefined || options.dataset === "synthetic") return;
    if (calibration.sources.includes(sha256(await readFile(file)))) seen.push(id);
  });
  if (seen.length > 0) {
    complain(
      host,
      `warning: the threshold was fitted to ${seen.join(", ")}, so the figures of ${seen.length === 1 ? "this image" : "these images"} flatter`,
    );
  }
  if (options.json) writeJson(host, jsonOf(evaluation));
  else print(host, `\n${describeEvaluation(evaluation)}`);
  if (options.csv !== undefined) await writeFile(host, options.csv, csvOf(evaluation.comparisons));
  return evaluation.failed.length === 0 ? DONE : FAILED;
}

/** Meaningless combinations are errors. */
function expectSense({ dataset, data, split, fitThreshold, images, pictureSize }: EvaluateOptions): void {
  const refuse = (option: string, why: string): never => {
    throw new UsageError(`option '${option}' ${why}`);
  };
  if (dataset === "synthetic") {
    if (data !== undefined) refuse("--data <folder>", "does not go with '--dataset synthetic'");
    if (split !== undefined) refuse("--split <part>", "does not go with '--dataset synthetic'");
    if (fitThreshold) refuse("--fit-threshold", "wants training images, which '--dataset synthetic' has not");
    return;
  }
  if (data === undefined) throw new UsageError("required option '--data <folder>' not specified");
  if (images !== undefined) refuse("--images <n>", "goes with '--dataset synthetic' only");
  if (pictureSize !== undefined) refuse("--picture-size <n>", "goes with '--dataset synthetic' only");
}

/** Evaluates a network that tells classes apart, on synthetic pictures. */
async function evaluateClasses(network: Weights, options: EvaluateOptions, host: Host): Promise<number> {
  const { dataset, weights = BUNDLED, json = false, threshold, tta, maxPixels, padTo, scale, csv } = options;
  const segmenter = classSegmenterOf(network);
  const { classes } = segmenter;
  if (dataset !== "synthetic") {
    throw new WorkError(
      `${weights}: tells classes apart (${classes.join(", ")}), which masks of vessels do not; --dataset synthetic does`,
    );
  }
  if (threshold !== undefined) throw new UsageError(`option '--threshold <p>' ${NO_CLASSES}`);
  if (tta) throw new UsageError(`option '--tta' ${NO_CLASSES}`);
  const samples = synthetic(options);
  const how = { maxPixels, ...(padTo && { padTo }), ...(scale && { scale }) };
  const images: ClassFigures[] = [];
  let seconds = 0;
  const bar = progress(host, samples.length);
  try {
    await untilAsked(host, async (signal) => {
      for (const [done, sample] of samples.entries()) {
        throwIfAsked(
          signal,
          () => `evaluated ${done} of ${counted(samples.length, "image")}, nothing was written`,
        );
        bar.show(sample.id);
        const found = await evaluateSample(segmenter, sample, how);
        images.push(found.figures);
        seconds += found.seconds;
        if (!json) bar.print(`${sample.id}: mean F1 ${fourDigits(found.figures.full.mean.f1)}`);
        bar.advance(sample.id);
      }
    });
  } finally {
    bar.stop();
    segmenter.release();
  }
  const macro = macroOf(images, classes);
  const evaluation: ClassEvaluation = { dataset, weights, classes, images, macro, seconds };
  if (json) writeJson(host, evaluation);
  else print(host, `\n${describeClasses(evaluation)}`);
  if (csv !== undefined) await writeFile(host, csv, csvOfClasses(evaluation));
  return DONE;
}

const NO_CLASSES = "does not go with weights that tell classes apart";

const synthetic = ({ images = 10, pictureSize = 592 }: EvaluateOptions): SyntheticSample[] =>
  syntheticSamples(images, pictureSize);

/**
 * Evaluates a network on a data set, and tells of each image on the way.
 *
 * @param each is given every image that was evaluated, and how many there are
 * @throws WorkError where no image could be evaluated, EndedError where the command was asked to end before the last
 */
export async function evaluateDataset(
  options: EvaluateOptions,
  host: Host,
  segmenter: Segmenter,
  each: (image: EvaluatedImage, images: number) => Promise<void> = async () => {},
): Promise<Evaluation> {
  return untilAsked(host, (signal) => evaluateUntil(signal, options, host, segmenter, each));
}

async function evaluateUntil(
  signal: AbortSignal,
  options: EvaluateOptions,
  host: Host,
  segmenter: Segmenter,
  each: (image: EvaluatedImage, images: number) => Promise<void>,
): Promise<Evaluation> {
  const { dataset, data = "synthetic pictures", weights = BUNDLED, tta = false, json, maxPixels } = options;
  const { threshold = DEFAULT_THRESHOLD } = options;
  // A plain folder has no parts; elsewhere the training images would flatter the network.
  const split = options.split ?? (dataset === "folder" ? "all" : "test");
  const read = async (part: Split): Promise<Sample[]> =>
    dataset === "synthetic"
      ? synthetic(options)
      : withFile(host, data, (directory) =>
          readDataset({ kind: dataset, directory, split: part, maxPixels }),
        );
  const samples = await read(split);
  const training = options.fitThreshold ? await trainingPart(options, split, read) : [];
  const segment = segmentOf(options, segmenter);
  const bar = progress(host, training.length + samples.length);
  const failed: { id: string; error: string }[] = [];
  const fitted =
    training.length === 0 ? undefined : await withFile(host, data, () => fit(training, segment, bar));
  const evaluator = startEvaluation(segment, [threshold, ...(fitted ? [fitted.threshold] : [])]);
  try {
    for (const [done, sample] of samples.entries()) {
      throwIfAsked(
        signal,
        () => `evaluated ${done} of ${counted(samples.length, "image")}, nothing was written`,
      );
      bar.show(sample.id);
      const start = performance.now();
      const image = await withFile(host, data, () => evaluator.add(sample)).catch((error: unknown) => {
        failed.push({ id: sample.id, error: explain(error) });
        bar.warn(`${sample.id}: ${explain(error)}`);
        return undefined;
      });
      if (image !== undefined) {
        const warnings = photographWarnings(image.photograph, image.fieldOfView);
        if (warnings.length > 0) bar.warn(doubtsOf(image.id, warnings));
        if (!json) bar.print(`${lineOf(image)} in ${duration(secondsSince(start))}`);
        await each(image, samples.length);
      }
      bar.advance(sample.id);
    }
    if (failed.length === samples.length) {
      throw new WorkError(`${data}: no image could be evaluated`);
    }
    const found = { dataset, data, split, weights, tta, images: samples.length, failed };
    return { ...found, ...(fitted && { fitted }), ...evaluator.finish() };
  } finally {
    bar.stop();
    evaluator.close();
  }
}

function segmentOf({ scale, padTo, maxPixels, tta }: EvaluateOptions, segmenter: Segmenter): Segment {
  const how = { maxPixels, ...(padTo && { padTo }), ...(scale && { scale }) };
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
  `${id}: F1 ${fourDigits(figures.full.f1)} (field of view ${fourDigits(figures.fov.f1)})`;

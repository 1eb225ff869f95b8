// saunet evaluate: how well a network's vessels agree with those drawn by hand.

import { type DatasetKind, readDataset, type Sample, type Split } from "@saunet/data/files";
import { type Scale, segmentWithFlips } from "@saunet/model";
import { throwIfAsked, untilAsked } from "../ending.ts";
import { DONE, explain, FAILED, UsageError, WorkError } from "../errors.ts";
import { type EvaluatedImage, fitThresholdOn, type Segment, startEvaluation } from "../evaluation.ts";
import { csvOf, describeEvaluation, type Evaluation, fourDigits, jsonOf } from "../figures.ts";
import { BUNDLED, openSegmenter, withFile, writeFile } from "../files.ts";
import { duration, type Host, type Progress, print, progress, secondsSince, writeJson } from "../output.ts";
import { filesOfDataset, refuseClashes, weightsFile } from "../outputs.ts";

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
  readonly scale?: Scale;
  readonly padTo?: number;
  readonly maxPixels: number;
  readonly json?: boolean;
}

/** Evaluates a network on a data set. */
export async function evaluate(options: EvaluateOptions, host: Host): Promise<number> {
  if (options.csv !== undefined) {
    await refuseClashes(
      host,
      [{ file: options.csv, what: "the figures", option: "--csv" }],
      [weightsFile(options.weights), ...(await filesOfDataset(host, options))],
    );
  }
  const evaluation = await evaluateDataset(options, host);
  if (options.json) writeJson(host, jsonOf(evaluation));
  else print(host, `\n${describeEvaluation(evaluation)}`);
  if (options.csv !== undefined) await writeFile(host, options.csv, csvOf(evaluation.comparisons));
  return evaluation.failed.length === 0 ? DONE : FAILED;
}

/**
 * Evaluates a network on a data set, and tells of each image on the way.
 *
 * @param each is given every image that was evaluated, and how many there are
 * @throws WorkError where no image could be evaluated, EndedError where the command was asked to end before the last
 */
export async function evaluateDataset(
  options: EvaluateOptions,
  host: Host,
  each: (image: EvaluatedImage, images: number) => Promise<void> = async () => {},
): Promise<Evaluation> {
  return untilAsked(host, (signal) => evaluateUntil(signal, options, host, each));
}

async function evaluateUntil(
  signal: AbortSignal,
  options: EvaluateOptions,
  host: Host,
  each: (image: EvaluatedImage, images: number) => Promise<void>,
): Promise<Evaluation> {
  const { dataset, data, threshold, weights = BUNDLED, tta = false, json, maxPixels } = options;
  // A plain folder has no parts; elsewhere the training images would flatter the network.
  const split = options.split ?? (dataset === "folder" ? "all" : "test");
  const read = (part: Split) =>
    withFile(host, data, (directory) => readDataset({ kind: dataset, directory, split: part, maxPixels }));
  const samples = await read(split);
  const training = options.fitThreshold ? await trainingPart(options, split, read) : [];
  const segment = await segmentOf(options, host);
  const bar = progress(host, training.length + samples.length);
  const failed: { id: string; error: string }[] = [];
  const fitted =
    training.length === 0 ? undefined : await withFile(host, data, () => fit(training, segment, bar));
  const evaluator = startEvaluation(segment, [threshold, ...(fitted ? [fitted.threshold] : [])]);
  try {
    for (const [done, sample] of samples.entries()) {
      throwIfAsked(signal, () => `${done} of ${samples.length} images were evaluated, nothing was written`);
      bar.show(sample.id);
      const start = performance.now();
      const image = await withFile(host, data, () => evaluator.add(sample)).catch((error: unknown) => {
        failed.push({ id: sample.id, error: explain(error) });
        bar.warn(`${sample.id}: ${explain(error)}`);
        return undefined;
      });
      if (image !== undefined) {
        if (!json) bar.print(`${lineOf(image)} in ${duration(secondsSince(start))}`);
        await each(image, samples.length);
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
  const { scale, padTo, maxPixels, tta } = options;
  const segmenter = await openSegmenter(host, options.weights);
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

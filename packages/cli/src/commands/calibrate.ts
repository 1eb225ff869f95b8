// saunet calibrate: the threshold that a camera, or an observer, asks for, from a few labelled photographs.

import { readFile, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { fieldOfView, photographWarnings } from "@saunet/data";
import { type DatasetKind, filesOf, type Split } from "@saunet/data/files";
import {
  type Calibration,
  DEFAULT_THRESHOLD,
  fitCalibration,
  type Scale,
  writeCalibration,
} from "@saunet/model";
import { hashOfWeights } from "../calibrations.ts";
import { throwIfAsked, untilAsked } from "../ending.ts";
import { DONE, UsageError, WorkError } from "../errors.ts";
import { f1CurveOf, type Segment } from "../evaluation.ts";
import { fourDigits } from "../figures.ts";
import { BUNDLED, makeFolder, openSegmenter, sha256, withFile, writeFile } from "../files.ts";
import { labelledSamples } from "../labelled.ts";
import { complain, counted, doubtsOf, type Host, printLine, progress, writeJson } from "../output.ts";
import { refuseClashes, weightsFile } from "../outputs.ts";

/** Options of `saunet calibrate`. */
export interface CalibrateOptions {
  readonly dataset: DatasetKind;
  readonly data: string;
  readonly split?: Split;
  readonly limit?: number;
  readonly observer?: string;
  readonly seed: number;
  readonly out: string;
  readonly weights?: string;
  readonly scale?: Scale;
  readonly maxPixels: number;
  readonly json?: boolean;
}

/** Fits the threshold and writes it. */
export async function calibrate(options: CalibrateOptions, host: Host): Promise<number> {
  const { data, seed, out, weights = BUNDLED, maxPixels, scale, json = false } = options;
  const segmenter = await openSegmenter(host, options.weights);
  const samples = await withFile(host, data, (directory) => labelledSamples(directory, options, seed));
  await refuseClashes(
    host,
    [{ file: out, what: "the calibration", option: "--out" }],
    [weightsFile(options.weights), ...samples.flatMap(filesOf)],
  );
  await makeWritable(out, host);
  const bar = progress(host, samples.length);
  const curves: Float64Array[] = [];
  try {
    await untilAsked(host, async (signal) => {
      for (const [done, sample] of samples.entries()) {
        throwIfAsked(
          signal,
          () => `looked at ${done} of ${counted(samples.length, "photograph")}, nothing was written`,
        );
        bar.show(sample.id);
        const segment: Segment = (photograph) => {
          const field = fieldOfView(photograph);
          const warnings = photographWarnings(photograph, field);
          if (warnings.length > 0) bar.warn(doubtsOf(sample.id, warnings));
          return segmenter.segment(photograph, { maxPixels, fieldOfView: field, ...(scale && { scale }) });
        };
        curves.push(await withFile(host, data, () => f1CurveOf(sample, segment)));
        bar.advance(sample.id);
      }
    });
  } finally {
    bar.stop();
    segmenter.release();
  }
  const found = fitCalibration(curves);
  if (found === undefined) throw new WorkError(`${data}: no photograph has a vessel to fit a threshold to`);
  const sources = await Promise.all(samples.map(async ({ files }) => sha256(await readFile(files.image))));
  const calibration = { ...found, weights: await hashOfWeights(options.weights, host), sources };
  await writeFile(host, out, writeCalibration(calibration));
  for (const warning of found.warnings) complain(host, `warning: ${warning}`);
  if (json) writeJson(host, { ...calibration, weights, files: { calibration: out } });
  else printLine(host, `${lineOf(found)} -> ${out}`);
  return DONE;
}

/** Before all the work, which a file that cannot be written would lose. */
async function makeWritable(file: string, host: Host): Promise<void> {
  const found = await stat(resolve(host.cwd, file)).catch(() => undefined);
  if (found?.isDirectory()) throw new UsageError(`option '--out <file>': ${file} is a folder, not a file`);
  await makeFolder(host, dirname(file));
}

function lineOf({ threshold, photographs, before, fitted, leaveOneOut }: Calibration): string {
  const moved = threshold === DEFAULT_THRESHOLD ? "" : `, ${fourDigits(fitted)} at ${threshold}`;
  const left =
    leaveOneOut === null ? "" : `, ${fourDigits(leaveOneOut.f1)} for each at the threshold of the others`;
  return `threshold ${threshold} of ${counted(photographs, "photograph")}: F1 ${fourDigits(before)} at 0.5${moved}${left}`;
}

// The report of a training run: its log drawn, its weights tested, everything in one file beside them.

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import type { DatasetKind } from "@saunet/data/files";
import { DEFAULT_THRESHOLD, type Segmenter } from "@saunet/model";
import { z } from "zod";
import { evaluateDataset } from "../commands/evaluate.ts";
import { WorkError } from "../errors.ts";
import { jsonOf } from "../figures.ts";
import { openSegmenter, withFile, writeFile } from "../files.ts";
import type { Host } from "../output.ts";
import { filesOfDataset, refuseClashes } from "../outputs.ts";
import { setsSchema } from "../run-config.ts";
import { filesOfRun, REPORT_FILES } from "../run-folder.ts";
import { parseJson, validate } from "../validate.ts";
import { reportPage, type TestedSet } from "./page.ts";
import { drawPictures, pictureWidth, type ReportPictures } from "./pictures.ts";
import { parseTrainingLog } from "./training-log.ts";

/** A data set and where it lies. */
export interface ReportedSet {
  readonly dataset: DatasetKind;
  readonly data: string;
}

/** What a report is made with. */
export interface ReportOptions {
  /** Data sets to test on, each its test images; those that the run learned from when left out. */
  readonly sets?: readonly ReportedSet[];
  /** The run's best weights when left out, or its last ones where none are the best yet. */
  readonly weights?: string;
  readonly threshold?: number;
  readonly fitThreshold?: boolean;
  readonly tta?: boolean;
  readonly maxPixels?: number;
  /** Prints nothing on the way. */
  readonly json?: boolean;
}

/** Paths as the user knows them. */
export interface WrittenReport {
  readonly report: string;
  readonly evaluation: string;
}

/** What was written, and of which images it tells nothing. */
export interface ReportOutcome {
  readonly files: WrittenReport;
  readonly failed: readonly string[];
}

/** Pictures of more images than this would not fit one file. */
const MOST_PICTURES = 48;
const MAX_PIXELS = 10_000_000;

/**
 * Writes report.html, which opens from the disk in any browser, and evaluation.json with the figures in it.
 *
 * @param run the folder of the run, as the user named it
 * @throws WorkError where the folder holds no run, or a data set cannot be read
 */
export async function writeReport(run: string, options: ReportOptions, host: Host): Promise<ReportOutcome> {
  const ofRun = filesOfRun(run);
  const config = await readConfig(host, ofRun.config);
  const log = await withFile(host, ofRun.log, async (path) => parseTrainingLog(await readFile(path, "utf8")));
  const weights = options.weights ?? weightsOf(run, host);
  // A run on synthetic pictures names no data set.
  const sets = options.sets ?? config.sets ?? [];
  const files = { report: join(run, REPORT_FILES.report), evaluation: join(run, REPORT_FILES.evaluation) };
  const data = await Promise.all(sets.map((set) => filesOfDataset(host, set)));
  await refuseClashes(
    host,
    Object.entries(files).map(([what, file]) => ({ file, what: `the ${what}`, option: "run" })),
    [...Object.values(ofRun), weights, ...data.flat()],
  );
  const tested: TestedSet[] = [];
  if (sets.length > 0) {
    const segmenter = await openSegmenter(host, weights);
    for (const set of sets) tested.push(await test(set, segmenter, weights, options, host));
  }
  const figures = tested.map(({ evaluation }) => jsonOf(evaluation));
  await writeFile(host, files.evaluation, `${JSON.stringify({ sets: figures }, undefined, 2)}\n`);
  await writeFile(host, files.report, reportPage({ run, config, log, sets: tested }));
  return { files, failed: tested.flatMap(({ evaluation }) => evaluation.failed.map(({ id }) => id)) };
}

/** What is asked of a config.json here: a report is drawn of runs of other versions too. */
const configSchema = z.looseObject({ sets: setsSchema.exactOptional() });

async function readConfig(host: Host, file: string): Promise<z.infer<typeof configSchema>> {
  return withFile(host, file, async (path) =>
    validate(configSchema, parseJson(await readFile(path, "utf8"))),
  );
}

function weightsOf(run: string, host: Host): string {
  const { best, last } = filesOfRun(run);
  const found = [best, last].find((file) => existsSync(resolve(host.cwd, file)));
  if (found === undefined) {
    throw new WorkError(`${run}: has no weights yet (${basename(best)} or ${basename(last)})`);
  }
  return found;
}

async function test(
  { dataset, data }: ReportedSet,
  segmenter: Segmenter,
  weights: string,
  options: ReportOptions,
  host: Host,
): Promise<TestedSet> {
  const { threshold = DEFAULT_THRESHOLD, maxPixels = MAX_PIXELS, fitThreshold, tta, json } = options;
  const pictures = new Map<string, ReportPictures>();
  const evaluation = await evaluateDataset(
    {
      dataset,
      data,
      weights,
      threshold,
      maxPixels,
      ...(fitThreshold && { fitThreshold }),
      ...(tta && { tta }),
      ...(json && { json }),
    },
    host,
    segmenter,
    async (image, images) => {
      const widest = pictureWidth(Math.min(images, MOST_PICTURES));
      pictures.set(image.id, await drawPictures(image, threshold, widest));
    },
  );
  const shown = spread(evaluation.comparisons[0].images.map(({ id, full }) => ({ id, f1: full.f1 })));
  return { evaluation, pictures: new Map(shown.map((id) => [id, pictures.get(id)!])) };
}

/** So many images as fit, evenly from the lowest F1 to the highest. */
function spread(images: readonly { readonly id: string; readonly f1: number }[]): string[] {
  const ranked = images.toSorted((a, b) => a.f1 - b.f1);
  const count = Math.min(MOST_PICTURES, images.length);
  const step = count < 2 ? 0 : (images.length - 1) / (count - 1);
  return Array.from({ length: count }, (_, i) => ranked[Math.round(i * step)].id);
}

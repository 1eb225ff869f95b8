// saunet segment: photographs in; probability map, mask and overlay out.

import { existsSync } from "node:fs";
import { rm, stat } from "node:fs/promises";
import { join, parse, resolve } from "node:path";
import {
  coverage,
  fieldOfView,
  type Mask,
  overlay,
  type Photograph,
  photographWarnings,
  syntheticFundus,
} from "@saunet/data";
import { encodePng, readPhotograph } from "@saunet/data/files";
import { evaluate, type Scale, type Segmenter } from "@saunet/model";
import { throwIfAsked, untilAsked } from "../ending.ts";
import { DONE, explain, FAILED, UsageError } from "../errors.ts";
import { BUNDLED, makeFolder, openSegmenter, withFile, writeFile } from "../files.ts";
import { duration, type Host, progress, secondsSince, writeJson } from "../output.ts";
import { refuseClashes, weightsFile } from "../outputs.ts";
import { isOwnPicture, markedPng } from "../own-picture.ts";

/** Options of `saunet segment`. */
export interface SegmentCommandOptions {
  readonly out: string;
  readonly weights?: string;
  readonly threshold: number;
  readonly padTo?: number;
  readonly scale?: Scale;
  readonly maxPixels: number;
  /** Whether to write over pictures that this command did not write. */
  readonly overwrite?: boolean;
  readonly json?: boolean;
}

/** A photograph to be segmented; the names of its output files begin with `name`. */
interface Job {
  readonly input: string;
  readonly name: string;
  /** What is written of it. */
  readonly kinds: readonly string[];
  readonly read: () => Promise<{ readonly photograph: Photograph; readonly truth?: Mask }>;
}

/** What came of one photograph. */
interface Result {
  readonly input: string;
  readonly width: number;
  readonly height: number;
  /** The factor by which the network saw the photograph resized. */
  readonly scale: number;
  readonly seconds: number;
  /** Of the field of view. */
  readonly vesselShare: number;
  /** Against the exact truth of the synthetic picture. */
  readonly f1?: number;
  /** What makes the picture look like no fundus photograph. */
  readonly warnings: readonly string[];
  /** Path by kind. */
  readonly files: Readonly<Record<string, string>>;
}

const SYNTHETIC = { name: "synthetic", seed: 1 };

const KINDS = ["probability", "mask", "overlay"] as const;

/** Segments photographs, or the built-in picture where none is named. */
export async function segment(
  images: readonly string[],
  options: SegmentCommandOptions,
  host: Host,
): Promise<number> {
  const { out, threshold, weights = BUNDLED } = options;
  const jobs = images.length === 0 ? [synthetic()] : images.map((image) => job(image, options, host));
  refuseEqualNames(jobs);
  const outputs = jobs.flatMap(({ input, name, kinds }) =>
    kinds.map((kind) => ({
      file: fileOf(out, name, kind),
      what: `the ${kind} of ${input}`,
      option: "--out",
    })),
  );
  await refuseClashes(host, outputs, [...images, weightsFile(options.weights)]);
  if (!options.overwrite) for (const { file } of outputs) await refuseForeign(file, host);
  const segmenter = await openSegmenter(host, options.weights);
  await makeFolder(host, out);

  const results: Result[] = [];
  const failed: { input: string; error: string }[] = [];
  await untilAsked(host, async (signal) => {
    const bar = progress(host, jobs.length);
    try {
      for (const each of jobs) {
        throwIfAsked(signal, () => `${results.length} of ${jobs.length} photographs were segmented`);
        bar.show(each.input);
        try {
          const result = await segmentOne(each, segmenter, options, host);
          results.push(result);
          if (result.warnings.length > 0) bar.warn(warningOf(result));
          if (!options.json) bar.print(lineOf(result));
        } catch (error) {
          failed.push({ input: each.input, error: explain(error) });
          bar.warn(explain(error));
        }
        bar.advance(each.input);
      }
    } finally {
      bar.stop();
    }
  });
  if (options.json) writeJson(host, { images: results, failed, threshold, weights });
  return failed.length === 0 ? DONE : FAILED;
}

function synthetic(): Job {
  return {
    input: SYNTHETIC.name,
    name: SYNTHETIC.name,
    kinds: ["photograph", "truth", ...KINDS],
    read: async () => {
      const { image, vessels } = syntheticFundus({ seed: SYNTHETIC.seed });
      return { photograph: image, truth: vessels };
    },
  };
}

function job(input: string, { maxPixels }: SegmentCommandOptions, host: Host): Job {
  return {
    input,
    name: parse(input).name,
    kinds: KINDS,
    read: () =>
      withFile(host, input, async (path) => ({ photograph: await readPhotograph(path, { maxPixels }) })),
  };
}

/** Two photographs must not end in one file. */
function refuseEqualNames(jobs: readonly Job[]): void {
  const names = new Map<string, string>();
  for (const { input, name } of jobs) {
    // Some file systems do not tell capitals from small letters, or two spellings of one letter in Unicode.
    const key = name.normalize("NFC").toLowerCase();
    const other = names.get(key);
    if (other !== undefined) {
      throw new UsageError(
        `${other} and ${input} would both be written as ${name}-mask.png; segment them into different folders`,
      );
    }
    names.set(key, input);
  }
}

/** A mask beside a photograph may be a day's work of a person. */
async function refuseForeign(file: string, host: Host): Promise<void> {
  const path = resolve(host.cwd, file);
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile() || (await withFile(host, file, isOwnPicture))) return;
  throw new UsageError(
    `${file} is there, and saunet segment did not write it or it was changed since; choose another --out, or --overwrite it`,
  );
}

const fileOf = (out: string, name: string, kind: string): string => join(out, `${name}-${kind}.png`);

async function segmentOne(
  { input, name, read }: Job,
  segmenter: Segmenter,
  { out, threshold, padTo, scale, maxPixels, overwrite = false }: SegmentCommandOptions,
  host: Host,
): Promise<Result> {
  const { photograph, truth } = await read();
  const start = performance.now();
  const {
    width,
    height,
    scale: seenAt,
    probability,
    mask,
  } = await withFile(host, input, () =>
    segmenter.segment(photograph, { threshold, maxPixels, ...(padTo && { padTo }), ...(scale && { scale }) }),
  );
  const seconds = secondsSince(start);
  const field = fieldOfView(photograph);
  const levels = Uint8Array.from(probability, (value) => Math.round(255 * value));
  const files = await writePictures(
    host,
    out,
    name,
    {
      ...(truth && { photograph, truth }),
      probability: { width, height, levels },
      mask,
      overlay: overlay(photograph, mask),
    },
    overwrite,
  );
  return {
    input,
    width,
    height,
    scale: seenAt,
    seconds,
    vesselShare: coverage(mask, field),
    ...(truth && { f1: evaluate({ probability, truth: truth.data }, threshold).f1 }),
    warnings: photographWarnings(photograph, field),
    files,
  };
}

/** Writes all pictures of one photograph. Where that fails, those that replaced nothing go again. */
async function writePictures(
  host: Host,
  out: string,
  name: string,
  pictures: Readonly<Record<string, Parameters<typeof encodePng>[0]>>,
  overwrite: boolean,
): Promise<Result["files"]> {
  const files: Record<string, string> = {};
  const fresh: string[] = [];
  try {
    for (const [kind, picture] of Object.entries(pictures)) {
      const file = fileOf(out, name, kind);
      // A person may have drawn it while others were segmented.
      if (!overwrite) await refuseForeign(file, host);
      const path = resolve(host.cwd, file);
      const isFresh = !existsSync(path);
      await writeFile(host, file, markedPng(await encodePng(picture)));
      if (isFresh) fresh.push(path);
      files[kind] = file;
    }
  } catch (error) {
    for (const path of fresh) await rm(path, { force: true }).catch(() => {});
    throw error;
  }
  return files;
}

const warningOf = ({ input, warnings }: Result): string =>
  `warning: ${input}: ${warnings.join("; ")}. Is it a fundus photograph?`;

function lineOf({ input, width, height, seconds, vesselShare, f1, files }: Result): string {
  const quality = f1 === undefined ? "" : `, F1 ${f1.toFixed(4)} against its exact truth`;
  return (
    `${input}: ${width}x${height} in ${duration(seconds)}, vessels ${(100 * vesselShare).toFixed(1)} % of the ` +
    `field of view${quality} -> ${Object.values(files).join(", ")}`
  );
}

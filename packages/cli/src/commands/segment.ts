// saunet segment: photographs in; probability map, mask and overlay out.

import { rm } from "node:fs/promises";
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
import { readPhotograph, writePng } from "@saunet/data/files";
import { evaluate, type Scale, type Segmenter } from "@saunet/model";
import { DONE, explain, FAILED, UsageError } from "../errors.ts";
import { BUNDLED, makeFolder, openSegmenter, withFile } from "../files.ts";
import { duration, type Host, progress, secondsSince, writeJson } from "../output.ts";

/** Options of `saunet segment`. */
export interface SegmentCommandOptions {
  readonly out: string;
  readonly weights?: string;
  readonly threshold: number;
  readonly padTo?: number;
  readonly scale?: Scale;
  readonly maxPixels: number;
  readonly json?: boolean;
}

/** A photograph to be segmented; the names of its output files begin with `name`. */
interface Job {
  readonly input: string;
  readonly name: string;
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
  refuseClashes(jobs, out, host);
  const segmenter = await openSegmenter(host, options.weights);
  await makeFolder(host, out);

  const results: Result[] = [];
  const failed: { input: string; error: string }[] = [];
  const bar = progress(host, jobs.length);
  try {
    for (const each of jobs) {
      bar.show(each.input);
      try {
        const result = await segmentOne(each, segmenter, options, host);
        results.push(result);
        if (result.warnings.length > 0) bar.warn(warningOf(result));
        if (!options.json) bar.print(lineOf(result));
      } catch (error) {
        failed.push({ input: each.input, error: explain(error) });
        bar.warn(`saunet: ${explain(error)}`);
      }
      bar.advance(each.input);
    }
  } finally {
    bar.stop();
  }
  if (options.json) writeJson(host, { images: results, failed, threshold, weights });
  return failed.length === 0 ? DONE : FAILED;
}

function synthetic(): Job {
  return {
    input: SYNTHETIC.name,
    name: SYNTHETIC.name,
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
    read: () =>
      withFile(host, input, async (path) => ({ photograph: await readPhotograph(path, { maxPixels }) })),
  };
}

/** Two photographs must not end in one file, and no photograph under an output. */
function refuseClashes(jobs: readonly Job[], out: string, host: Host): void {
  const inputs = new Map(jobs.map(({ input }) => [resolve(host.cwd, input), input]));
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
    for (const kind of KINDS) {
      const overwritten = inputs.get(resolve(host.cwd, out, `${name}-${kind}.png`));
      if (overwritten === undefined) continue;
      throw new UsageError(
        `the ${kind} of ${input} would be written over ${overwritten}; choose another --out`,
      );
    }
  }
}

async function segmentOne(
  { input, name, read }: Job,
  segmenter: Segmenter,
  { out, threshold, padTo, scale, maxPixels }: SegmentCommandOptions,
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
  const files = await writePictures(host, out, name, {
    ...(truth && { photograph, truth }),
    probability: { width, height, levels },
    mask,
    overlay: overlay(photograph, mask),
  });
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

/** Writes all pictures of one photograph, or none. */
async function writePictures(
  host: Host,
  out: string,
  name: string,
  pictures: Readonly<Record<string, Parameters<typeof writePng>[1]>>,
): Promise<Result["files"]> {
  const files: Record<string, string> = {};
  try {
    for (const [kind, picture] of Object.entries(pictures)) {
      const file = join(out, `${name}-${kind}.png`);
      await withFile(host, file, (path) => writePng(path, picture));
      files[kind] = file;
    }
  } catch (error) {
    for (const file of Object.values(files)) await rm(resolve(host.cwd, file), { force: true });
    throw error;
  }
  return files;
}

const warningOf = ({ input, warnings }: Result): string =>
  `saunet: warning: ${input}: ${warnings.join("; ")}. Is it a fundus photograph?`;

function lineOf({ input, width, height, seconds, vesselShare, f1, files }: Result): string {
  const quality = f1 === undefined ? "" : `, F1 ${f1.toFixed(4)} against its exact truth`;
  return (
    `${input}: ${width}x${height} in ${duration(seconds)}, vessels ${(100 * vesselShare).toFixed(1)} % of the ` +
    `field of view${quality} -> ${Object.values(files).join(", ")}`
  );
}

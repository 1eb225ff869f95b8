// saunet segment: photographs in; probability map, mask and overlay out, or a map of classes and an overlay.

import { existsSync } from "node:fs";
import { rm, stat } from "node:fs/promises";
import { join, parse, resolve } from "node:path";
import { fieldOfView, photographWarnings, syntheticFundus } from "@saunet/data";
import { readPhotograph } from "@saunet/data/files";
import { DEFAULT_THRESHOLD, type Scale } from "@saunet/model";
import { classMapOf } from "../batches.ts";
import { throwIfAsked, untilAsked } from "../ending.ts";
import { DONE, explain, FAILED, UsageError } from "../errors.ts";
import { BUNDLED, makeFolder, openNetwork, withFile, writeFile } from "../files.ts";
import { duration, type Host, progress, writeJson } from "../output.ts";
import { refuseClashes, weightsFile } from "../outputs.ts";
import { isOwnPicture, markedPng } from "../own-picture.ts";
import { type Painted, type Painter, painterOf, type Subject } from "../segmenting.ts";

/** Options of `saunet segment`. */
export interface SegmentCommandOptions {
  readonly out: string;
  readonly weights?: string;
  readonly threshold?: number;
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
  readonly read: () => Promise<Omit<Subject, "fieldOfView">>;
}

/** What came of one photograph. */
interface Result extends Omit<Painted, "pictures" | "arrays"> {
  readonly input: string;
  /** What makes the picture look like no fundus photograph. */
  readonly warnings: readonly string[];
  /** Path by kind. */
  readonly files: Readonly<Record<string, string>>;
}

const SYNTHETIC = { name: "synthetic", seed: 1 };

/** Segments photographs, or the built-in picture where none is named. */
export async function segment(
  images: readonly string[],
  options: SegmentCommandOptions,
  host: Host,
): Promise<number> {
  const { out, weights = BUNDLED } = options;
  const network = await openNetwork(host, options.weights);
  const { classes: names } = network.config;
  if (names !== undefined && options.threshold !== undefined) {
    throw new UsageError(
      `option '--threshold <p>' does not go with weights that tell classes apart (${names.join(", ")})`,
    );
  }
  const painter = painterOf(network);
  const { kinds } = painter;
  const jobs =
    images.length === 0 ? [synthetic(kinds)] : images.map((image) => job(image, kinds, options, host));
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
          const result = await segmentOne(each, painter, options, host);
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
  if (options.json) {
    const how =
      names === undefined ? { threshold: options.threshold ?? DEFAULT_THRESHOLD } : { classes: names };
    writeJson(host, { images: results, failed, ...how, weights });
  }
  return failed.length === 0 ? DONE : FAILED;
}

function synthetic(kinds: Painter["kinds"]): Job {
  return {
    input: SYNTHETIC.name,
    name: SYNTHETIC.name,
    kinds: ["photograph", "truth", ...kinds],
    read: async () => {
      const fundus = syntheticFundus({ seed: SYNTHETIC.seed });
      return {
        photograph: fundus.image,
        truth: fundus.vessels,
        trueClasses: (names) => classMapOf(fundus, names),
      };
    },
  };
}

function job(input: string, kinds: Painter["kinds"], { maxPixels }: SegmentCommandOptions, host: Host): Job {
  return {
    input,
    name: parse(input).name,
    kinds,
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
  painter: Painter,
  { out, threshold, padTo, scale, maxPixels, overwrite = false }: SegmentCommandOptions,
  host: Host,
): Promise<Result> {
  const subject = await read();
  const { photograph } = subject;
  const field = fieldOfView(photograph);
  const {
    pictures,
    arrays: _,
    ...found
  } = await withFile(host, input, () =>
    painter.paint(
      { ...subject, fieldOfView: field },
      {
        maxPixels,
        ...(threshold !== undefined && { threshold }),
        ...(padTo && { padTo }),
        ...(scale && { scale }),
      },
    ),
  );
  const files = await writePictures(host, out, name, pictures, overwrite);
  return { input, ...found, warnings: photographWarnings(photograph, field), files };
}

/** Writes all pictures of one photograph. Where that fails, those that replaced nothing go again. */
async function writePictures(
  host: Host,
  out: string,
  name: string,
  pictures: Painted["pictures"],
  overwrite: boolean,
): Promise<Result["files"]> {
  const files: Record<string, string> = {};
  const fresh: string[] = [];
  try {
    for (const [kind, encode] of Object.entries(pictures)) {
      const file = fileOf(out, name, kind);
      // A person may have drawn it while others were segmented.
      if (!overwrite) await refuseForeign(file, host);
      const path = resolve(host.cwd, file);
      const isFresh = !existsSync(path);
      await writeFile(host, file, markedPng(await encode()));
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

function lineOf({ input, width, height, seconds, vesselShare, f1, classes, files }: Result): string {
  const quality = (figure: number | undefined) =>
    figure === undefined ? "" : `, F1 ${figure.toFixed(4)} against its exact truth`;
  const percent = (share: number) => `${(100 * share).toFixed(1)} % of the field of view`;
  const found = classes?.map(
    (each) => `${each.name} (${each.colour}) ${percent(each.share)}${quality(each.f1)}`,
  ) ?? [`vessels ${percent(vesselShare)}${quality(f1)}`];
  return `${input}: ${width}x${height} in ${duration(seconds)}, ${found.join("; ")} -> ${Object.values(files).join(", ")}`;
}

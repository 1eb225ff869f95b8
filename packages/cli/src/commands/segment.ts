// saunet segment: photographs in; probability map, mask and overlay out, or a map of classes and an overlay.

import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join, parse, resolve } from "node:path";
import {
  fieldOfView,
  type Mask,
  overlay,
  type Photograph,
  photographWarnings,
  syntheticFundus,
} from "@saunet/data";
import {
  type DicomFacts,
  dicomOverlay,
  dicomSegmentation,
  readDicomFacts,
  readPhotograph,
} from "@saunet/data/files";
import { DEFAULT_THRESHOLD, type Scale } from "@saunet/model";
import { classMapOf } from "../batches.ts";
import { openCalibration } from "../calibrations.ts";
import { throwIfAsked, untilAsked } from "../ending.ts";
import { DONE, explain, FAILED, UsageError } from "../errors.ts";
import { BUNDLED, makeFolder, openNetwork, withFile, writeFile } from "../files.ts";
import { counted, doubtsOf, duration, type Host, progress, secondsSince, writeJson } from "../output.ts";
import { refuseClashes, weightsFile } from "../outputs.ts";
import { markedPng, refuseForeign } from "../own-picture.ts";
import { type Painted, type Painter, painterOf, type Subject } from "../segmenting.ts";

/** Options of `saunet segment`. */
export interface SegmentCommandOptions {
  readonly out: string;
  readonly weights?: string;
  readonly threshold?: number;
  /** A file of `saunet calibrate`, whose threshold holds. */
  readonly calibration?: string;
  readonly padTo?: number;
  readonly scale?: Scale;
  readonly maxPixels: number;
  /** Whether to write DICOM objects, too. */
  readonly dicom?: boolean;
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
  readonly read: () => Promise<Omit<Read, "fieldOfView" | "warnings">>;
}

/** What came of one photograph. */
interface Result extends Omit<Painted, "pictures" | "arrays"> {
  readonly input: string;
  /** What makes the picture look like no fundus photograph. */
  readonly warnings: readonly string[];
  /** What a DICOM file says of the eye. */
  readonly dicom?: DicomFacts;
  /** Path by kind. */
  readonly files: Readonly<Record<string, string>>;
}

/** What `--dicom` adds. */
const DICOM_KINDS = ["segmentation.dcm", "overlay.dcm"];

const SYNTHETIC = { name: "synthetic", seed: 1 };

/** Segments photographs, or the built-in picture where none is named. */
export async function segment(
  images: readonly string[],
  given: SegmentCommandOptions,
  host: Host,
): Promise<number> {
  const start = performance.now();
  const { out, weights = BUNDLED } = given;
  const network = await openNetwork(host, given.weights);
  const calibration = await openCalibration(given, network, host);
  const options = calibration === undefined ? given : { ...given, threshold: calibration.threshold };
  const { classes: names } = network.config;
  if (names !== undefined && options.threshold !== undefined) {
    throw new UsageError(
      `option '--threshold <p>' does not go with weights that tell classes apart (${names.join(", ")})`,
    );
  }
  if (names !== undefined && options.dicom) {
    throw new UsageError("option '--dicom' does not go with weights that tell classes apart");
  }
  if (options.dicom && images.length === 0) {
    throw new UsageError("option '--dicom' refers to DICOM photographs, and none is named");
  }
  const painter = painterOf(network);
  const kinds = [...painter.kinds, ...(options.dicom ? DICOM_KINDS : [])];
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
  const { calibration: file } = given;
  const inputs = [...images, weightsFile(options.weights), ...(file === undefined ? [] : [file])];
  await refuseClashes(host, outputs, inputs);
  if (!options.overwrite) for (const { file } of outputs) await refuseForeign(file, host);
  await makeFolder(host, out);

  const results: Result[] = [];
  const failed: { input: string; error: string }[] = [];
  await untilAsked(host, async (signal) => {
    const bar = progress(host, jobs.length);
    /** Tells what came of one. */
    const finish = async ({ input }: Job, result: Promise<Result>): Promise<void> => {
      try {
        const found = await result;
        results.push(found);
        if (found.warnings.length > 0) bar.warn(doubtsOf(found.input, found.warnings));
        if (!options.json) bar.print(lineOf(found));
      } catch (error) {
        failed.push({ input, error: explain(error) });
        bar.warn(explain(error));
      }
      bar.advance(input);
    };
    const ending = new AbortController();
    const begin = (job: Job) => {
      const subject = read(job);
      return { subject, painted: paint(job, subject, painter, { ...options, signal: ending.signal }, host) };
    };
    // While the network looks at one photograph, the next is read and made ready for it, and the pictures of the last are
    // written.
    let [next, written] = [begin(jobs[0]), Promise.resolve()];
    try {
      for (const [number, each] of jobs.entries()) {
        if (signal.aborted) await written;
        throwIfAsked(signal, () => `segmented ${results.length} of ${counted(jobs.length, "photograph")}`);
        bar.show(each.input);
        const { subject, painted } = next;
        if (number + 1 < jobs.length) next = begin(jobs[number + 1]);
        await Promise.allSettled([painted, written]);
        written = finish(each, write(each, subject, painted, options, host));
      }
      await written;
    } finally {
      ending.abort();
      bar.stop();
    }
  });
  if (options.json) {
    const how =
      names === undefined ? { threshold: options.threshold ?? DEFAULT_THRESHOLD } : { classes: names };
    writeJson(host, { images: results, failed, ...how, weights, seconds: secondsSince(start) });
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
      withFile(host, input, async (path) => ({
        photograph: await readPhotograph(path, { maxPixels }),
        dicom: await readDicomFacts(path),
      })),
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

const fileOf = (out: string, name: string, kind: string): string =>
  join(out, `${name}-${kind}${kind.includes(".") ? "" : ".png"}`);

/** A photograph as it was read, with what makes it look like none. */
interface Read extends Subject {
  readonly warnings: readonly string[];
  /** What a DICOM file says of the eye; none of another file. */
  readonly dicom?: DicomFacts | undefined;
}

/** A promise that may fail long before anybody waits for it, who then hears of it. */
function early<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

function read(job: Job): Promise<Read> {
  const subject = job.read().then((found): Read => {
    const field = fieldOfView(found.photograph);
    return { ...found, fieldOfView: field, warnings: photographWarnings(found.photograph, field) };
  });
  return early(subject);
}

function paint(
  { input }: Job,
  subject: Promise<Read>,
  painter: Painter,
  { threshold, padTo, scale, maxPixels, signal }: SegmentCommandOptions & { readonly signal: AbortSignal },
  host: Host,
): Promise<Painted> {
  const options = {
    maxPixels,
    signal,
    ...(threshold !== undefined && { threshold }),
    ...(padTo && { padTo }),
    ...(scale && { scale }),
  };
  return early(subject.then((found) => withFile(host, input, () => painter.paint(found, options))));
}

async function write(
  { input, name }: Job,
  subject: Promise<Read>,
  painted: Promise<Painted>,
  { out, overwrite = false, ...options }: SegmentCommandOptions,
  host: Host,
): Promise<Result> {
  const { pictures, arrays, ...found } = await painted;
  const { warnings, photograph, dicom } = await subject;
  const objects = options.dicom ? await dicomObjects(input, photograph, arrays, host) : {};
  const encoders = Object.entries(pictures).map(
    ([kind, encode]) => [kind, async () => markedPng(await encode())] as const,
  );
  const all = { ...Object.fromEntries(encoders), ...objects };
  const files = await writePictures(host, out, name, all, overwrite);
  return { input, ...found, warnings, ...(dicom && { dicom }), files };
}

/** What encodes the objects of `--dicom`. */
async function dicomObjects(
  input: string,
  photograph: Photograph,
  { mask }: Painted["arrays"],
  host: Host,
): Promise<Painted["pictures"]> {
  const source = await withFile(host, input, (path) => readFile(path));
  const vessels: Mask = {
    width: photograph.width,
    height: photograph.height,
    data: mask.data as Mask["data"],
  };
  const how = { name: input };
  return {
    "segmentation.dcm": () => dicomSegmentation(source, vessels, how),
    "overlay.dcm": () => dicomOverlay(source, overlay(photograph, vessels), how),
  };
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
      await writeFile(host, file, await encode());
      if (isFresh) fresh.push(path);
      files[kind] = file;
    }
  } catch (error) {
    for (const path of fresh) await rm(path, { force: true }).catch(() => {});
    throw error;
  }
  return files;
}

function lineOf({ input, width, height, networkSeconds, vesselShare, f1, classes, files }: Result): string {
  const quality = (figure: number | undefined) =>
    figure === undefined ? "" : `, F1 ${figure.toFixed(4)} against its exact truth`;
  const percent = (share: number) => `${(100 * share).toFixed(1)} % of the field of view`;
  const found = classes?.map(
    (each) => `${each.name} (${each.colour}) ${percent(each.share)}${quality(each.f1)}`,
  ) ?? [`vessels ${percent(vesselShare)}${quality(f1)}`];
  return `${input}: ${width}x${height} in ${duration(networkSeconds)}, ${found.join("; ")} -> ${Object.values(files).join(", ")}`;
}

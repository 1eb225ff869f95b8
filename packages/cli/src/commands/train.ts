// saunet train: weights out of photographs and masks.

import { resolve } from "node:path";
import { randomState } from "@saunet/core";
import type { Sample } from "@saunet/data/files";
import {
  initialize,
  type NetworkConfig,
  networks,
  saUNetV2,
  sizeMultiple,
  type Weights,
} from "@saunet/model";
import { STREAMS } from "../batches.ts";
import { DONE, explain, INTERRUPTED, UsageError, WorkError } from "../errors.ts";
import { openWeights, withFile } from "../files.ts";
import { learn, type MemoryUse, type Outcome } from "../learn.ts";
import { type Host, type Progress, progress, writeJson } from "../output.ts";
import { writeReport } from "../report/write-report.ts";
import { openRun, type RunFolder, readConfig, startRun } from "../run-folder.ts";
import { type RunOptions, type Settings, settingsOf } from "../settings.ts";
import {
  cropSource,
  load,
  type Picture,
  paperPictures,
  sideOf,
  splitOff,
  syntheticData,
  type TrainingData,
  trainingSamples,
} from "../training-data.ts";
import { paperValidator, pictureValidator, type Validator } from "../validation.ts";

/** Options of `saunet train`. */
export interface TrainOptions extends RunOptions {
  readonly out?: string;
  readonly resume?: string;
  /** Whether to test the best weights at the end and write report.html. */
  readonly report?: boolean;
  readonly json?: boolean;
}

/** Synthetic pictures to validate with where their number is not given. */
const SYNTHETIC_VALIDATION = 2;

/** Trains a network, or goes on with a run that was ended before its time. */
export async function train(options: TrainOptions, host: Host): Promise<number> {
  const { settings, network, data, run } = await (options.resume === undefined
    ? start(options, host)
    : resume(options.resume, host));
  const { ending, ...outcome } = await learnUnderABar({ settings, network, data, run }, options, host);
  const isOver = ending !== "interrupted" && options.report !== false;
  const folder = options.resume ?? (options.out as string);
  const report = isOver ? await reportOf(folder, settings, options, host) : undefined;
  const { best, ...files } = run.files;
  const written = { ...files, ...(outcome.best && { best }), ...report };
  if (options.json) writeJson(host, { network: network.config.name, ending, ...outcome, files: written });
  else {
    const { steps, memory } = outcome;
    host.stdout.write(
      `${ending} after ${steps} steps${memoryLine(memory)} -> ${Object.values(written).join(", ")}\n`,
    );
  }
  return ending === "interrupted" ? INTERRUPTED : DONE;
}

/** Whether memory grew, for those who mean to train for days. */
function memoryLine(memory: MemoryUse | null): string {
  if (memory === null) return "";
  const megabytes = (bytes: number) => bytes / 2 ** 20;
  const growth = megabytes(1000 * memory.bytesPerStep);
  return `, in ${megabytes(memory.bytes).toFixed(0)} MB of memory (${growth < 0 ? "" : "+"}${growth.toFixed(1)} MB a thousand steps)`;
}

async function learnUnderABar(
  { settings, network, data, run }: Prepared,
  { json = false }: TrainOptions,
  host: Host,
): Promise<Outcome> {
  const interrupt = new AbortController();
  const stopListening = host.onInterrupt?.(() => interrupt.abort());
  const bar = progress(host, settings.epochs * settings.steps);
  try {
    return await learn({
      settings,
      network,
      plan: data.plan,
      validator: (weights) => validatorOf(weights, data, settings, bar),
      run,
      bar,
      isQuiet: json,
      signal: interrupt.signal,
    });
  } finally {
    bar.stop();
    stopListening?.();
    await run.close();
  }
}

/** Tests the weights and writes the report. A data set without its test images is no reason to call the training failed. */
async function reportOf(
  folder: string,
  { sets, maxPixels }: Settings,
  { json = false }: TrainOptions,
  host: Host,
) {
  // A plain folder has no test images: all of them were trained on.
  const tested = sets.filter(({ dataset }) => dataset !== "folder");
  try {
    return await writeReport(folder, { sets: tested, maxPixels, json }, host);
  } catch (error) {
    host.stderr.write(`saunet: no report: ${explain(error)} (saunet report ${folder} tries again)\n`);
    return undefined;
  }
}

/** Everything that a run needs. */
interface Prepared {
  readonly settings: Settings & { readonly steps: number };
  readonly network: Weights;
  readonly data: TrainingData;
  readonly run: RunFolder;
}

/** What config.json holds: the settings with whole paths, the network, and which pictures train and which validate. */
interface Config extends Omit<Settings, "steps"> {
  readonly steps: number;
  readonly network: NetworkConfig;
  readonly training: readonly string[];
  readonly validation: readonly string[];
}

async function start(options: TrainOptions, host: Host): Promise<Prepared> {
  const { out } = options;
  if (out === undefined) {
    throw new UsageError("option '-o, --out <folder>' not specified: where the run is to be kept");
  }
  const asked = settingsOf(options);
  const network = await startingPoint(asked, options.network, host);
  const data = await openTrainingData(asked, host);
  const settings = { ...asked, steps: asked.steps ?? stepsOfOnePass(data, asked) };
  // A run may be taken up from another folder.
  const whole = (path: string) => resolve(host.cwd, path);
  const config: Config = {
    ...settings,
    sets: settings.sets.map((set) => ({ ...set, data: whole(set.data) })),
    ...(settings.weights && { weights: whole(settings.weights) }),
    network: network.config,
    training: data.training,
    validation: data.validation.map(({ id }) => id),
  };
  return { settings, network, data, run: await startRun(host, out, config) };
}

function stepsOfOnePass({ plan, training }: TrainingData, { batch }: Settings): number {
  return Math.ceil((plan.kind === "whole" ? plan.pictures.length : training.length) / batch);
}

async function resume(folder: string, host: Host): Promise<Prepared> {
  const { network: config, training, validation, ...settings } = (await readConfig(host, folder)) as Config;
  const network = await startingPoint(settings, config, host);
  const data = await openTrainingData(settings, host);
  const found = [data.training, data.validation.map(({ id }) => id)];
  if (String(found) !== String([training, validation])) {
    throw new WorkError(`${folder}: the photographs are not those that the run was started with`);
  }
  return { settings, network, data, run: await openRun(host, folder) };
}

async function startingPoint(
  { weights, crops, seed }: Settings,
  network: string | NetworkConfig | undefined,
  host: Host,
): Promise<Weights> {
  const config = typeof network === "string" ? networks[network] : network;
  const start =
    weights === undefined ? fresh(config ?? saUNetV2, seed) : await openWeights(host, weights, config);
  const multiple = sizeMultiple(start.config);
  for (const { side } of crops ?? []) {
    if (side % multiple === 0) continue;
    throw new UsageError(
      `option '--crop <n>' argument '${side}' is invalid. It must be a multiple of ${multiple}.`,
    );
  }
  return start;
}

function fresh(config: NetworkConfig, seed: number): Weights {
  return { config, parameters: initialize(config, randomState(seed, STREAMS.weights)), metadata: {} };
}

function validatorOf(
  weights: Weights,
  { validation, validationBatches }: TrainingData,
  { batch }: Settings,
  bar: Progress,
): Validator | undefined {
  if (validation.length === 0) return undefined;
  if (validationBatches === undefined) return pictureValidator(weights, validation, bar);
  return paperValidator(weights, validation, validationBatches, batch, bar);
}

async function openTrainingData(settings: Settings, host: Host): Promise<TrainingData> {
  const { sets, keepBack, pictureSize, seed, crops } = settings;
  if (sets.length === 0) return syntheticData(pictureSize, keepBack ?? SYNTHETIC_VALIDATION, seed);
  await refuseLarge(settings, host);
  if (crops !== undefined) {
    const parts = await readSets(settings, host, cropSource);
    const plan = { kind: "crops", seed, sets: parts.map(({ prepared }) => prepared) } as const;
    return { ...namesOf(parts), plan };
  }
  let number = 0;
  const augmented = (picture: Picture) => paperPictures(picture, seed, number++);
  const parts = await readSets(settings, host, augmented);
  const names = namesOf(parts);
  const training = parts.flatMap(({ prepared }) => prepared).flat();
  const validation = names.validation.flatMap(augmented);
  const side = sideOf([...training, ...validation]);
  return {
    ...names,
    plan: { kind: "whole", seed, pictures: training, side },
    validationBatches: { pictures: validation, side },
  };
}

/** What was read of one data set. */
interface Part<T> {
  readonly training: readonly string[];
  readonly prepared: readonly T[];
  readonly validation: readonly Picture[];
}

const namesOf = (parts: readonly Part<unknown>[]) => ({
  training: parts.flatMap(({ training }) => training),
  validation: parts.flatMap(({ validation }) => validation),
});

/** Reads data sets; of the pictures to train on it keeps what `prepare` makes of them, and nothing else; `count` is how many there are. */
async function readSets<T>(
  { sets, keepBack, seed }: Settings,
  host: Host,
  prepare: (picture: Picture, count: number) => T,
): Promise<Part<T>[]> {
  const parts: Part<T>[] = [];
  for (const set of sets) {
    parts.push(
      await withFile(host, set.data, async (directory) => {
        const samples = await trainingSamples({ ...set, data: directory });
        const { training, validation } = splitOff(samples, keepBack, seed);
        const bar = progress(host, samples.length);
        try {
          const read = async (sample: Sample): Promise<Picture> => {
            bar.advance(`reading ${sample.id}`);
            return load(sample);
          };
          const prepared: T[] = [];
          const count = training.length * sets.length;
          for (const sample of training) prepared.push(prepare(await read(sample), count));
          const kept: Picture[] = [];
          for (const sample of validation) kept.push(await read(sample));
          return { training: training.map(({ id }) => id), prepared, validation: kept };
        } finally {
          bar.stop();
        }
      }),
    );
  }
  return parts;
}

/** Sizes of all photographs, from the headers of their files: what is too large is known before anything is decoded. */
async function refuseLarge({ sets, maxPixels }: Settings, host: Host): Promise<void> {
  for (const set of sets) {
    await withFile(host, set.data, async (directory) => {
      for (const sample of await trainingSamples({ ...set, data: directory })) {
        const { width, height } = await sample.size();
        if (width * height <= maxPixels) continue;
        throw new WorkError(
          `${sample.id} has ${width} x ${height} pixels; the limit is ${maxPixels} (--max-pixels)`,
        );
      }
    });
  }
}

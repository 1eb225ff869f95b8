// saunet train: weights out of photographs and masks.

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { randomState } from "@saunet/core";
import {
  initialize,
  type NetworkConfig,
  networks,
  saUNetV2,
  sizeMultiple,
  type Weights,
  withClasses,
} from "@saunet/model";
import { KernelError } from "@saunet/wasm";
import { STREAMS } from "../batches.ts";
import { EndedError, untilAsked } from "../ending.ts";
import { DONE, explain, UsageError, WorkError } from "../errors.ts";
import { openWeights, sha256, withFile } from "../files.ts";
import { learn, type MemoryUse, type Outcome } from "../learn.ts";
import { complain, counted, type Host, type Progress, printLine, progress, writeJson } from "../output.ts";
import { filesOfDataset, refuseClashes } from "../outputs.ts";
import { type WrittenReport, writeReport } from "../report/write-report.ts";
import type { Contents, RunConfig } from "../run-config.ts";
import { expectNoRun, filesOfRun, openRun, type RunFolder, readConfig, startRun } from "../run-folder.ts";
import { type RunOptions, type Settings, settingsOf } from "../settings.ts";
import { openTrainingData, type PictureContents, type TrainingData } from "../training-data.ts";
import { classValidator, paperValidator, pictureValidator, type Validator } from "../validation.ts";

/** Options of `saunet train`. */
export interface TrainOptions extends RunOptions {
  readonly out?: string;
  readonly resume?: string;
  /** Whether to test the best weights at the end and write report.html. */
  readonly report?: boolean;
  readonly json?: boolean;
}

/** Trains a network, or goes on with a run that was ended before its time. */
export async function train(options: TrainOptions, host: Host): Promise<number> {
  const prepared = await (options.resume === undefined
    ? start(options, host)
    : resume(options.resume, options, host));
  try {
    return await trainPrepared(prepared, options, host);
  } finally {
    await prepared.run.close();
  }
}

async function trainPrepared(prepared: Prepared, options: TrainOptions, host: Host): Promise<number> {
  const { settings, network, data, run, withReport } = prepared;
  const { ending, request, ...outcome } = await learnUnderABar(prepared, options, host);
  run.expectWhole();
  const isOver = request === undefined;
  const report = isOver && withReport ? await reportOf(run.folder, settings, options, host) : {};
  const { best, ...files } = run.files;
  const written = { ...files, ...(existsSync(resolve(host.cwd, best)) && { best }), ...report.files };
  if (options.json) {
    const { failed = [] } = report;
    const document = { network: network.config.name, ending, ...outcome, files: written };
    writeJson(host, { ...document, ...(failed.length > 0 && { failed }) });
  } else {
    const { steps, memory } = outcome;
    const decision = settings.judgeStart ? decisionOf(outcome, data.validation.length) : undefined;
    if (decision !== undefined) printLine(host, decision);
    printLine(
      host,
      `${ending === "minutes" ? "out of time (--minutes)" : ending} after ${counted(steps, "step")}${memoryLine(memory)} -> ${Object.values(written).join(", ")}`,
    );
  }
  if (request !== undefined) {
    const { reason, exitCode } = request;
    complain(
      host,
      `${reason}: saved after ${counted(outcome.steps, "step")} (saunet train --resume ${run.folder} goes on)`,
    );
    return exitCode;
  }
  return report.exitCode ?? DONE;
}

/** Which weights the images kept back have chosen. */
function decisionOf(
  { best, startF1 }: Pick<Outcome, "best" | "startF1">,
  images: number,
): string | undefined {
  if (best === null) return undefined;
  const on = `on ${counted(images, "photograph")} kept back`;
  if (best.epoch === 0)
    return `no epoch did better than F1 ${best.f1.toFixed(4)} ${on}: the weights stay as they were`;
  const before = startF1 === undefined ? "" : ` instead of ${startF1.toFixed(4)}`;
  return `adapted: F1 ${best.f1.toFixed(4)}${before} ${on}, after epoch ${best.epoch}`;
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
  const bar = progress(host, settings.epochs * settings.steps);
  try {
    return await untilAsked(host, (signal) =>
      learn({
        settings,
        network,
        plan: data.plan,
        validator: (weights) => validatorOf(weights, data, settings, bar),
        run,
        bar,
        isQuiet: json,
        signal,
      }),
    );
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    // Half a step may be in the weights by now: they are not saved.
    throw new WorkError(`${error.message}; --resume goes on from the last checkpoint`, { cause: error });
  } finally {
    bar.stop();
  }
}

/** What came of the report. */
interface Reported {
  readonly files?: WrittenReport;
  /** Images that could not be tested. */
  readonly failed?: readonly string[];
  /** Where the command was asked to end meanwhile. */
  readonly exitCode?: number;
}

/** Tests the weights and writes the report. A data set without its test images is no reason to call the training failed. */
async function reportOf(
  folder: string,
  { sets, maxPixels }: Settings,
  { json = false }: TrainOptions,
  host: Host,
): Promise<Reported> {
  // A plain folder has no test images: all of them were trained on.
  const tested = sets.filter(({ dataset }) => dataset !== "folder");
  try {
    return await writeReport(folder, { sets: tested, maxPixels, json }, host);
  } catch (error) {
    complain(host, `no report: ${explain(error)} (saunet report ${folder} tries again)`);
    return error instanceof EndedError ? { exitCode: error.exitCode } : {};
  }
}

/** Everything that a run needs. */
interface Prepared {
  readonly settings: Settings & { readonly steps: number };
  readonly network: Weights;
  readonly data: TrainingData;
  readonly run: RunFolder;
  readonly withReport: boolean;
}

async function start(options: TrainOptions, host: Host): Promise<Prepared> {
  const { out, report = true } = options;
  if (out === undefined) {
    throw new UsageError("option '-o, --out <folder>' not specified: where the run is to be kept");
  }
  const asked = settingsOf(options);
  expectNoRun(host, out);
  await refuseOverwriting(out, asked, host);
  const network = await startingPoint(asked, options, host);
  const data = await openTrainingData(asked, host, network.config.classes);
  const settings = { ...asked, steps: asked.steps ?? stepsOfOnePass(data, asked) };
  const { weights } = settings;
  // A run may be taken up from another folder.
  const whole = (path: string) => resolve(host.cwd, path);
  const config: RunConfig = {
    ...settings,
    sets: settings.sets.map((set) => ({ ...set, data: whole(set.data) })),
    ...(weights !== undefined && { weights: whole(weights) }),
    network: network.config,
    training: data.training,
    validation: data.validation.map(({ id }) => id),
    contents: {
      ...data.contents,
      ...(weights !== undefined && { weights: await contentOfFile(host, weights) }),
    },
    report,
  };
  return { settings, network, data, run: await startRun(host, out, config), withReport: report };
}

/** A folder that a run is to fill may hold the weights that it starts from, or links to photographs. */
async function refuseOverwriting(out: string, { sets, weights }: Settings, host: Host): Promise<void> {
  const data = await Promise.all(sets.map((set) => filesOfDataset(host, set)));
  const names: Readonly<Record<string, string>> = { last: "the last weights", best: "the best weights" };
  await refuseClashes(
    host,
    Object.entries(filesOfRun(out)).map(([kind, file]) => ({
      file,
      what: names[kind] ?? `the ${kind} of the run`,
      option: "--out",
    })),
    [...(weights === undefined ? [] : [weights]), ...data.flat()],
  );
}

const contentOfFile = (host: Host, file: string): Promise<string> =>
  withFile(host, file, async (path) => sha256(await readFile(path)));

function stepsOfOnePass({ plan, training }: TrainingData, { batch }: Settings): number {
  return Math.ceil((plan.kind === "whole" ? plan.pictures.length : training.length) / batch);
}

async function resume(folder: string, options: TrainOptions, host: Host): Promise<Prepared> {
  const {
    network: config,
    training,
    validation,
    contents,
    report,
    ...settings
  } = await readConfig(host, folder);
  const run = await openRun(host, folder);
  try {
    const network = await startingPointAgain(run, settings, config, contents, host);
    const data = await openTrainingData(settings, host, config.classes);
    const found = { training: data.training, validation: data.validation.map(({ id }) => id) };
    if (JSON.stringify(found) !== JSON.stringify({ training, validation })) {
      throw new WorkError(`${folder}: the photographs are not those that the run was started with`);
    }
    if (contents !== undefined) expectContents(folder, found, contents, data.contents);
    return { settings, network, data, run, withReport: options.report ?? report ?? true };
  } catch (error) {
    await run.close();
    throw error;
  }
}

/** A checkpoint holds every parameter, so that the weights which a run started from may be gone by then. */
async function startingPointAgain(
  run: RunFolder,
  { weights, seed }: Settings,
  config: NetworkConfig,
  contents: Contents | undefined,
  host: Host,
): Promise<Weights> {
  if (run.hasCheckpoint) return { ...fresh(config, seed), metadata: (await run.lastMetadata()) ?? {} };
  if (weights === undefined) return fresh(config, seed);
  if (contents?.weights !== undefined && contents.weights !== (await contentOfFile(host, weights))) {
    throw new WorkError(`${weights}: is not the file that ${run.folder} was started with`);
  }
  return openWeights(host, weights, config);
}

/** @throws WorkError naming a picture whose files have changed */
function expectContents(
  folder: string,
  names: PictureContents,
  before: Contents,
  now: PictureContents,
): void {
  for (const part of ["training", "validation"] as const) {
    const changed = names[part].find((_, i) => before[part][i] !== now[part][i]);
    if (changed === undefined) continue;
    throw new WorkError(
      `${folder}: the photograph ${changed}, or its mask, is not what it was when the run was started`,
    );
  }
}

async function startingPoint(
  { weights, crops, seed }: Settings,
  { network, classes }: RunOptions,
  host: Host,
): Promise<Weights> {
  const named = network === undefined ? undefined : networks[network];
  const withOutputs = (config: NetworkConfig) =>
    classes === undefined ? config : withClasses(config, classes);
  const start =
    weights === undefined
      ? fresh(withOutputs(named ?? saUNetV2), seed)
      : await openWeights(host, weights, named && withOutputs(named));
  expectClasses(start, classes, weights);
  if (start.config.inputChannels !== saUNetV2.inputChannels) {
    throw new WorkError(
      `${weights}: the network takes ${start.config.inputChannels} channels, but photographs have ${saUNetV2.inputChannels} (RGB)`,
    );
  }
  const multiple = sizeMultiple(start.config);
  for (const { side } of crops ?? []) {
    if (side % multiple === 0) continue;
    throw new UsageError(
      `option '--crop <n>' argument '${side}' is invalid. It must be a multiple of ${multiple}.`,
    );
  }
  return start;
}

/** @throws WorkError where weights tell other classes apart than the run is to */
function expectClasses(
  { config }: Weights,
  wanted: readonly string[] | undefined,
  weights: string | undefined,
): void {
  const found = config.classes?.slice(1);
  const told = (names: readonly string[] | undefined) => names?.join(",") ?? "vessels alone";
  if (told(found) === told(wanted)) return;
  throw new WorkError(
    `${weights}: the network finds ${told(found)}, but the run is to find ${told(wanted)} (--classes)`,
  );
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
  if (weights.config.classes !== undefined) return classValidator(weights, validation, bar);
  if (validationBatches === undefined) return pictureValidator(weights, validation, bar);
  return paperValidator(weights, validation, validationBatches, batch, bar);
}

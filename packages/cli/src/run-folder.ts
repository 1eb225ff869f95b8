// The folder of a training run.
//
//   config.json              everything that the run was started with, and which images it kept back (run-config.ts)
//   log.jsonl                one line a step and one an epoch (log-entries.ts)
//   checkpoint.safetensors   everything that the run needs to go on (@saunet/model's checkpoint.ts)
//   last.safetensors         the weights after the last epoch, or where the run was ended
//   best.safetensors         the best weights on the images kept back; where none are, those of the last epoch
//   .lock                    what keeps a second process out (run-lock.ts)

import { existsSync } from "node:fs";
import { type FileHandle, open, readdir, readFile, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import {
  readCheckpoint,
  readWeights,
  type TrainingPosition,
  type TrainingState,
  type Weights,
  writeWeights,
} from "@saunet/model";
import { UsageError, WorkError } from "./errors.ts";
import { makeFolder, withFile, writeFile } from "./files.ts";
import { parseLog } from "./log-entries.ts";
import type { Host } from "./output.ts";
import { checkConfig, type RunConfig } from "./run-config.ts";
import { lockRun } from "./run-lock.ts";
import { parseJson } from "./validate.ts";

/**
 * A folder that a run writes to, and no other process meanwhile. A file that is written over is met with its old or its
 * new content, never half.
 */
export interface RunFolder {
  /** As the user knows it. */
  readonly folder: string;
  /** Paths as the user knows them. */
  readonly files: RunFiles;
  /** Whether the run has got so far that its checkpoint holds everything. */
  readonly hasCheckpoint: boolean;
  /** What the last weights say besides; undefined where there are none. */
  lastMetadata(): Promise<Weights["metadata"] | undefined>;
  /** Brings a run of `total` steps back to its checkpoint; undefined where there is none. */
  restore(state: TrainingState, total: number): Promise<TrainingPosition | undefined>;
  /** Adds a line to the log. */
  log(entry: LogEntry): Promise<void>;
  /** Throws away what was logged after a step: a run that goes on from there will log it again. */
  rewindLog(step: number): Promise<void>;
  saveWeights(kind: "last" | "best", weights: Weights): Promise<void>;
  saveCheckpoint(bytes: Uint8Array): Promise<void>;
  /** @throws WorkError where the folder, or a file that every run leaves there, is gone */
  expectWhole(): void;
  close(): Promise<void>;
}

/** A line of the log; `step` counts the steps done. */
export interface LogEntry {
  readonly kind: "step" | "epoch";
  readonly step: number;
  readonly [figure: string]: unknown;
}

const FILES = {
  config: "config.json",
  log: "log.jsonl",
  checkpoint: "checkpoint.safetensors",
  last: "last.safetensors",
  best: "best.safetensors",
} as const;

/** What a report adds. */
export const REPORT_FILES = { report: "report.html", evaluation: "evaluation.json" } as const;

/** Path by kind. */
export type RunFiles = { readonly [K in keyof typeof FILES]: string };

/** The files of a run in a folder. */
export const filesOfRun = (folder: string): RunFiles =>
  Object.fromEntries(Object.entries(FILES).map(([kind, name]) => [kind, join(folder, name)])) as RunFiles;

/** @throws UsageError where a folder holds a run already */
export function expectNoRun(host: Host, folder: string): void {
  if (!existsSync(resolve(host.cwd, filesOfRun(folder).config))) return;
  throw new UsageError(
    `option '--out <folder>': ${folder} holds a training run already; go on with it (--resume ${folder}) or choose another folder`,
  );
}

/**
 * Starts a run in a folder that is made if need be.
 *
 * @throws UsageError where the folder holds a run already; WorkError where another process works in it
 */
export async function startRun(host: Host, folder: string, config: RunConfig): Promise<RunFolder> {
  await makeFolder(host, folder);
  return openLocked(host, folder, async () => {
    expectNoRun(host, folder);
    await writeFile(host, filesOfRun(folder).config, `${JSON.stringify(config, undefined, 2)}\n`);
  });
}

/**
 * Reads what a run was started with.
 *
 * @throws UsageError where the folder holds no run; WorkError where its settings cannot be read or are those of no run
 */
export async function readConfig(host: Host, folder: string): Promise<RunConfig> {
  const { config } = filesOfRun(folder);
  if (!existsSync(resolve(host.cwd, config))) {
    throw new UsageError(
      `option '--resume <folder>': ${folder} holds no training run (${config} is missing)`,
    );
  }
  return withFile(host, config, async (path) => checkConfig(parseJson(await readFile(path, "utf8"))));
}

/**
 * Opens a run that was started before.
 *
 * @throws WorkError where another process works in it
 */
export function openRun(host: Host, folder: string): Promise<RunFolder> {
  return openLocked(host, folder, async () => {});
}

async function openLocked(host: Host, folder: string, prepare: () => Promise<void>): Promise<RunFolder> {
  const unlock = await lockRun(host, folder);
  try {
    await prepare();
    await withFile(host, folder, removeLeftovers);
    return await openFolder(host, folder, unlock);
  } catch (error) {
    await unlock();
    throw error;
  }
}

async function openFolder(host: Host, folder: string, unlock: () => Promise<void>): Promise<RunFolder> {
  const files = filesOfRun(folder);
  const pathOf = (kind: keyof RunFiles) => resolve(host.cwd, files[kind]);
  const hasCheckpoint = existsSync(pathOf("checkpoint"));
  const openLog = () => withFile(host, files.log, (path) => open(path, "a"));
  let log = await openLog();
  return {
    folder,
    files,
    hasCheckpoint,
    async lastMetadata() {
      if (!existsSync(pathOf("last"))) return undefined;
      return withFile(host, files.last, async (path) => readWeights(await readFile(path)).metadata);
    },
    async restore(state, total) {
      if (!hasCheckpoint) return undefined;
      return withFile(host, files.checkpoint, async (path) =>
        readCheckpoint(await readFile(path), state, total),
      );
    },
    log: (entry) =>
      withFile(host, files.log, async (path) => {
        await log.appendFile(`${JSON.stringify(entry)}\n`);
        await expectSame(log, path);
      }),
    async rewindLog(step) {
      const kept = await withFile(host, files.log, async (path) =>
        linesUpTo(step, await readFile(path, "utf8")),
      );
      await log.close();
      await writeFile(host, files.log, kept);
      log = await openLog();
    },
    saveWeights: (kind, weights) => writeFile(host, files[kind], writeWeights(weights)),
    saveCheckpoint: (bytes) => writeFile(host, files.checkpoint, bytes),
    expectWhole() {
      const gone = (["config", "log", "checkpoint", "last"] as const).find(
        (kind) => !existsSync(pathOf(kind)),
      );
      if (gone !== undefined)
        throw new WorkError(`${files[gone]}: is gone; somebody removed it during the run`);
    },
    async close() {
      await log.close();
      await unlock();
    },
  };
}

/** A file that was removed can be written to as before, and nobody will ever see it. */
async function expectSame(file: FileHandle, path: string): Promise<void> {
  const [there, own] = await Promise.all([stat(path).catch(() => undefined), file.stat()]);
  if (there?.dev === own.dev && there.ino === own.ino) return;
  throw new WorkError("is gone, or is another file now; somebody removed or moved it during the run");
}

/** Removes what a killed process was writing. */
async function removeLeftovers(folder: string): Promise<void> {
  const written = [...Object.values(FILES), ...Object.values(REPORT_FILES)];
  const isLeftover = (name: string) =>
    name.endsWith(".tmp") && written.some((file) => name.startsWith(`${file}.`));
  for (const name of await readdir(folder))
    if (isLeftover(name)) await rm(join(folder, name), { force: true });
}

/** The lines of a log up to a step. */
function linesUpTo(step: number, text: string): string {
  return parseLog(text)
    .filter(({ entry }) => (entry.step ?? 0) <= step)
    .map(({ line }) => `${line}\n`)
    .join("");
}

// The folder of a training run.
//
//   config.json              everything that the run was started with, and which images it kept back
//   log.jsonl                one line a step and one an epoch
//   checkpoint.safetensors   everything that the run needs to go on (checkpoint.ts)
//   last.safetensors         the weights after the last epoch, or where the run was ended
//   best.safetensors         the best weights on the images kept back

import { existsSync } from "node:fs";
import { open, readdir, readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Weights, writeWeights } from "@saunet/model";
import { UsageError, WorkError } from "./errors.ts";
import { makeFolder, withFile, writeFile } from "./files.ts";
import type { Host } from "./output.ts";

/** A folder that a run writes to. A file that is written over is met with its old or its new content, never half. */
export interface RunFolder {
  /** Paths as the user knows them. */
  readonly files: { readonly [K in keyof typeof FILES]: string };
  /** The last checkpoint; undefined where there is none yet. */
  readonly checkpoint: Uint8Array | undefined;
  /** Adds a line to the log. */
  log(entry: LogEntry): Promise<void>;
  /** Throws away what was logged after a step: a run that goes on from there will log it again. */
  rewindLog(step: number): Promise<void>;
  saveWeights(kind: "last" | "best", weights: Weights): Promise<void>;
  saveCheckpoint(bytes: Uint8Array): Promise<void>;
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

const filesOf = (folder: string): RunFolder["files"] =>
  Object.fromEntries(
    Object.entries(FILES).map(([kind, name]) => [kind, join(folder, name)]),
  ) as RunFolder["files"];

/**
 * Starts a run in a folder that is made if need be.
 *
 * @throws UsageError where the folder holds a run already
 */
export async function startRun(host: Host, folder: string, config: object): Promise<RunFolder> {
  await makeFolder(host, folder);
  const { config: file } = filesOf(folder);
  if (existsSync(resolve(host.cwd, file))) {
    throw new UsageError(
      `option '--out <folder>': ${folder} holds a training run already; go on with it (--resume ${folder}) or choose another folder`,
    );
  }
  await writeFile(host, file, `${JSON.stringify(config, undefined, 2)}\n`);
  return openRun(host, folder);
}

/**
 * Reads what a run was started with.
 *
 * @throws UsageError where the folder holds no run; WorkError where its settings cannot be read
 */
export async function readConfig(host: Host, folder: string): Promise<unknown> {
  const { config } = filesOf(folder);
  if (!existsSync(resolve(host.cwd, config))) {
    throw new UsageError(
      `option '--resume <folder>': ${folder} holds no training run (${config} is missing)`,
    );
  }
  return withFile(host, config, async (path) => {
    const text = await readFile(path, "utf8");
    try {
      return JSON.parse(text) as unknown;
    } catch {
      throw new WorkError("is damaged: it is not JSON");
    }
  });
}

/** Opens a run that was started before. */
export async function openRun(host: Host, folder: string): Promise<RunFolder> {
  const files = filesOf(folder);
  await withFile(host, folder, removeLeftovers);
  const path = resolve(host.cwd, files.log);
  const openLog = () => withFile(host, files.log, () => open(path, "a"));
  let log = await openLog();
  const checkpoint = resolve(host.cwd, files.checkpoint);
  return {
    files,
    checkpoint: existsSync(checkpoint)
      ? await withFile(host, files.checkpoint, (file) => readFile(file))
      : undefined,
    log: (entry) => withFile(host, files.log, () => log.appendFile(`${JSON.stringify(entry)}\n`)),
    async rewindLog(step) {
      await log.close();
      const kept = linesUpTo(step, await readFile(path, "utf8"));
      await writeFile(host, files.log, kept);
      log = await openLog();
    },
    saveWeights: (kind, weights) => writeFile(host, files[kind], writeWeights(weights)),
    saveCheckpoint: (bytes) => writeFile(host, files.checkpoint, bytes),
    close: () => log.close(),
  };
}

/** Removes what a killed process was writing. */
async function removeLeftovers(folder: string): Promise<void> {
  const isLeftover = (name: string) =>
    name.endsWith(".tmp") && Object.values(FILES).some((file) => name.startsWith(`${file}.`));
  for (const name of await readdir(folder))
    if (isLeftover(name)) await rm(join(folder, name), { force: true });
}

/** The whole lines of a log up to a step; a killed process may have left half a line at the end. */
function linesUpTo(step: number, text: string): string {
  const whole = text.slice(0, text.lastIndexOf("\n") + 1).split("\n");
  const kept = whole.filter((line) => line !== "" && (JSON.parse(line) as LogEntry).step <= step);
  return kept.map((line) => `${line}\n`).join("");
}

// The folder of a training run.
//
//   config.json         everything that the run was started with, and which images it kept back
//   log.jsonl           one line a step and one an epoch
//   last.safetensors    the weights after the last epoch, or where the run was ended
//   best.safetensors    the weights with the highest F1 on the images kept back

import { existsSync } from "node:fs";
import { open } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Weights, writeWeights } from "@saunet/model";
import { UsageError } from "./errors.ts";
import { makeFolder, withFile, writeFile } from "./files.ts";
import type { Host } from "./output.ts";

/** A folder that a run writes to. */
export interface RunFolder {
  /** Paths as the user knows them. */
  readonly files: { readonly [K in keyof typeof FILES]: string };
  /** Adds a line to the log. */
  log(entry: object): Promise<void>;
  /** Writes weights; whoever reads the file meanwhile finds the old ones or the new ones whole. */
  save(kind: "last" | "best", weights: Weights): Promise<void>;
  close(): Promise<void>;
}

const FILES = {
  config: "config.json",
  log: "log.jsonl",
  last: "last.safetensors",
  best: "best.safetensors",
} as const;

/**
 * Starts a run in a folder that is made if need be.
 *
 * @throws UsageError where the folder holds a run already
 */
export async function openRunFolder(host: Host, out: string, config: object): Promise<RunFolder> {
  await makeFolder(host, out);
  const files = Object.fromEntries(
    Object.entries(FILES).map(([kind, name]) => [kind, join(out, name)]),
  ) as RunFolder["files"];
  if (existsSync(resolve(host.cwd, files.config))) {
    throw new UsageError(
      `option '--out <folder>': ${out} holds a training run already; choose another folder`,
    );
  }
  await writeFile(host, files.config, `${JSON.stringify(config, undefined, 2)}\n`);
  const log = await withFile(host, files.log, (path) => open(path, "w"));
  return {
    files,
    log: (entry) => withFile(host, files.log, () => log.appendFile(`${JSON.stringify(entry)}\n`)),
    save: (kind, weights) => writeFile(host, files[kind], writeWeights(weights)),
    close: () => log.close(),
  };
}

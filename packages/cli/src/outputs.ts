// Outputs that would destroy something: an input, by whatever path it is reached, or one another.

import { realpath, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join, resolve } from "node:path";
import { type DatasetKind, filesOf, readDataset } from "@saunet/data/files";
import { UsageError } from "./errors.ts";
import type { Host } from "./output.ts";

/** A file that a command is about to write. */
export interface Output {
  readonly file: string;
  /** What it holds, in words: `the mask of photo.jpg`. */
  readonly what: string;
  /** The option that names it. */
  readonly option: string;
}

/**
 * Refuses outputs that are inputs, or each other. Files are told apart by what the system knows them by, so that
 * links, mounted folders and capital letters change nothing.
 *
 * @param inputs files that the command reads; those that are missing are left to whoever reads them
 * @throws UsageError
 */
export async function refuseClashes(
  host: Host,
  outputs: readonly Output[],
  inputs: readonly string[],
): Promise<void> {
  const places = new Map<string, Output>();
  for (const output of outputs) {
    for (const place of await placesOf(resolve(host.cwd, output.file))) {
      const other = places.get(place);
      if (other !== undefined) {
        throw new UsageError(
          `${other.what} and ${output.what} would both be written as ${output.file}; choose another ${output.option}`,
        );
      }
      places.set(place, output);
    }
  }
  for (const input of inputs) {
    for (const place of await placesOf(resolve(host.cwd, input))) {
      const output = places.get(place);
      if (output === undefined) continue;
      throw new UsageError(`${output.what} would be written over ${input}; choose another ${output.option}`);
    }
  }
}

/** What a file is known by: its path without links and, where it is there, its number. A pipe or a device has nothing to lose. */
async function placesOf(path: string): Promise<string[]> {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  if (found !== undefined && !found.isFile()) return [];
  const folder = await realpath(dirname(path)).catch(() => dirname(path));
  return [join(folder, basename(path)), ...(found ? [`${found.dev}:${found.ino}`] : [])];
}

/** The weights file that a command reads: the named one, or that which comes with saunet. */
export function weightsFile(named: string | undefined): string {
  return named ?? createRequire(import.meta.url).resolve("@saunet/model/weights/sa-unet-v2.safetensors");
}

/** Every file of a data set that can be found, of all its parts: a part that is not there has nothing to lose. */
export async function filesOfDataset(
  host: Host,
  { dataset: kind, data }: { readonly dataset: DatasetKind; readonly data: string },
): Promise<string[]> {
  const directory = resolve(host.cwd, data);
  const parts = await Promise.allSettled(
    (["train", "test", "all"] as const).map((split) => readDataset({ kind, directory, split })),
  );
  const samples = parts.flatMap((part) => (part.status === "fulfilled" ? part.value : []));
  return [...new Set(samples.flatMap(filesOf))];
}

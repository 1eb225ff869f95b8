// Files: named to the user as the user named them, and there whole or not at all.

import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { writeWhole } from "@saunet/data/files";
import {
  loadSegmenter,
  loadWeights,
  type NetworkConfig,
  type Segmenter,
  segmenterOf,
  type Weights,
} from "@saunet/model";
import { explain, UsageError, WorkError } from "./errors.ts";
import type { Host } from "./output.ts";

/**
 * Does something with a file or folder that the user named.
 *
 * @param work is given the full path
 * @throws WorkError that begins with the name as the user wrote it
 */
export async function withFile<T>(
  host: Host,
  name: string,
  work: (path: string) => T | Promise<T>,
): Promise<T> {
  const path = resolve(host.cwd, name);
  try {
    return await work(path);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const reason = explain(error).replaceAll(path, name);
    throw new WorkError(reason.startsWith(name) ? reason : `${name}: ${reason}`, { cause: error });
  }
}

/** Makes a folder, and those above it, unless it is there. */
export async function makeFolder(host: Host, folder: string): Promise<void> {
  await withFile(host, folder, (path) => mkdir(path, { recursive: true }));
}

/** Writes a file so that nobody ever meets half of it. */
export async function writeFile(host: Host, file: string, content: Uint8Array | string): Promise<void> {
  await withFile(host, file, (path) => writeWhole(path, content));
}

/** Reads a weights file; for `config`, where that is given. */
export function openWeights(host: Host, file: string, config?: NetworkConfig): Promise<Weights> {
  return withFile(host, file, (path) => loadWeights(path, { config }));
}

/** How the weights are called in results where no file was named. */
export const BUNDLED = "bundled";

/** The weights of a file, or those that come with the command. */
export async function openNetwork(host: Host, file: string | undefined): Promise<Weights> {
  return file === undefined ? openSegmenter(host, undefined) : openWeights(host, file);
}

/**
 * The network of a weights file, or the one that comes with the command.
 *
 * @throws WorkError where the network tells classes apart
 */
export async function openSegmenter(host: Host, file: string | undefined): Promise<Segmenter> {
  if (file === undefined) return withFile(host, "the bundled weights", () => loadSegmenter());
  return withFile(host, file, async () => segmenterOf(await openWeights(host, file)));
}

/** 64 hexadecimal digits. */
export function sha256(content: Uint8Array | string): string {
  return createHash("sha256").update(content).digest("hex");
}

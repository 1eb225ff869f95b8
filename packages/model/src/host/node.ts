import { type FileHandle, open, readFile } from "node:fs/promises";
import { HEAD_BYTES } from "../file-kind.ts";
import { type Expectation, joined, NOT_BESIDE } from "../source.ts";

/** The weights that come with this package, as Node reads them. */
export async function readBundledWeights(): Promise<Uint8Array> {
  try {
    return await readFile(new URL("../../weights/sa-unet-v2.safetensors", import.meta.url));
  } catch (cause) {
    throw new Error(NOT_BESIDE, { cause });
  }
}

/**
 * Node fetches no file: it is read, by path or by `file:` URL. Everything else is left to fetch.
 *
 * @param expect is asked before anything is read, after the first bytes, and, where a file has no size (a pipe, a
 *   device), after each part
 */
export async function readLocal(source: string | URL, expect: Expectation): Promise<Uint8Array | undefined> {
  const isPath = typeof source === "string" && !/^[a-z][a-z0-9+.-]+:/i.test(source);
  const isFile = isPath || String(source).startsWith("file:");
  if (!isFile) return undefined;
  const file = await open(isPath ? source : new URL(source));
  try {
    const stats = await file.stat();
    const size = stats.isFile() ? stats.size : undefined;
    expect(undefined, size);
    const head = await readUpTo(file, HEAD_BYTES);
    expect(head, size);
    if (size !== undefined) return await readRest(file, head, size);
    return await readStream(file, head, expect);
  } finally {
    await file.close();
  }
}

/** Reads on from where the last call ended; less than `length` only where the file ends. */
async function readUpTo(
  file: FileHandle,
  length: number,
  into = new Uint8Array(length),
): Promise<Uint8Array> {
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(into, filled, length - filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return into.subarray(0, filled);
}

async function readRest(file: FileHandle, head: Uint8Array, size: number): Promise<Uint8Array> {
  const whole = new Uint8Array(size);
  whole.set(head.subarray(0, size));
  // A file that has grown since it was asked for its size may have more in its head: no room is left then.
  const room = whole.subarray(head.length);
  const rest = await readUpTo(file, room.length, room);
  return whole.subarray(0, head.length + rest.length);
}

const PART_BYTES = 2 ** 20;

async function readStream(file: FileHandle, head: Uint8Array, expect: Expectation): Promise<Uint8Array> {
  const parts = [head];
  let loaded = head.length;
  for (let part = head; part.length > 0; ) {
    part = await readUpTo(file, PART_BYTES);
    parts.push(part);
    loaded += part.length;
    expect(undefined, loaded);
  }
  return joined(parts, loaded);
}

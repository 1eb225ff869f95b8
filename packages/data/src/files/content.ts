// Files as bytes: a piece of one, or the whole as a stream, unpacked where it is gzipped. Nothing is read before it is
// known how much there can be.

import { createReadStream } from "node:fs";
import { open, readFile, stat } from "node:fs/promises";
import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { damaged, ImageFileError, systemReason } from "./errors.ts";
import type { ReadAt } from "./tiff.ts";

/** What the beginning of a file is. A Netpbm header with comments must fit into it. */
export const HEAD = 2 ** 16;

/** What a gzipped picture may unpack to, unless it is Netpbm, whose header says how long it is. */
const MOST_UNPACKED = 2 ** 26;

/** Deflate packs 1032 bytes into one at best. */
const MOST_DEFLATED = 1032;

/** A file that can be read. */
export interface Content {
  /** Names it in errors. */
  readonly path: string;
  /** What sharp reads it from: its path, or all of its bytes where they are in memory. */
  readonly source: string | Uint8Array;
  /** Reads pieces of it as they are, packed where it is gzipped. */
  readonly readAt: ReadAt;
  readonly isGzip: boolean;
  /** It has no more bytes than this, unpacked. */
  readonly mostBytes: number;
  /** The first bytes, unpacked. */
  readonly head: Uint8Array;
  /** All bytes in order, unpacked. */
  chunks(): AsyncIterable<Uint8Array>;
}

/**
 * Opens a file and reads its beginning.
 *
 * @throws ImageFileError where there is no such file, or it is empty, or a damaged archive
 */
export async function openContent(path: string): Promise<Content> {
  const refuse = (error: unknown): never => {
    throw new ImageFileError(path, systemReason(error), { cause: error });
  };
  const status = await stat(path).catch(refuse);
  if (status.isDirectory()) throw new ImageFileError(path, "is a folder, not a picture");
  if (!status.isFile()) throw new ImageFileError(path, "is not an ordinary file");
  return contentFrom(path, path, status.size, readerOf(path));
}

/**
 * The content of a file that is in memory.
 *
 * @param name names it in errors
 * @throws ImageFileError where it is empty, or a damaged archive
 */
export function contentOf(bytes: Uint8Array, name: string): Promise<Content> {
  return contentFrom(name, bytes, bytes.length, readerIn(bytes));
}

async function contentFrom(
  path: string,
  source: Content["source"],
  size: number,
  readAt: ReadAt,
): Promise<Content> {
  if (size === 0) throw new ImageFileError(path, "is empty");
  const [first, second] = await readAt(0, 2);
  const isGzip = first === 0x1f && second === 0x8b;
  const chunks = () => (isGzip ? unpacked(path, source) : whole(path, source));
  const head = isGzip ? await beginning(unpacked(path, source)) : await readAt(0, HEAD);
  if (head.length === 0) throw new ImageFileError(path, "is an archive of nothing");
  const mostBytes = size * (isGzip ? MOST_DEFLATED : 1);
  return { path, source, readAt, isGzip, mostBytes, head, chunks };
}

/** A function that reads pieces of a file. */
function readerOf(path: string): ReadAt {
  return async (offset, length) => {
    const file = await open(path).catch((error: unknown) => {
      throw new ImageFileError(path, systemReason(error), { cause: error });
    });
    try {
      if (!Number.isSafeInteger(offset)) return new Uint8Array(0);
      const bytes = new Uint8Array(length);
      const { bytesRead } = await file.read(bytes, 0, length, offset);
      return bytes.subarray(0, bytesRead);
    } catch (error) {
      throw new ImageFileError(path, systemReason(error), { cause: error });
    } finally {
      await file.close();
    }
  };
}

/**
 * All of a file as it is.
 *
 * @throws ImageFileError where it cannot be read
 */
export async function readWhole(path: string): Promise<Uint8Array> {
  return readFile(path).catch((error: unknown) => {
    throw new ImageFileError(path, systemReason(error), { cause: error });
  });
}

/** A function that reads pieces of bytes in memory. */
export const readerIn =
  (bytes: Uint8Array): ReadAt =>
  async (offset, length) =>
    bytes.subarray(offset, offset + length);

/**
 * All of a gzipped file.
 *
 * @throws ImageFileError where it is damaged or too large
 */
export async function unpackWhole({ path, chunks }: Content): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks()) {
    length += chunk.length;
    if (length > MOST_UNPACKED) {
      throw new ImageFileError(path, `unpacks to more than ${MOST_UNPACKED / 2 ** 20} MB; unpack it before`);
    }
    parts.push(chunk);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

async function beginning(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const head = new Uint8Array(HEAD);
  let length = 0;
  for await (const chunk of chunks) {
    const part = chunk.subarray(0, HEAD - length);
    head.set(part, length);
    length += part.length;
    if (length === HEAD) break;
  }
  return head.subarray(0, length);
}

function streamOf(source: Content["source"]): Readable {
  return typeof source === "string" ? createReadStream(source) : Readable.from([source]);
}

async function* whole(path: string, source: Content["source"]): AsyncIterable<Uint8Array> {
  try {
    for await (const chunk of streamOf(source)) yield chunk as Uint8Array;
  } catch (error) {
    throw new ImageFileError(path, systemReason(error), { cause: error });
  }
}

async function* unpacked(path: string, source: Content["source"]): AsyncIterable<Uint8Array> {
  // The callback is told of every end, also of one that the reader of the stream asked for.
  const stream: Readable = pipeline(streamOf(source), createGunzip(), () => {});
  try {
    for await (const chunk of stream) yield chunk as Uint8Array;
  } catch (error) {
    throw new ImageFileError(path, damaged((error as Error).message), { cause: error });
  }
}

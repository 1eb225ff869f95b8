// `.keras` files: a zip archive of config.json, metadata.json and model.weights.h5.

import { configure, type FileEntry, Uint8ArrayReader, ZipReader } from "@zip.js/zip.js";
import { ImportError } from "../errors.ts";

/** What a `.keras` file holds. */
export interface KerasArchive {
  readonly config: string;
  readonly metadata: string;
  readonly weights: Uint8Array;
}

/** The most that each part may unpack to. A description has some 2 kB a layer. */
const LIMITS = { "config.json": 2 ** 25, "metadata.json": 2 ** 16, "model.weights.h5": 2 ** 29 } as const;
/** Keras writes three; a model's own assets may add some. */
const MAX_ENTRIES = 1000;

/** Whether bytes begin as a zip archive does. */
export function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4;
}

/**
 * Unpacks an archive. What is unpacked is counted while it comes, so that no file unpacks to more than its limit,
 * whatever it claims; checksums are verified.
 *
 * @throws ImportError where it is damaged, lacks a part or unpacks to too much
 */
export async function unpackKeras(bytes: Uint8Array): Promise<KerasArchive> {
  configure({ useWebWorkers: false });
  try {
    const parts = new Map<string, FileEntry>();
    let count = 0;
    for await (const entry of new ZipReader(new Uint8ArrayReader(bytes)).getEntriesGenerator()) {
      if (++count > MAX_ENTRIES) throw new ImportError(`is an archive of more than ${MAX_ENTRIES} files`);
      if (!entry.directory) parts.set(entry.filename, entry);
    }
    if ([...parts.keys()].some((name) => name.endsWith("/data.pkl"))) {
      throw new ImportError(
        "is a PyTorch checkpoint, a program rather than data: docs/interop.md says how to write safetensors instead",
      );
    }
    const unpack = async (name: keyof typeof LIMITS) => {
      const entry = parts.get(name);
      if (entry === undefined) throw new ImportError(`is an archive, but none of Keras's: it has no ${name}`);
      return unpackEntry(entry, LIMITS[name]);
    };
    const text = async (name: keyof typeof LIMITS) => new TextDecoder().decode(await unpack(name));
    return {
      config: await text("config.json"),
      metadata: parts.has("metadata.json") ? await text("metadata.json") : "{}",
      weights: await unpack("model.weights.h5"),
    };
  } catch (error) {
    if (error instanceof ImportError) throw error;
    throw new ImportError(`is a damaged archive: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function unpackEntry(entry: FileEntry, limit: number): Promise<Uint8Array> {
  const tooLarge = new ImportError(
    `is an archive whose ${entry.filename} unpacks to more than ${limit} bytes`,
  );
  if (entry.uncompressedSize > limit) throw tooLarge;
  const parts: Uint8Array[] = [];
  let size = 0;
  const counted = new WritableStream<Uint8Array>({
    write(part) {
      size += part.length;
      if (size > limit) throw tooLarge;
      parts.push(part);
    },
  });
  await entry.getData(counted, { checkSignature: true });
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

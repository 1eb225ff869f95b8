// `.keras` files: a zip archive of config.json, metadata.json and model.weights.h5.

import { configure, type FileEntry, Uint8ArrayReader, ZipReader } from "@zip.js/zip.js";
import { ImportError } from "../errors.ts";
import { HDF5_SIGNATURE_BYTES, isHdf5, MAX_HDF5_BYTES } from "../hdf5/read.ts";
import { torchCheckpoint } from "../layout.ts";

/** What a `.keras` file holds. */
export interface KerasArchive {
  readonly config: string;
  readonly metadata: string;
  readonly weights: Uint8Array;
}

const WEIGHTS = "model.weights.h5";

/** The most that each part may unpack to. A description has some 2 kB a layer. */
const LIMITS = { "config.json": 2 ** 24, "metadata.json": 2 ** 16, [WEIGHTS]: MAX_HDF5_BYTES } as const;
/** Keras writes three; a model's own assets may add some. */
const MAX_ENTRIES = 1000;

/** Whether bytes begin as a zip archive does. */
export function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4;
}

/**
 * Unpacks an archive. Sizes are those that its directory claims: what claims more than its limit is not unpacked, and
 * what unpacks to more than it claims is stopped there. Checksums are verified.
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
      if (entry.filename.endsWith("/data.pkl")) throw torchCheckpoint();
      if (!entry.directory) parts.set(entry.filename, entry);
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
      weights: await unpack(WEIGHTS),
    };
  } catch (error) {
    if (error instanceof ImportError) throw error;
    throw new ImportError(`is a damaged archive: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function unpackEntry(entry: FileEntry, limit: number): Promise<Uint8Array> {
  const { filename, uncompressedSize } = entry;
  if (uncompressedSize > limit) {
    throw new ImportError(
      `is an archive whose ${filename} unpacks to ${uncompressedSize} bytes; up to ${limit} are read`,
    );
  }
  const whole = new Uint8Array(uncompressedSize);
  let filled = 0;
  const filling = new WritableStream<Uint8Array>({
    write(part) {
      if (filled + part.length > whole.length) {
        throw new ImportError(
          `is a damaged archive: its ${filename} unpacks to more than the ${whole.length} bytes that it claims`,
        );
      }
      whole.set(part, filled);
      filled += part.length;
      if (filename === WEIGHTS && filled >= HDF5_SIGNATURE_BYTES && !isHdf5(whole))
        throw new ImportError(`is an archive whose ${filename} is not HDF5`);
    },
  });
  await entry.getData(filling, { checkSignature: true });
  return whole.subarray(0, filled);
}

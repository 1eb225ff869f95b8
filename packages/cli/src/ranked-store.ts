// Ranked pixels of many pictures, on disk: those of 45 photographs of HRF are 1.5 GB, which the figures of all pixels
// together need once more at the end.

import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RankedPixels } from "@saunet/model";
import { explain, WorkError } from "./errors.ts";

/** A place for ranked pixels. */
export interface RankedStore {
  /**
   * Writes them away; what comes back reads them where they are.
   *
   * @throws WorkError where there is no room left
   */
  keep(ranked: RankedPixels): RankedPixels;
  /** Gives the space back. */
  close(): void;
}

const BYTES = Uint32Array.BYTES_PER_ELEMENT;

/**
 * Opens a store among the system's temporary files.
 *
 * @throws WorkError where nothing can be written there
 */
export function openRankedStore(): RankedStore {
  const folder = writing(() => mkdtempSync(join(tmpdir(), "saunet-pixels-")));
  const file = writing(() => openSync(join(folder, "keys"), "w+"));
  remove(folder);
  let end = 0;
  return {
    keep({ starts, read }) {
      const start = end;
      const keys = read(0, starts[starts.length - 1]);
      for (let done = 0; done < keys.byteLength; ) {
        done += writing(() => writeSync(file, keys, done, keys.byteLength - done, start + done));
      }
      end += keys.byteLength;
      return {
        starts,
        read(from, to) {
          const slice = new Uint32Array(to - from);
          readSync(file, slice, 0, slice.byteLength, start + from * BYTES);
          return slice;
        },
      };
    },
    close() {
      closeSync(file);
      remove(folder);
    },
  };
}

/**
 * Takes the file out of its folder. It stays readable to whoever has it open, and its space is free again when they end,
 * even where they are killed; only Windows keeps it until it is closed.
 */
function remove(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch (error) {
    if (process.platform !== "win32") throw error;
  }
}

function writing<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    const place = `${tmpdir()}: temporary files cannot be written there: ${explain(error)}`;
    throw new WorkError(`${place} (another place can be named in TMPDIR)`, { cause: error });
  }
}

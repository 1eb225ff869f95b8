// Ranked pixels of many pictures, on disk: those of 45 photographs of HRF are 1.5 GB, which the figures of all pixels
// together need once more at the end.

import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RankedPixels } from "@saunet/model";

/** A place for ranked pixels. */
export interface RankedStore {
  /** Writes them away; what comes back reads them where they are. */
  keep(ranked: RankedPixels): RankedPixels;
  /** Gives the space back. */
  close(): void;
}

const BYTES = Uint32Array.BYTES_PER_ELEMENT;

/** Opens a store among the system's temporary files. */
export function openRankedStore(): RankedStore {
  const folder = mkdtempSync(join(tmpdir(), "saunet-pixels-"));
  const file = openSync(join(folder, "keys"), "w+");
  let end = 0;
  return {
    keep({ starts, read }) {
      const start = end;
      const keys = read(0, starts[starts.length - 1]);
      end += keys.byteLength;
      for (let done = 0; done < keys.byteLength; ) {
        done += writeSync(file, keys, done, keys.byteLength - done, start + done);
      }
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
      rmSync(folder, { recursive: true });
    },
  };
}

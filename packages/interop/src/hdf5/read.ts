// HDF5 files, read in a worker that can be ended: what a damaged file does to the library stays there.

import { start } from "#worker";
import { ImportError } from "../errors.ts";
import type { Hdf5Answer, Hdf5Tree } from "./tree.js";

/** What goes to the worker. */
export interface Hdf5Question {
  readonly bytes: Uint8Array;
  /** Names at the top of the file that are left out. */
  readonly skip: readonly string[];
}

/** A running worker; it answers one question at a time. */
export interface StartedWorker {
  ask(question: Hdf5Question): Promise<Hdf5Answer>;
  stop(): void;
}

/** Reads one HDF5 file after another. */
export interface Hdf5Reader {
  /**
   * @throws ImportError where the file is damaged, claims more than any weights hold, or takes too long
   */
  read(bytes: Uint8Array, skip: readonly string[]): Promise<Hdf5Tree>;
  close(): void;
}

/** The largest file that is opened: the whole of it lies in memory, and again in that of the library. */
export const MAX_HDF5_BYTES = 2 ** 27;
/** A file of 30 MB takes a tenth of a second on an idle machine; what runs in circles is ended. */
const PATIENCE_MS = 60_000;
/** `\x89HDF\r\n\x1a\n` */
const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/** How many bytes {@link isHdf5} looks at. */
export const HDF5_SIGNATURE_BYTES = SIGNATURE.length;

/** Whether bytes begin as HDF5 does. */
export function isHdf5(bytes: Uint8Array): boolean {
  return SIGNATURE.every((byte, i) => bytes[i] === byte);
}

/** A reader whose worker starts with the first file and again after one that brought it down. */
export function hdf5Reader({ patienceMs = PATIENCE_MS, startWorker = start } = {}): Hdf5Reader {
  let worker: StartedWorker | undefined;
  const close = () => {
    worker?.stop();
    worker = undefined;
  };
  const ask = async (question: Hdf5Question): Promise<Hdf5Answer> => {
    worker ??= await startWorker();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const tooLong = new Promise<never>((_, reject) => {
      const reason = `reading it took longer than ${patienceMs / 1000} s`;
      timer = setTimeout(() => reject(new ImportError(reason)), patienceMs);
    });
    try {
      return await Promise.race([worker.ask(question), tooLong]);
    } catch (error) {
      close();
      if (error instanceof ImportError) throw error;
      return {
        fault: `it brought the HDF5 library down: ${error instanceof Error ? error.message : String(error)}`,
      };
    } finally {
      clearTimeout(timer);
    }
  };
  return {
    async read(bytes, skip) {
      if (!isHdf5(bytes)) throw new ImportError("is not an HDF5 file");
      if (bytes.length > MAX_HDF5_BYTES) {
        throw new ImportError(`has ${bytes.length} bytes; HDF5 files of up to ${MAX_HDF5_BYTES} are read`);
      }
      const answer = await ask({ bytes, skip });
      if ("fault" in answer) throw new ImportError(`is HDF5 that cannot be read: ${answer.fault}`);
      return answer.tree;
    },
    close,
  };
}

// Finding the files of a data set whose names are known.

import { readdir } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { DatasetError, systemReason } from "../errors.ts";
import { nameSome } from "./sample.ts";

/** The files of a folder. What is asked for and not there is remembered, so that one error names all of it. */
export interface OfficialFiles {
  /** The path of a file that must be there. */
  required(name: string): string;
  /** The path of a file, or undefined where it is not there. */
  optional(name: string): string | undefined;
  /** Throws, naming what is missing, unless everything required was there. */
  expectComplete(): void;
}

/**
 * Looks through a folder and those in it. Names are compared without regard to case: HRF itself has .JPG beside .jpg,
 * and copies of a set are found with either.
 *
 * @param layout how the folder must look, and where the data set is to be had
 * @throws DatasetError where the folder cannot be read
 */
export async function officialFiles(directory: string, layout: string): Promise<OfficialFiles> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true }).catch(
    (error: unknown) => {
      throw new DatasetError(directory, `${systemReason(error)}: ${layout}`);
    },
  );
  const paths = new Map<string, string>();
  for (const entry of entries) {
    if (entry.isDirectory()) continue;
    const path = join(entry.parentPath, entry.name);
    paths.set(relative(directory, path).split(sep).join("/").toLowerCase(), path);
  }
  const optional = (name: string) => paths.get(name.toLowerCase());
  const missing: string[] = [];
  return {
    optional,
    required(name) {
      const path = optional(name);
      if (path === undefined) missing.push(name);
      return path ?? join(directory, name);
    },
    expectComplete() {
      if (missing.length > 0) throw new DatasetError(directory, `${nameSome(missing)} missing: ${layout}`);
    },
  };
}

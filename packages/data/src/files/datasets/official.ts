// Finding the files of a data set whose names are known.

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { DatasetError, systemReason } from "../errors.ts";
import { nameSome, spelled } from "./sample.ts";

/** The files of a data set. What is asked for and not there is remembered, so that one error names all of it. */
export interface OfficialFiles {
  /** The path of a file that must be there, under the first of these names that it has. */
  required(...names: readonly string[]): string;
  /** The path of a file, or undefined where it is not there. */
  optional(...names: readonly string[]): string | undefined;
  /** Throws, naming what is missing, unless everything required was there. */
  expectComplete(): void;
}

/**
 * Lists the folders that a data set consists of. Names are compared without regard to case: HRF itself has .JPG beside
 * .jpg, and copies of a set are found with either.
 *
 * @param folders relative to the directory, `"."` for itself; one that is missing has no files
 * @param layout how the folder must look, and where the data set is to be had
 * @throws DatasetError where the directory cannot be read
 */
export async function officialFiles(
  directory: string,
  folders: readonly string[],
  layout: string,
): Promise<OfficialFiles> {
  const refuse = (reason: string): never => {
    throw new DatasetError(directory, `${reason}: ${layout}`);
  };
  await readdir(directory).catch((error: unknown) => refuse(systemReason(error)));
  const paths = new Map<string, string>();
  for (const folder of folders) {
    for (const name of await readdir(join(directory, folder)).catch(() => [])) {
      paths.set(keyOf(join(folder, name)), join(directory, folder, name));
    }
  }
  const optional = (...names: readonly string[]) =>
    names.map((name) => paths.get(keyOf(name))).find((path) => path !== undefined);
  const missing: string[] = [];
  return {
    optional,
    required(...names) {
      const path = optional(...names);
      if (path === undefined) missing.push(names[0]);
      return path ?? join(directory, names[0]);
    },
    expectComplete() {
      if (missing.length > 0) refuse(`${nameSome(missing)} missing`);
    },
  };
}

const keyOf = (name: string): string => spelled(name).replaceAll("\\", "/").toLowerCase();

/** The numbers from first to last, written with so many digits. */
export function numbers(first: number, last: number, digits: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, i) => String(first + i).padStart(digits, "0"));
}

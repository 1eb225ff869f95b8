// What the tests of the data sets share: folders filled from small pictures, and refusals.

import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { syntheticFundus } from "../../synthetic.ts";
import { DatasetError } from "../errors.ts";
import { writePng } from "../write.ts";
import { type DatasetKind, readDataset, type Split } from "./index.ts";

/** A photograph with its labels. */
export const eye = syntheticFundus({ seed: 3, width: 48, height: 40 });

const FIXTURES = fileURLToPath(new URL("../../../../../fixtures/pictures/", import.meta.url));

/** The path of a picture that another tool wrote. */
export const fixture = (name: string): string => join(FIXTURES, name);

/**
 * Fills a folder. `photograph`, `vessels` and `field` stand for the pictures of one eye, `fixture:name` for a picture
 * that another tool wrote; anything else is text.
 */
export async function fill(directory: string, files: Readonly<Record<string, string>>): Promise<string> {
  const pictures = { photograph: eye.image, vessels: eye.vessels, field: eye.fieldOfView };
  for (const [file, content] of Object.entries(files)) {
    const path = join(directory, file);
    await mkdir(dirname(path), { recursive: true });
    if (content in pictures) await writePng(path, pictures[content as keyof typeof pictures]);
    else if (content.startsWith("fixture:")) await copyFile(fixture(content.slice("fixture:".length)), path);
    else await writeFile(path, content);
  }
  return directory;
}

/** What a data set is refused with, without the folder's name in front. */
export async function refusal(kind: DatasetKind, directory: string, split?: Split): Promise<string> {
  const error = await readDataset({ kind, directory, ...(split && { split }) }).then(
    () => expect.fail("was not refused"),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DatasetError);
  const { message, directory: named } = error as DatasetError;
  expect(named.startsWith(directory)).toBe(true);
  expect(message.startsWith(`${named}: `)).toBe(true);
  return message.slice(named.length + 2);
}

/** The names of a part of a data set. */
export async function idsOf(kind: DatasetKind, directory: string, split: Split): Promise<string[]> {
  return (await readDataset({ kind, directory, split })).map(({ id }) => id);
}

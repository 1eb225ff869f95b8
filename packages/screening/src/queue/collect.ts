// saunet screen collect: the parts of the table as one file. It needs no queue, and may run while workers do.

import { randomBytes } from "node:crypto";
import { type FileHandle, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import {
  counted,
  type Host,
  printLine,
  throwIfAsked,
  untilAsked,
  WorkError,
  withFile,
  writeJson,
} from "saunet/internal";
import { ROWS } from "./job.ts";
import { HEADING } from "./row.ts";

export interface CollectOptions {
  readonly out: string;
  readonly json?: boolean;
}

/** Writes the rows of all photographs that are done into one CSV, in the order of their ids. */
export async function collect(results: string, { out, json }: CollectOptions, host: Host): Promise<number> {
  const rows = join(resolve(host.cwd, results), ROWS);
  const shards = await readdir(rows).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    throw new WorkError(`${results}: saunet screen has written no results there`);
  });
  const folders = shards.sort().map((shard) => join(rows, shard));
  const photographs = await withFile(host, out, (target) =>
    untilAsked(host, (signal) =>
      writeAside(target, (file) =>
        addRows(file, folders, (count) =>
          throwIfAsked(signal, () => `read ${counted(count, "row")}, nothing was written`),
        ),
      ),
    ),
  );
  if (json) writeJson(host, { photographs, table: out });
  else printLine(host, `${counted(photographs, "photograph")} -> ${out}`);
  return 0;
}

async function addRows(
  file: FileHandle,
  folders: readonly string[],
  after: (count: number) => void,
): Promise<number> {
  let count = 0;
  await file.write(HEADING);
  for (const folder of folders) {
    const parts = (await readdir(folder)).filter((name) => name.endsWith(".csv")).sort();
    let text = "";
    for (const part of parts) {
      text += await rowIn(join(folder, part));
      count++;
    }
    await file.write(text);
    after(count);
  }
  return count;
}

async function rowIn(path: string): Promise<string> {
  const part = await readFile(path, "utf8");
  if (!part.startsWith(HEADING) || !part.endsWith("\n"))
    throw new WorkError(`${path}: is no row of this version of saunet screen`);
  return part.slice(HEADING.length);
}

/** As `writeWhole`, for more than fits into memory. */
async function writeAside(target: string, write: (file: FileHandle) => Promise<number>): Promise<number> {
  const temporary = `${target}.${randomBytes(4).toString("hex")}.tmp`;
  try {
    const file = await open(temporary, "wx");
    let count: number;
    try {
      count = await write(file);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
    return count;
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

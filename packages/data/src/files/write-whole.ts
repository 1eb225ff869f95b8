// Files that are there whole or not at all.

import { randomBytes } from "node:crypto";
import type { Stats } from "node:fs";
import { access, constants, open, readlink, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { ImageFileError, systemReason } from "./errors.ts";

/**
 * Writes a file under another name beside the target, syncs it and renames it: where that fails, what was there before
 * is still there. A symbolic link stays, and what it points to is replaced; a file keeps its permissions. What is no
 * regular file (a FIFO, a terminal, /dev/null) is never replaced: it is written into. A block device is refused, since it
 * may be a disk.
 *
 * @throws ImageFileError naming the path where it cannot be written
 * @example
 * await writeWhole("figures.json", JSON.stringify({ f1: 0.8 }));
 */
export async function writeWhole(path: string, content: Uint8Array | string): Promise<void> {
  try {
    const before = await statIfThere(path);
    // /dev/stdout may be a regular file, which whoever opened it goes on writing to.
    const isReplaced = before === undefined || before.isFile() || before.isDirectory();
    if (isReplaced && !resolve(path).startsWith("/dev/")) {
      await replace(await followLinks(path), content, before);
    } else {
      await writeInto(path, content, before);
    }
  } catch (error) {
    throw new ImageFileError(path, `cannot be written: ${systemReason(error)}`, { cause: error });
  }
}

async function replace(target: string, content: Uint8Array | string, before: Stats | undefined) {
  const mode = before?.isFile() ? before.mode & 0o777 : undefined;
  // A rename would replace a file that nobody may write to.
  if (mode !== undefined) await access(target, constants.W_OK);
  const temporary = join(dirname(target), temporaryName(basename(target)));
  try {
    const file = await open(temporary, "wx", mode);
    try {
      // Opening leaves out what the umask takes away. Some network drives know no modes.
      if (mode !== undefined) await file.chmod(mode).catch(() => {});
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
}

async function writeInto(path: string, content: Uint8Array | string, found: Stats | undefined) {
  const isWritable = found?.isFIFO() || found?.isCharacterDevice() || found?.isFile();
  if (found !== undefined && !isWritable) throw new Error("is neither a file nor a pipe");
  const file = await open(path, constants.O_WRONLY | constants.O_APPEND);
  try {
    await file.writeFile(content);
  } finally {
    await file.close();
  }
}

/** Characters of the target's name that its temporary name begins with: at most 128 bytes. File systems take 143 to 255. */
const NAME_CHARACTERS = 32;

/**
 * A name for a file while it is written: it begins as the target's does and fits wherever that fits.
 *
 * @param name of the target, without its folder
 * @example
 * console.log(temporaryName("mask.png").startsWith("mask.png")); // true
 */
export function temporaryName(name: string): string {
  const beginning = [...name].slice(0, NAME_CHARACTERS).join("");
  return `${beginning}.${randomBytes(4).toString("hex")}.tmp`;
}

async function statIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** As many links as Linux follows. */
const MOST_LINKS = 40;

/** Where a path ends once its last part is no symbolic link, whether anything is there or not. */
async function followLinks(path: string): Promise<string> {
  let target = path;
  for (let followed = 0; followed <= MOST_LINKS; followed++) {
    const link = await readlink(target).catch(() => undefined);
    if (link === undefined) return target;
    target = resolve(dirname(target), link);
  }
  throw new Error("is a chain of symbolic links without an end");
}

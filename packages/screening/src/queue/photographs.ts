// References from a command line: files, folders, URLs, and lists on standard input; never more than one at a time in
// memory.

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { opendir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { sha256 } from "saunet/internal";
import { isUrl, readReference } from "../reference.ts";

/** Where references come from. */
export interface Listing {
  readonly cwd: string;
  /** What `-` stands for: one path or URL per line. */
  readonly input: NodeJS.ReadableStream;
  /** Folder that is not looked into, since results are written there. */
  readonly except: string;
}

const PICTURE = /\.(jpe?g|png|tiff?|webp|gif|p[pgbn]m)(\.gz)?$/i;

/** References of what was named. What is not there is handed on, for whoever reads it to complain. */
export async function* referencesOf(named: readonly string[], listing: Listing): AsyncGenerator<string> {
  for (const name of named) {
    if (name === "-") yield* fromList(listing);
    else yield* fromName(name, listing);
  }
}

async function* fromList(listing: Listing): AsyncGenerator<string> {
  for await (const line of createInterface({ input: listing.input, crlfDelay: Number.POSITIVE_INFINITY })) {
    const name = line.trim();
    if (name !== "") yield* fromName(name, listing);
  }
}

async function* fromName(name: string, listing: Listing): AsyncGenerator<string> {
  if (isUrl(name)) return yield new URL(name).href;
  const path = resolve(listing.cwd, name);
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) yield* fromFolder(path, listing);
  else yield path;
}

/** The pictures in a folder and those below it, without hidden ones. */
async function* fromFolder(folder: string, listing: Listing): AsyncGenerator<string> {
  if (folder === listing.except) return;
  for await (const entry of await opendir(folder)) {
    if (entry.name.startsWith(".")) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* fromFolder(path, listing);
    else if (PICTURE.test(entry.name)) yield path;
  }
}

/** SHA-256 of what lies at a reference, a piece at a time. */
export async function hashOf(reference: string): Promise<string> {
  if (isUrl(reference)) return sha256(await readReference(reference));
  const hash = createHash("sha256");
  for await (const piece of createReadStream(reference)) hash.update(piece as Uint8Array);
  return hash.digest("hex");
}

// Pictures that carry a mark of the command which wrote them, so that it can tell its own from what a person drew. The
// mark is a text chunk of PNG (W3C, Portable Network Graphics, sections 5.3 and 11.3.3) with a hash of the compressed
// pixels: an editor that keeps texts but changes pixels breaks it.

import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { crc32 } from "node:zlib";
import { UsageError } from "./errors.ts";
import { withFile } from "./files.ts";
import type { Host } from "./output.ts";

/** Where the first chunk, the header, ends: the signature has 8 bytes, the header 12 and its 13 of content. */
const HEADER_END = 33;
const TEXT = "tEXt";

/** Adds the mark to a PNG. */
export function markedPng(png: Uint8Array): Uint8Array {
  return withText(png, markOf(png));
}

/** Adds a text that viewers show: what the picture is, in Latin-1. */
export function commentedPng(png: Uint8Array, comment: string): Uint8Array {
  return withText(png, `Comment\0${comment}`);
}

/** @param text keyword and text as PNG joins them */
function withText(png: Uint8Array, text: string): Uint8Array {
  const content = Buffer.from(text, "latin1");
  const chunk = Buffer.alloc(12 + content.length);
  chunk.writeUInt32BE(content.length, 0);
  chunk.write(TEXT, 4, "latin1");
  chunk.set(content, 8);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, -4)), chunk.length - 4);
  return Buffer.concat([png.subarray(0, HEADER_END), chunk, png.subarray(HEADER_END)]);
}

/** The implementation's name stands in the first elements of a DICOM file; whatever else writes it puts its own there. */
function isOwnDicom(bytes: Uint8Array): boolean {
  const head = Buffer.from(bytes.subarray(128, 512)).toString("latin1");
  return head.startsWith("DICM") && head.includes("SAUNET");
}

/** Whether a file is a PNG that {@link markedPng} made and nobody has changed, or DICOM of the same hand. */
export async function isOwnPicture(path: string): Promise<boolean> {
  const bytes = await readFile(path);
  if (isOwnDicom(bytes)) return true;
  const mark = markOf(bytes);
  return chunksOf(bytes).some(
    ({ type, content }) => type === TEXT && Buffer.from(content).toString("latin1") === mark,
  );
}

/**
 * Refuses to write over a picture that a person made: a mask beside a photograph may be a day's work.
 *
 * @throws UsageError
 */
export async function refuseForeign(file: string, host: Host): Promise<void> {
  const path = resolve(host.cwd, file);
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile() || (await withFile(host, file, isOwnPicture))) return;
  throw new UsageError(
    `${file} is there, and saunet did not write it or it was changed since; choose another --out, or --overwrite it`,
  );
}

/** Keyword and text as PNG joins them. */
function markOf(png: Uint8Array): string {
  const hash = createHash("sha256");
  for (const { type, content } of chunksOf(png)) if (type === "IDAT") hash.update(content);
  return `Software\0saunet segment; SHA-256 of the pixels' data: ${hash.digest("hex")}`;
}

/** The whole chunks of a PNG; none of other files. */
function chunksOf(png: Uint8Array): { readonly type: string; readonly content: Uint8Array }[] {
  const bytes = Buffer.from(png.buffer, png.byteOffset, png.byteLength);
  const chunks: { type: string; content: Uint8Array }[] = [];
  if (bytes.toString("latin1", 1, 4) !== "PNG") return chunks;
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const end = at + 8 + length;
    if (end + 4 > bytes.length) break;
    chunks.push({ type: bytes.toString("latin1", at + 4, at + 8), content: bytes.subarray(at + 8, end) });
    at = end + 4;
  }
  return chunks;
}

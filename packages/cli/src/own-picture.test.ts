// The mark by which the command knows its own pictures: what keeps it, what breaks it, and what carries none.

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodePng } from "@saunet/data/files";
import { decode } from "fast-png";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UsageError } from "./errors.ts";
import { commentedPng, isOwnPicture, markedPng, refuseForeign } from "./own-picture.ts";
import { keeper, smallFundus } from "./testing.ts";

let here: string;
let plain: Uint8Array;
let own: Uint8Array;
beforeAll(async () => {
  here = await mkdtemp(join(tmpdir(), "saunet-own-"));
  plain = await encodePng(smallFundus(1).image);
  own = markedPng(plain);
});
afterAll(() => rm(here, { recursive: true }));

async function isOwn(bytes: Uint8Array): Promise<boolean> {
  const path = join(here, "picture");
  await writeFile(path, bytes);
  return isOwnPicture(path);
}

/** The preamble of a DICOM file, its mark and what stands in its first elements. */
const dicom = (text: string, at = 128) => Buffer.concat([Buffer.alloc(at), Buffer.from(text)]);
const without = (bytes: Uint8Array, at: number) => Buffer.concat([bytes.slice(0, at), bytes.slice(at + 1)]);

describe("a picture is the command's own", () => {
  it("with its mark, whatever other texts it has, and a file of DICOM that names it", async () => {
    expect(await isOwn(own)).toBe(true);
    expect(await isOwn(commentedPng(own, "seen by H. Müller"))).toBe(true);
    expect(await isOwn(dicom("DICM…SAUNET_1"))).toBe(true);
  });

  it("and nobody else's: without a mark, with one of other pixels, in another type or at another place", async () => {
    const other = await encodePng(smallFundus(2).image);
    const marked = markedPng(other);
    const mark = marked.slice(33, 33 + marked.length - other.length);
    const foreign = Buffer.concat([plain.slice(0, 33), mark, plain.slice(33)]);
    const [notPng, notDicom] = [Buffer.from(own), dicom("DICX…SAUNET_1")];
    notPng.write("X", 1);
    for (const bytes of [
      ...[plain, commentedPng(plain, "Software"), foreign, notPng, notDicom],
      ...[dicom("DICM…another", 128), dicom("DICM…SAUNET_1", 127), dicom(`DICM${" ".repeat(400)}SAUNET`)],
      ...[new Uint8Array(), Buffer.from("PNG"), own.slice(0, 40), without(own, 90)],
    ])
      expect(await isOwn(bytes)).toBe(false);
  });

  it("also where the rest of it is cut off, whose pixels are other ones then", async () => {
    for (let end = 8; end < own.length - 12; end += 43) expect(await isOwn(own.slice(0, end))).toBe(false);
    // The last chunk, which ends a PNG, holds nothing.
    expect(await isOwn(own.slice(0, -12))).toBe(true);
    expect(await isOwn(own.slice(0, -1))).toBe(true);
  });
});

it("a comment is what readers show, in Latin-1, and leaves the pixels as they are", async () => {
  const commented = commentedPng(plain, "Gefäße: 12 %");
  expect(decode(commented).text).toEqual({ Comment: "Gefäße: 12 %" });
  const pixels = (png: Uint8Array) => sharp(png, { failOn: "warning" }).raw().toBuffer();
  expect(await pixels(commented)).toEqual(await pixels(plain));
});

it("a person's picture is not written over; nothing, a folder and one's own are", async () => {
  const host = { stdout: keeper().stream, stderr: keeper().stream, cwd: here };
  await writeFile(join(here, "own.png"), own);
  await writeFile(join(here, "drawn.png"), plain);
  await mkdir(join(here, "folder"));
  for (const name of ["own.png", "missing.png", "folder"])
    await expect(refuseForeign(name, host)).resolves.toBeUndefined();
  await expect(refuseForeign("drawn.png", host)).rejects.toThrow(
    new UsageError(
      "drawn.png is there, and saunet did not write it or it was changed since; choose another --out, or --overwrite it",
    ),
  );
});

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import sharp, { type Sharp } from "sharp";
import { describe, expect, it } from "vitest";
import { isCmykJpeg, isWhole } from "./whole.ts";

const photograph = fileURLToPath(new URL("../../../../fixtures/pictures/photograph.png", import.meta.url));

/** 24 bits per pixel, rows from the bottom: sharp writes no BMP. */
function bmp(width: number, height: number): Uint8Array {
  const row = 4 * Math.ceil((width * 24) / 32);
  const bytes = new Uint8Array(54 + row * height);
  const view = new DataView(bytes.buffer);
  bytes.set([0x42, 0x4d]);
  for (const [at, value] of [
    [2, bytes.length],
    [10, 54],
    [14, 40],
    [18, width],
    [22, height],
  ])
    view.setUint32(at, value, true);
  view.setUint16(28, 24, true);
  return bytes;
}

const FILES: Readonly<Record<string, () => Promise<Uint8Array>>> = {
  "baseline.jpg": () => sharp(photograph).jpeg().toBuffer(),
  "progressive.jpg": () => sharp(photograph).jpeg({ progressive: true }).toBuffer(),
  "with-profile.jpg": () => (sharp(photograph).keepIccProfile().jpeg().withExif({}) as Sharp).toBuffer(),
  "picture.png": () => readFile(photograph),
  "picture.gif": () => sharp(photograph).gif().toBuffer(),
  "picture.webp": () => sharp(photograph).webp().toBuffer(),
  "lossless.webp": () => sharp(photograph).webp({ lossless: true }).toBuffer(),
  "picture.avif": () => sharp(photograph).avif().toBuffer(),
  "picture.bmp": async () => bmp(31, 20),
};

describe("isWhole", () => {
  it.each(Object.keys(FILES))("knows %s whole, and cut short anywhere", async (name) => {
    const bytes = Uint8Array.from(await FILES[name]());
    const kind = name.split(".")[1];
    expect(isWhole(kind, bytes)).toBe(true);
    for (let share = 0; share < 100; share++) {
      const length = Math.floor((bytes.length * share) / 100);
      expect([length, isWhole(kind, bytes.subarray(0, length))]).toEqual([length, false]);
    }
  });

  it("knows restart markers, which some cameras write into the coded data", async () => {
    const bytes = [...(await FILES["baseline.jpg"]())];
    const header = bytes.findIndex((byte, i) => byte === 0xff && bytes[i + 1] === 0xda);
    const data = header + 2 + 256 * bytes[header + 2] + bytes[header + 3];
    const place = bytes.findIndex((byte, i) => i > data + 20 && byte !== 0xff && bytes[i - 1] !== 0xff);
    for (const marker of [0xd0, 0xd3, 0xd7])
      expect(isWhole("jpg", Uint8Array.from(bytes.toSpliced(place, 0, 0xff, marker)))).toBe(true);
  });

  it.each(["jpg", "png", "gif", "webp", "bmp"])(
    "lets a file of kind %s go on behind its end",
    async (kind) => {
      const name = Object.keys(FILES).find((each) => each.endsWith(kind))!;
      const bytes = Uint8Array.from([...(await FILES[name]()), 1, 2, 3]);
      expect(isWhole(kind, bytes)).toBe(true);
    },
  );
});

describe("isCmykJpeg", () => {
  it.each([
    ["baseline", false],
    ["progressive", true],
  ])("tells inks from colours and from grey (%s)", async (_, progressive) => {
    const of = (space: string) => sharp(photograph).toColourspace(space).jpeg({ progressive }).toBuffer();
    const answers = await Promise.all(
      ["cmyk", "srgb", "b-w"].map(async (space) => isCmykJpeg(await of(space))),
    );
    expect(answers).toEqual([true, false, false]);
  });

  it("says no of what is cut before its frame", async () => {
    const bytes = await sharp(photograph).toColourspace("cmyk").jpeg().toBuffer();
    for (let length = 0; length < 20; length++) expect(isCmykJpeg(bytes.subarray(0, length))).toBe(false);
  });
});

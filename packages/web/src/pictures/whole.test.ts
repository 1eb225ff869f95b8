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

/** Files made by hand of little more than their structure. */
describe("the structure of", () => {
  const text = (of: string) => [...of].map((character) => character.charCodeAt(0));
  const word = (value: number) => [value >> 24, value >> 16, value >> 8, value].map((byte) => byte & 255);
  const whole = (kind: string, ...bytes: readonly number[]) => isWhole(kind, Uint8Array.from(bytes));

  it("a JPEG may have markers that stand alone, any number of FF before one, and ends at its end alone", () => {
    const [begin, end] = [
      [0xff, 0xd8],
      [0xff, 0xd9],
    ];
    const segment = [0xff, 0xe0, 0, 4, 1, 2];
    expect(whole("jpg", ...begin, ...segment, ...end)).toBe(true);
    for (const alone of [0x01, 0xd0, 0xd4, 0xd7, 0xd8])
      expect(whole("jpg", ...begin, 0xff, alone, ...segment, ...end)).toBe(true);
    expect(whole("jpg", ...begin, 0xff, 0xff, 0xff, ...segment, 0xff, ...end)).toBe(true);
    expect(whole("jpg", ...begin, ...segment, 0x00, 0xd9)).toBe(false);
    expect(whole("jpg", ...begin, ...segment)).toBe(false);
    expect(whole("jpg", ...begin, 0xff, 0xe0, 0)).toBe(false);
    expect(whole("jpg", ...begin, 0xff, 0xe0, 0, 99, ...end)).toBe(false);
    // In a scan an end is coded as FF 00, and restart markers are none.
    const scan = [0xff, 0xda, 0, 2, 7, 0xff, 0x00, 0xd9, 0xff, 0xd0, 5, 0xff, 0xd7, 6];
    expect(whole("jpg", ...begin, ...scan, ...end)).toBe(true);
    expect(whole("jpg", ...begin, ...scan)).toBe(false);
  });

  it("a PNG is chunks up to IEND", () => {
    const chunk = (name: string, length: number) => [
      ...word(length),
      ...text(name),
      ...Array(length + 4).fill(0),
    ];
    const begin = Array(8).fill(0);
    expect(whole("png", ...begin, ...chunk("IDAT", 5), ...chunk("IEND", 0))).toBe(true);
    expect(whole("png", ...begin, ...chunk("IEND", 0).slice(0, -1))).toBe(false);
    expect(whole("png", ...begin, ...chunk("IDAT", 5))).toBe(false);
  });

  it("a GIF has tables of colours, extensions and blocks up to the end of its first picture", () => {
    const head = (flags: number) => [...text("GIF89a"), 1, 0, 1, 0, flags, 0, 0];
    const table = (count: number) => Array(3 * count).fill(9);
    const extension = [0x21, 0xf9, 2, 5, 5, 0];
    const picture = (flags: number, colours: readonly number[]) => [
      0x2c,
      ...Array(8).fill(0),
      flags,
      ...colours,
      2,
      3,
      1,
      2,
      3,
      0,
    ];
    const end = [0x3b];
    expect(whole("gif", ...head(0), ...picture(0, []), ...end)).toBe(true);
    expect(whole("gif", ...head(0x81), ...table(4), ...extension, ...picture(0x80, table(2)), ...end)).toBe(
      true,
    );
    // The last block is there, and what follows it is not.
    expect(whole("gif", ...head(0), ...picture(0, []).slice(0, -1))).toBe(false);
    expect(whole("gif", ...head(0), ...extension)).toBe(false);
    expect(whole("gif", ...head(0), 0x55, ...picture(0, []), ...end)).toBe(false);
  });

  it("a BMP says where its pixels begin, and what they take", () => {
    const file = (header: number, fields: Readonly<Record<number, number>>, length: number) => {
      const bytes = new Uint8Array(length);
      const view = new DataView(bytes.buffer);
      view.setUint32(14, header, true);
      for (const [at, value] of Object.entries(fields)) view.setUint32(Number(at), value, true);
      return isWhole("bmp", bytes);
    };
    // That of OS/2 says nothing of its data's size.
    expect([file(12, { 10: 26 }, 27), file(12, { 10: 26 }, 26)]).toEqual([true, false]);
    const plain = { 10: 54, 18: 3, 22: 2, 28: 24 };
    expect([file(40, plain, 54 + 24), file(40, plain, 54 + 23)]).toEqual([true, false]);
    // Rows from the top are counted below zero.
    expect([file(40, { ...plain, 22: -2 }, 54 + 24), file(40, { ...plain, 22: -2 }, 54 + 23)]).toEqual([
      true,
      false,
    ]);
    expect([
      file(40, { ...plain, 30: 3, 28: 32 }, 54 + 24),
      file(40, { ...plain, 30: 3, 28: 32 }, 54 + 23),
    ]).toEqual([true, false]);
    expect([
      file(40, { ...plain, 30: 1, 34: 5 }, 54 + 5),
      file(40, { ...plain, 30: 1, 34: 5 }, 54 + 4),
    ]).toEqual([true, false]);
  });

  it("an AVIF is boxes, data among them, the last of which may go on to the end", () => {
    const box = (name: string, length: number, size = 8 + length) => [
      ...word(size),
      ...text(name),
      ...Array(length).fill(0),
    ];
    const large = [...word(1), ...text("mdat"), ...word(0), ...word(20), 1, 2, 3, 4];
    expect(whole("avif", ...box("ftyp", 8), ...box("mdat", 8))).toBe(true);
    expect(whole("avif", ...box("ftyp", 8), ...large)).toBe(true);
    expect(whole("avif", ...box("ftyp", 8), ...box("mdat", 9, 0))).toBe(true);
    expect(whole("avif", ...box("ftyp", 8), ...box("free", 9, 0))).toBe(false);
    expect(whole("avif", ...box("ftyp", 8), ...box("free", 8))).toBe(false);
    expect(whole("avif", ...box("ftyp", 8), ...box("mdat", 8, 17))).toBe(false);
    expect(whole("avif", ...box("ftyp", 8), ...box("mdat", 9, 16))).toBe(false);
  });

  it("a WebP says how long it is", () => {
    const file = (size: number, length: number) =>
      whole("webp", ...text("RIFF"), size, 0, 0, 0, ...Array(length - 8).fill(0));
    expect([file(12, 20), file(13, 20), file(12, 21)]).toEqual([true, false, true]);
  });

  it("others is looked at elsewhere", () => {
    expect(whole("tiff", 1)).toBe(true);
  });
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

  it("looks for the frame among other segments, and only as far as the file goes", () => {
    const cmyk = (marker: number, ...before: readonly number[]) => [
      0xff,
      0xd8,
      ...before,
      0xff,
      marker,
      0,
      17,
      8,
      0,
      1,
      0,
      1,
      4,
    ];
    const table = [0xff, 0xc4, 0, 10, 8, 0, 1, 0, 1, 4, 0, 0];
    const said = (bytes: readonly number[]) => isCmykJpeg(Uint8Array.from(bytes));
    for (const marker of [0xc0, 0xc1, 0xc2, 0xc3, 0xc9, 0xcf]) expect(said(cmyk(marker))).toBe(true);
    // What is said of four in a table, or in something that is no frame, is said of something else.
    for (const marker of [0xbf, 0xc4, 0xc8, 0xcc, 0xd0, 0xe0]) expect(said(cmyk(marker))).toBe(false);
    expect(said(cmyk(0xc0, ...table))).toBe(true);
    expect(said([...cmyk(0xc0).slice(0, -1), 3])).toBe(false);
    expect(said(cmyk(0xc0, 0xff, 0xff))).toBe(true);
    expect(said(cmyk(0xc0).slice(0, -1))).toBe(false);
    // Nothing is looked for behind the beginning of the pixels.
    expect(said(cmyk(0xc0, 0xff, 0xda, 0, 2))).toBe(false);
  });

  it("says no of what is cut before its frame", async () => {
    const bytes = await sharp(photograph).toColourspace("cmyk").jpeg().toBuffer();
    for (let length = 0; length < 20; length++) expect(isCmykJpeg(bytes.subarray(0, length))).toBe(false);
  });
});

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import sharp, { type Sharp } from "sharp";
import { describe, expect, it } from "vitest";
import { decodeTiff } from "./tiff.ts";

const fixture = (name: string) =>
  fileURLToPath(new URL(`../../../../fixtures/pictures/${name}`, import.meta.url));

/** What libvips makes of the same file. */
async function expected(bytes: Uint8Array): Promise<Buffer> {
  return sharp(bytes)
    .flatten({ background: "black" })
    .toColourspace("srgb")
    .ensureAlpha()
    .raw({ depth: "uchar" })
    .toBuffer();
}

const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce(
    (most, value, i) => Math.max(most, Math.abs(value - b[i])),
    a.length === b.length ? 0 : 256,
  );

describe("decodeTiff", () => {
  it.each(["drive.tif", "hrf-field.tif", "hrf-vessels.tif", "hrf-vessels-big-endian.tif"])(
    "reads %s as libvips does",
    async (name) => {
      const bytes = await readFile(fixture(name));
      const { data } = decodeTiff(Uint8Array.from(bytes));
      expect(largestDifference(data, await expected(bytes))).toBe(0);
    },
  );

  it.each([
    ["grey", (picture: Sharp) => picture.greyscale(), 0],
    ["16 bits", (picture: Sharp) => picture.toColourspace("rgb16"), 1],
    ["see-through", (picture: Sharp) => picture.ensureAlpha(0.5), 1],
  ] as const)("reads pictures that are %s", async (_, change, tolerance) => {
    const bytes = await change(sharp(fixture("photograph.png")))
      .tiff({ compression: "lzw" })
      .toBuffer();
    const { data } = decodeTiff(Uint8Array.from(bytes));
    expect(largestDifference(data, await expected(bytes))).toBeLessThanOrEqual(tolerance);
  });

  it("refuses a file that is cut short", async () => {
    const bytes = await sharp(fixture("photograph.png")).tiff({ compression: "none" }).toBuffer();
    for (const length of [8, bytes.length >> 1])
      expect(() => decodeTiff(Uint8Array.from(bytes.subarray(0, length)))).toThrow();
  });

  it("refuses a file whose last pixel is missing, and reads it whole", () => {
    // Grey, 4 x 1: the header, a list of tags, and the pixels behind it.
    const [WIDTH, HEIGHT, BITS, PHOTOMETRIC, START, SIZE] = [256, 257, 258, 262, 273, 279];
    const tags = [
      [WIDTH, 4],
      [HEIGHT, 1],
      [BITS, 8],
      [PHOTOMETRIC, 1],
      [START, 86],
      [SIZE, 4],
    ] as const;
    const bytes = new Uint8Array(90);
    const view = new DataView(bytes.buffer);
    bytes.set([0x49, 0x49, 42, 0, 8, 0, 0, 0, tags.length]);
    for (const [i, [tag, value]] of tags.entries()) {
      view.setUint16(10 + 12 * i, tag, true);
      // One number of 16 bits.
      view.setUint16(12 + 12 * i, 3, true);
      view.setUint32(14 + 12 * i, 1, true);
      view.setUint16(18 + 12 * i, value, true);
    }
    bytes.set([10, 20, 30, 40], 86);
    const { data } = decodeTiff(bytes);
    expect([...data.filter((_, i) => i % 4 === 0)]).toEqual([10, 20, 30, 40]);
    expect(() => decodeTiff(bytes.slice(0, -1))).toThrow("the file is cut short");
  });

  it("refuses inks", async () => {
    const bytes = await sharp(fixture("photograph.png")).toColourspace("cmyk").tiff().toBuffer();
    expect(() => decodeTiff(Uint8Array.from(bytes))).toThrow(/holds amounts of inks \(CMYK\)/);
  });
});

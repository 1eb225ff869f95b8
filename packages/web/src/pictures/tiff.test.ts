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

  it("refuses inks", async () => {
    const bytes = await sharp(fixture("photograph.png")).toColourspace("cmyk").tiff().toBuffer();
    expect(() => decodeTiff(Uint8Array.from(bytes))).toThrow(/holds amounts of inks \(CMYK\)/);
  });
});

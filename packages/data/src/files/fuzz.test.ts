// Pictures that something went wrong with: each is refused in one line, or is a picture of the size that its header says.
// SAUNET_FUZZ=170 tries 170 times as many: 10,000 of each kind.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { damages, hurt } from "../../../../fixtures/damage.ts";
import { ImageFileError } from "./errors.ts";
import { readMask, readPhotograph, readSize } from "./read.ts";

const times = Number(process.env.SAUNET_FUZZ ?? 1);
const RUNS = 60;
const FIXTURES = new URL("../../../../fixtures/picture-types/", import.meta.url);
/** What damage to a header asks for beyond this is refused; the pictures have 480 pixels. */
const maxPixels = 1_000_000;

const KINDS: Readonly<Record<string, readonly string[]>> = {
  PNG: ["grey1.png", "rgb8.png", "rgba16.png", "palette.png", "mask1.png", "mask16-0-1.png"],
  JPEG: ["rgb420.jpg", "progressive.jpg", "rgb-6.jpg", "mask.jpg", "lossless.jpg"],
  "TIFF of 8 bits": [
    ...["rgb-lzw-predictor.tif", "rgb-deflate.tif", "rgb-packbits.tif", "rgb-tiles.tif", "rgb-planes.tif"],
    ...["rgb-big.tif", "rgb-big-endian.tif", "rgb-jpeg.tif", "rgb-extra-alpha.tif", "thumbnail.tif"],
    ...["mask1-group4.tif", "mask-two-extra.tif"],
  ],
  "TIFF of other samples": [
    ...["rgb-uint16.tif", "grey-uint32.tif", "rgb-float-predictor.tif", "grey-float16.tif", "rgb16-srgb.tif"],
    ...["mask-int8-0-1.tif", "mask-int16--1-1.tif", "mask-int32-0-255.tif"],
  ],
  WebP: ["rgb.webp", "rgba.webp", "lossy.webp"],
  GIF: ["palette.gif", "frames.gif", "mask-palette.gif"],
  Netpbm: ["bits.pbm", "plain.pbm", "grey12.pgm", "plain.pgm", "rgb.ppm", "plain.ppm", "rgb16.ppm"],
  "gzipped pictures": ["rgb.ppm.gz", "rgb8.png.gz"],
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "saunet-fuzz-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** What a reader makes of a file; undefined where it refuses it in one line. */
async function taken<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof ImageFileError)) throw error;
    expect(error.message.length).toBeLessThan(1000);
    expect(error.message).not.toContain("\n");
    return undefined;
  }
}

describe("damaged pictures", () => {
  it.each(Object.entries(KINDS))(
    "%s",
    async (kind, names) => {
      const wholes = await Promise.all(names.map((name) => readFile(new URL(name, FIXTURES))));
      const path = join(folder, kind.replaceAll(" ", "-"));
      let refused = 0;
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...wholes), damages, async (whole, all) => {
          await writeFile(path, hurt(whole, all));
          const photograph = await taken(readPhotograph(path, { maxPixels }));
          const mask = await taken(readMask(path, { maxPixels }));
          if (photograph === undefined) refused++;
          for (const picture of [photograph, mask]) {
            if (picture === undefined) continue;
            const { width, height } = picture;
            expect(await readSize(path, { maxPixels })).toEqual({ width, height });
            expect(picture.data.length).toBe(width * height * (picture === mask ? 1 : 3));
          }
          expect(mask?.data.every((value) => value <= 1) ?? true).toBe(true);
        }),
        { numRuns: RUNS * times },
      );
      expect(refused).toBeGreaterThan(0);
    },
    120_000 * times,
  );
});

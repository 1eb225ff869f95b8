// What is made of a photograph that was read from a file: flips at test time and every augmentation give what they give
// of the same pixels in memory, and leave the photograph as it was.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randomState } from "@saunet/core";
import { augment, fieldOfView, labelledImage, type PlainBytes, paperAugmentation } from "@saunet/data";
import { readMask, readPhotograph } from "@saunet/data/files";
import {
  confusion,
  loadSegmenter,
  macroAverage,
  evaluate as metricsOf,
  segmentWithFlips,
} from "@saunet/model";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { saunet, smallFundus, write, writeFolder, writeFreshWeights } from "./testing.ts";

const SIDE = 48;
const { image, vessels } = smallFundus(1);
const KINDS = ["png", "tif", "webp", "ppm", "png with alpha", "png of 16 bits"] as const;

let here: string;
beforeAll(async () => {
  here = await mkdtemp(join(tmpdir(), "saunet-from-disk-"));
  await writeFreshWeights(join(here, "tiny.safetensors"));
  await writeFolder(join(here, "set"), ["a", "b"]);
});
afterAll(() => rm(here, { recursive: true }));

/** The photograph as a file of a kind that loses nothing. */
async function fileOf(kind: (typeof KINDS)[number]): Promise<string> {
  const path = join(here, `${kind.replaceAll(" ", "-")}.${kind.slice(0, 4).trim()}`);
  const rgb = Uint8Array.from(image.data);
  const picture = sharp(rgb, { raw: { width: SIDE, height: SIDE, channels: 3 } });
  if (kind === "ppm") await writeFile(path, Buffer.concat([Buffer.from(`P6 ${SIDE} ${SIDE} 255\n`), rgb]));
  else if (kind === "png of 16 bits") {
    const wide = Uint16Array.from(rgb, (value) => 257 * value);
    const deep = sharp(wide, { raw: { width: SIDE, height: SIDE, channels: 3 } });
    await deep.toColourspace("rgb16").png().toFile(path);
  } else if (kind === "png with alpha") await picture.ensureAlpha().png().toFile(path);
  else if (kind === "webp") await picture.webp({ lossless: true }).toFile(path);
  else if (kind === "tif") await picture.tiff({ compression: "lzw" }).toFile(path);
  else await picture.png().toFile(path);
  return path;
}

/** Mirrored pixel by pixel, in plain arrays. */
function mirrored(
  values: ArrayLike<number>,
  channels: number,
  horizontal: boolean,
  vertical: boolean,
): number[] {
  return Array.from({ length: SIDE * SIDE * channels }, (_, i) => {
    const [c, pixel] = [i % channels, Math.floor(i / channels)];
    const [x, y] = [pixel % SIDE, Math.floor(pixel / SIDE)];
    const [fromX, fromY] = [horizontal ? SIDE - 1 - x : x, vertical ? SIDE - 1 - y : y];
    return values[(fromY * SIDE + fromX) * channels + c];
  });
}

const FLIPS = [
  ["horizontal", true, false],
  ["vertical", false, true],
  ["both", true, true],
] as const;

/** The mean of four opinions, in the plainest way. */
async function meanOfFour(pixels: ArrayLike<number>): Promise<number[]> {
  const segmenter = await loadSegmenter({ weights: await weights() });
  const sum = new Float64Array(SIDE * SIDE);
  for (const [, horizontal, vertical] of [["none", false, false] as const, ...FLIPS]) {
    const data = Uint8Array.from(mirrored(pixels, 3, horizontal, vertical));
    const { probability } = await segmenter.segment({ width: SIDE, height: SIDE, data });
    mirrored(probability, 1, horizontal, vertical).forEach((value, i) => {
      sum[i] += value / 4;
    });
  }
  return [...sum];
}

const weights = () => readFile(join(here, "tiny.safetensors"));

describe.each(KINDS)("a photograph from a file: %s", (kind) => {
  it("is bytes of its own, and those of the file", async () => {
    const { data } = await readPhotograph(await fileOf(kind));
    expect(Object.getPrototypeOf(data)).toBe(Uint8Array.prototype);
    expect(data.buffer.byteLength).toBe(data.length);
    expect([...data]).toEqual([...image.data]);
    // A Buffer passes for a Uint8Array, but not for the bytes of a photograph.
    // @ts-expect-error
    const refused: PlainBytes = Buffer.from(data);
    expect(refused.readUInt8).toBeDefined();
  });

  it("is segmented with flips as its pixels are", async () => {
    const photograph = await readPhotograph(await fileOf(kind));
    const segmenter = await loadSegmenter({ weights: await weights() });
    const { probability } = await segmentWithFlips(segmenter, photograph);
    const wanted = await meanOfFour(image.data);
    const apart = Math.max(...probability.map((value, i) => Math.abs(value - wanted[i])));
    expect(apart).toBeLessThan(1e-6);
    expect([...photograph.data]).toEqual([...image.data]);
  });

  it("has the thirteen pictures of the paper, all different, flips exact", async () => {
    const photograph = await readPhotograph(await fileOf(kind));
    const field = fieldOfView(photograph);
    const variants = paperAugmentation(photograph, vessels, field, randomState(7));
    const inMemory = paperAugmentation(image, vessels, field, randomState(7));
    expect(variants.map(({ photograph: { data } }) => [...data])).toEqual(
      inMemory.map(({ photograph: { data } }) => [...data]),
    );
    expect(new Set(variants.map(({ photograph: { data } }) => data.join())).size).toBe(13);
    for (const [name, horizontal, vertical] of FLIPS) {
      const variant = variants.find((other) => other.name === `flip-${name}`);
      expect([...(variant?.photograph.data ?? [])]).toEqual(mirrored(image.data, 3, horizontal, vertical));
      expect([...(variant?.vessels.data ?? [])]).toEqual(mirrored(vessels.data, 1, horizontal, vertical));
      expect([...(variant?.fieldOfView.data ?? [])]).toEqual(mirrored(field.data, 1, horizontal, vertical));
    }
    expect([...photograph.data]).toEqual([...image.data]);
  });

  it("gives the crops that its pixels give", async () => {
    const photograph = await readPhotograph(await fileOf(kind));
    const everything = {
      ...{ width: 32, height: 24, holdsVessel: true, orientations: true, rotation: 30, stretch: 0.2 },
      ...{ brightness: 0.2, contrast: 0.2, gamma: 0.2, colour: 0.2, mixing: 0.1, illumination: 0.2 },
      ...{ blur: 0.4, noise: 0.05, scale: [0.8, 1.3] as const },
    };
    const crop = (picture: typeof image) =>
      augment(labelledImage(picture, vessels, fieldOfView(picture)), everything, randomState(9));
    expect(crop(photograph)).toEqual(crop(image));
    expect([...photograph.data]).toEqual([...image.data]);
  });
});

describe("saunet evaluate --tta", () => {
  it("gives the figures of the mean of four opinions", async () => {
    const argv = ["evaluate", "--dataset", "folder", "--data", "set", "--weights", "tiny.safetensors"];
    const { code, out } = await saunet(here, [...argv, "--tta", "--json", "--threshold", "0.45"]);
    expect(code).toBe(0);
    const figures = await Promise.all(
      [1, 2].map(async (seed) => {
        const eye = smallFundus(seed);
        const probability = Float32Array.from(await meanOfFour(eye.image.data));
        return metricsOf({ probability, truth: eye.vessels.data }, 0.45);
      }),
    );
    const { macro } = JSON.parse(out);
    for (const name of ["f1", "accuracy", "mcc"] as const) {
      expect(macro.full[name]).toBeCloseTo(macroAverage(figures)[name], 6);
    }
    // Opinions of a fresh network differ, so that one alone would give another count.
    const segmenter = await loadSegmenter({ weights: await weights() });
    const alone = await segmenter.segment(image);
    const mean = Float32Array.from(await meanOfFour(image.data));
    expect(confusion({ probability: alone.probability, truth: vessels.data }, 0.45)).not.toEqual(
      confusion({ probability: mean, truth: vessels.data }, 0.45),
    );
  });
});

it("a mask is bytes of its own", async () => {
  await write(join(here, "mask.png"), vessels);
  const { data } = await readMask(join(here, "mask.png"));
  expect(Object.getPrototypeOf(data)).toBe(Uint8Array.prototype);
  expect(data).toEqual(vessels.data);
});

import { randomState } from "@saunet/core";
import { type Photograph, syntheticFundus } from "@saunet/data";
import { describe, expect, it } from "vitest";
import { saUNetV2 } from "./config.ts";
import { initialize } from "./parameters.ts";
import { segmenterOf } from "./segmenter.ts";
import { segmentWithFlips } from "./test-time.ts";

const config = { ...saUNetV2, name: "tiny", channels: [8, 8] };
const segmenter = segmenterOf({ config, parameters: initialize(config, randomState(3)), metadata: {} });
const { image } = syntheticFundus({ seed: 2, width: 40, height: 32 });

/** The photograph left and right exchanged, pixel by pixel. */
function mirrored({ width, height, data }: Photograph, channels: number): Photograph {
  const pixels = Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_, x) => {
      const at = (y * width + width - 1 - x) * channels;
      return [...data.slice(at, at + channels)];
    }),
  );
  return { width, height, data: Uint8Array.from(pixels.flat(2)) };
}

describe("segmentWithFlips", () => {
  it("is the mean of four opinions, each turned back", async () => {
    // Opinions that say nothing but where in the photograph they look.
    const seen: number[][] = [];
    const photograph = { width: 2, height: 2, data: Uint8Array.from([1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]) };
    const watching = {
      ...segmenter,
      async segment(flipped: Photograph) {
        const red = [0, 3, 6, 9].map((at) => flipped.data[at]);
        seen.push(red);
        return {
          ...(await segmenter.segment(flipped)),
          probability: Float32Array.from(red, (value) => value / 8),
        };
      },
    };
    const { probability, mask } = await segmentWithFlips(watching, photograph, { threshold: 0.3 });
    expect(seen).toEqual([
      [1, 2, 3, 4],
      [2, 1, 4, 3],
      [3, 4, 1, 2],
      [4, 3, 2, 1],
    ]);
    expect([...probability]).toEqual([1 / 8, 2 / 8, 3 / 8, 4 / 8]);
    expect([...mask.data]).toEqual([0, 0, 1, 1]);
  });

  it("says of a mirrored photograph what it says of the photograph, which the network alone does not", async () => {
    const difference = (a: Float32Array, b: Float32Array) =>
      Math.max(...a.map((value, i) => Math.abs(value - b[i - (i % 40) + 39 - (i % 40)])));
    const [one, other] = [image, mirrored(image, 3)];
    const alone = await Promise.all([segmenter.segment(one), segmenter.segment(other)]);
    expect(difference(alone[0].probability, alone[1].probability)).toBeGreaterThan(1e-3);
    const both = [await segmentWithFlips(segmenter, one), await segmentWithFlips(segmenter, other)];
    expect(difference(both[0].probability, both[1].probability)).toBeLessThan(1e-6);
  });

  it("takes RGBA", async () => {
    const rgba = new Uint8Array(40 * 32 * 4).fill(255);
    for (let i = 0; i < 40 * 32; i++) rgba.set(image.data.subarray(3 * i, 3 * i + 3), 4 * i);
    const from = async (photograph: Photograph) =>
      (await segmentWithFlips(segmenter, photograph)).probability;
    expect(await from({ ...image, data: rgba })).toEqual(await from(image));
  });
});

import { fieldOfView, type Photograph, syntheticFundus } from "@saunet/data";
import { describe, expect, it } from "vitest";
import { doubtsOf } from "./doubts.ts";

const SIZE = { width: 240, height: 240 };

/** RGBA, as the page reads pictures. */
function rgba({ width, height, data }: Photograph): Photograph {
  const pixels = new Uint8ClampedArray(4 * width * height).fill(255);
  for (let pixel = 0; pixel < width * height; pixel++)
    pixels.set(data.subarray(3 * pixel, 3 * pixel + 3), 4 * pixel);
  return { width, height, data: pixels };
}

const plain = (width: number, height: number, colour: readonly [number, number, number]): Photograph => ({
  width,
  height,
  data: Uint8ClampedArray.from({ length: 4 * width * height }, (_, i) => [...colour, 255][i % 4]),
});

const doubts = (photograph: Photograph, vesselShare: number) =>
  doubtsOf({ photograph, field: fieldOfView(photograph).data, vesselShare });

describe("doubtsOf", () => {
  it("has none of a fundus photograph, in colour or grey", () => {
    const fundus = rgba(syntheticFundus({ seed: 1, ...SIZE }).image);
    expect(doubts(fundus, 0.1)).toEqual([]);
    const data = fundus.data.map((_, i) => (i % 4 === 3 ? 255 : fundus.data[i - (i % 4) + 1]));
    expect(doubts({ ...fundus, data }, 0.1)).toEqual([]);
  });

  it("tells a sky, a page of text, and a thumbnail", () => {
    expect(doubts(plain(300, 200, [91, 155, 213]), 0)).toEqual([
      "its colours are not those of a retina",
      "hardly any vessel was found",
    ]);
    expect(doubts(plain(300, 200, [250, 250, 250]), 0.4)).toEqual([
      "more vessel was found than a retina has",
    ]);
    expect(doubts(plain(96, 64, [180, 90, 40]), 0.1)).toEqual([
      "it has only 96 × 64 pixels, too few to show thin vessels",
    ]);
  });
});

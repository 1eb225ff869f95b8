import { draw, randomState } from "@saunet/core";
import { describe, expect, it } from "vitest";
import type { Photograph } from "./image.ts";
import { photographWarnings } from "./photograph-warnings.ts";
import { syntheticFundus } from "./synthetic.ts";

/** A picture of a colour by place. */
function picture(
  width: number,
  height: number,
  colour: (x: number, y: number) => readonly number[],
): Photograph {
  const pixels = Array.from({ length: width * height }, (_, i) => colour(i % width, Math.floor(i / width)));
  return { width, height, data: Uint8Array.from(pixels.flat()) };
}

const NO_SURROUND = "shows no bright disc in a dark surround, so all of it is taken for the field of view";

const { image } = syntheticFundus({ seed: 2, width: 120, height: 100 });

describe("photographWarnings", () => {
  it.each([
    [160, 160],
    [40, 32],
    [64, 96],
  ])("has nothing to say of a fundus photograph of %i x %i", (width, height) => {
    for (let seed = 1; seed <= 8; seed++) {
      expect(photographWarnings(syntheticFundus({ seed, width, height }).image)).toEqual([]);
    }
  });

  it("bears RGBA, grey photographs and dark ones", () => {
    const change = (colour: (r: number, g: number, b: number) => readonly number[]): Photograph => {
      const pixels = Array.from({ length: 120 * 100 }, (_, i) => {
        const [r, g, b] = image.data.subarray(3 * i, 3 * i + 3);
        return colour(r, g, b);
      });
      return { ...image, data: Uint8Array.from(pixels.flat()) };
    };
    expect(photographWarnings(change((r, g, b) => [r, g, b, 255]))).toEqual([]);
    expect(photographWarnings(change((_, g) => [g, g, g]))).toEqual([]);
    expect(photographWarnings(change((r, g, b) => [r / 3, g / 3, b / 3]))).toEqual([]);
  });

  const state = randomState(5);
  const noise = () => [0, 0, 0].map(() => 256 * draw(state));
  it.each<[string, Photograph, string[]]>([
    ["a pixel", picture(1, 1, () => [200, 90, 40]), ["is only 1 x 1 pixels"]],
    ["a narrow strip", picture(4000, 30, noise), ["is only 4000 x 30 pixels"]],
    ["black", picture(50, 50, () => [0, 0, 0]), ["is of one brightness throughout"]],
    ["white", picture(50, 50, () => [255, 255, 255]), ["is of one brightness throughout"]],
    ["noise", picture(100, 100, noise), ["looks like noise", NO_SURROUND]],
    [
      "a strip of an eye",
      picture(300, 100, (x, y) => [150 + x / 4, 60 + y / 4, 20]),
      ["is a strip of 300 x 100 pixels", NO_SURROUND],
    ],
    [
      "the sky",
      picture(100, 100, (_, y) => [80 + y / 3, 120 + y, 200]),
      ["is bluer than it is red", NO_SURROUND],
    ],
    [
      "a line on black",
      picture(100, 100, (x, y) => (Math.abs(x - y) < 10 ? [60 + x, 90, 40] : [0, 0, 0])),
      ["shows no disc of a field of view"],
    ],
    [
      "a bar on black",
      picture(200, 200, (x, y) => (y >= 60 && y < 120 ? [60 + x / 2, 90, 40] : [0, 0, 0])),
      ["shows no disc of a field of view"],
    ],
  ])("tells %s", (_, photograph, wanted) => {
    expect(photographWarnings(photograph)).toEqual(wanted);
  });

  it("refuses a photograph whose bytes do not fill it", () => {
    const cut = { ...image, data: image.data.slice(0, 3000) as Uint8Array };
    const { fieldOfView: field } = syntheticFundus({ seed: 2, width: 120, height: 100 });
    expect(() => photographWarnings(cut, field)).toThrow(
      /^photographWarnings: a photograph of 120 x 100 wants/,
    );
  });

  it("refuses a field of view of another size", () => {
    const { fieldOfView } = syntheticFundus({ seed: 2, width: 100, height: 100 });
    expect(() => photographWarnings(image, fieldOfView)).toThrow(
      "photographWarnings: field is 100 x 100 but the photograph is 120 x 100",
    );
  });
});

import { describe, expect, it } from "vitest";
import { kindOfMask, maskOf } from "./kind.ts";

/** A picture of 100 x 1 pixels; `colourOf` gives red, green and blue. */
const picture = (colourOf: (x: number) => readonly [number, number, number]): ImageData => {
  const data = new Uint8ClampedArray(400);
  for (let x = 0; x < 100; x++) data.set([...colourOf(x), 255], 4 * x);
  return { width: 100, height: 1, data, colorSpace: "srgb" } as ImageData;
};

const kindOf = (image: ImageData) => {
  const mask = maskOf(image);
  return mask === undefined ? "photograph" : kindOfMask(mask);
};

describe("maskOf", () => {
  it("tells photographs from masks, and masks of vessels from those of the field of view", () => {
    expect(kindOf(picture((x) => [2 * x, x, 10]))).toBe("photograph");
    expect(kindOf(picture((x) => (x < 10 ? [255, 255, 253] : [0, 2, 0])))).toBe("vessels");
    expect(kindOf(picture((x) => (x < 70 ? [255, 255, 255] : [0, 0, 0])))).toBe("field");
  });

  it("takes grey and black pictures for photographs", () => {
    expect(kindOf(picture((x) => [x, x, x]))).toBe("photograph");
    expect(kindOf(picture(() => [0, 0, 0]))).toBe("photograph");
  });

  it("reads the upper of two levels as marked, whatever they are", () => {
    for (const [low, high] of [
      [0, 1],
      [0, 128],
      [100, 200],
    ]) {
      const mask = maskOf(picture((x) => (x < 10 ? [high, high, high] : [low, low, low])));
      expect([low, high, mask?.data.indexOf(0)]).toEqual([low, high, 10]);
    }
  });
});

import { describe, expect, it } from "vitest";
import { kindOf, maskOf } from "./kind.ts";

/** A picture of 100 x 1 pixels; `colourOf` gives red, green and blue. */
const picture = (colourOf: (x: number) => readonly [number, number, number]): ImageData => {
  const data = new Uint8ClampedArray(400);
  for (let x = 0; x < 100; x++) data.set([...colourOf(x), 255], 4 * x);
  return { width: 100, height: 1, data, colorSpace: "srgb" } as ImageData;
};

describe("kindOf", () => {
  it("tells photographs from masks, and masks of vessels from those of the field of view", () => {
    expect(kindOf(picture((x) => [2 * x, x, 10]))).toBe("photograph");
    expect(kindOf(picture((x) => (x < 10 ? [255, 255, 253] : [0, 2, 0])))).toBe("vessels");
    expect(kindOf(picture((x) => (x < 70 ? [255, 255, 255] : [0, 0, 0])))).toBe("field");
  });

  it("takes grey and black pictures for photographs", () => {
    expect(kindOf(picture((x) => [x, x, x]))).toBe("photograph");
    expect(kindOf(picture(() => [0, 0, 0]))).toBe("photograph");
  });

  it("reads what is brighter than the middle as marked", () => {
    const { data } = maskOf(picture((x) => (x < 10 ? [128, 128, 128] : [127, 127, 127])));
    expect(data.indexOf(0)).toBe(10);
  });
});

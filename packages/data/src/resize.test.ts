import { randomState, resize, uniform } from "@saunet/core";
import { expectClose } from "@saunet/core/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { resizeValues } from "./resize.ts";

describe("resizeValues", () => {
  const sizes = fc.integer({ min: 1, max: 24 });

  it("keeps what is all of one value, and everything where the size stays", () => {
    fc.assert(
      fc.property(sizes, sizes, sizes, sizes, (width, height, newWidth, newHeight) => {
        const flat = new Float32Array(width * height * 2).fill(0.75);
        const resized = resizeValues(
          flat,
          { width, height, channels: 2 },
          { width: newWidth, height: newHeight },
        );
        expect(resized.length).toBe(newWidth * newHeight * 2);
        for (const value of resized) expect(value).toBeCloseTo(0.75, 6);
        const own = uniform([height, width], randomState(1)).data;
        expect(resizeValues(own, { width, height }, { width, height })).toEqual(own);
      }),
    );
  });

  it("means areas where it shrinks: the mean of the picture stays, wherever the borders fall", () => {
    const mean = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const values = uniform([17, 23], randomState(2)).data;
    const small = resizeValues(values, { width: 23, height: 17 }, { width: 9, height: 5 });
    expect(mean(small)).toBeCloseTo(mean(values), 6);
    const stripes = Float32Array.from({ length: 12 }, (_, x) => x % 2);
    expect([...resizeValues(stripes, { width: 12, height: 1 }, { width: 3, height: 1 })]).toEqual([
      0.5, 0.5, 0.5,
    ]);
  });

  it("interpolates where it grows, as core does", () => {
    const x = uniform([1, 5, 7, 3], randomState(3));
    const grown = resizeValues(x.data, { width: 7, height: 5, channels: 3 }, { width: 20, height: 11 });
    expectClose(grown, resize(x, [11, 20]).data, 1e-6);
  });

  it("refuses what does not fit", () => {
    expect(() => resizeValues([1, 2, 3], { width: 2, height: 2 }, { width: 1, height: 1 })).toThrow(
      "resizeValues: values must be [2,2,1] but has 3 numbers",
    );
    expect(() => resizeValues([1], { width: 1, height: 1 }, { width: 0, height: 1 })).toThrow(
      "resizeValues: width to have must be an integer of at least 1",
    );
  });
});

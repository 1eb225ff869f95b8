import { randomState, resize, uniform } from "@saunet/core";
import { expectClose } from "@saunet/core/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { floatsOf } from "./image.ts";
import { floatsAtSize, resizeValues } from "./resize.ts";

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
        expect(resized.filter((value) => !(Math.abs(value - 0.75) < 5e-7))).toHaveLength(0);
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

describe("floatsAtSize", () => {
  const side = fc.integer({ min: 1, max: 24 });

  it("gives the floats of a photograph, resized, in the corner of a black image, to the bit", () => {
    fc.assert(
      fc.property(
        side,
        side,
        side,
        side,
        fc.constantFrom(3, 4),
        (width, height, newWidth, newHeight, channels) => {
          const data = Uint8Array.from(
            { length: width * height * channels },
            (_, i) => (i * 167 + width) % 256,
          );
          const photograph = { width, height, data };
          const size = { width: newWidth, height: newHeight };
          const resized = resizeValues(floatsOf(photograph), { width, height, channels: 3 }, size);
          expect(floatsAtSize(photograph, size)).toEqual(resized);
          const canvas = { width: newWidth + 3, height: newHeight + 2 };
          const rows = Array.from({ length: canvas.height }, (_, y) =>
            y < newHeight
              ? [...resized.subarray(y * newWidth * 3, (y + 1) * newWidth * 3), ...Array(9).fill(0)]
              : [],
          );
          const wanted = new Float32Array(canvas.width * canvas.height * 3);
          wanted.set(rows.flat());
          expect(floatsAtSize(photograph, size, canvas)).toEqual(wanted);
        },
      ),
    );
  });

  it("refuses what does not fit", () => {
    const photograph = { width: 2, height: 1, data: new Uint8Array(6) };
    const size = { width: 3, height: 4 };
    expect(() => floatsAtSize(photograph, { width: 3, height: 0 })).toThrow("floatsAtSize: height must be");
    expect(() => floatsAtSize(photograph, size, { width: 2, height: 4 })).toThrow(
      "floatsAtSize: width of the canvas must be an integer of at least 3",
    );
    expect(() => floatsAtSize({ ...photograph, height: 2 }, size)).toThrow(
      "floatsAtSize: a photograph of 2 x 2 wants",
    );
  });
});

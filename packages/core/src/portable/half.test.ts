import { describe, expect, it } from "vitest";
import { fromBfloat16, fromHalf, LARGEST_HALF, toHalf } from "./half.ts";

const isNotANumber = (bits: number) => (bits & 0x7c00) === 0x7c00 && (bits & 0x3ff) !== 0;
const everyNumber = Array.from({ length: 0x10000 }, (_, bits) => bits).filter((bits) => !isNotANumber(bits));

describe("16-bit floats", () => {
  it("come back from every number they hold", () => {
    expect(everyNumber.filter((bits) => toHalf(fromHalf(bits)) !== bits)).toEqual([]);
    expect(Number.isNaN(fromHalf(toHalf(Number.NaN)))).toBe(true);
    expect(fromHalf(0x7bff)).toBe(LARGEST_HALF);
  });

  it("are the upper half of a 32-bit float where they are bfloat16", () => {
    expect([0x3f80, 0xc049, 0x0001, 0x7f80, 0x8000].map(fromBfloat16)).toEqual([
      1,
      -3.140625,
      2 ** -133,
      Number.POSITIVE_INFINITY,
      -0,
    ]);
  });

  it("are the nearest, and of two equally near the even one", () => {
    // Finite neighbours a < b: their middle goes to the even one, a shade to either side of it to the nearer.
    for (let bits = 0; bits < 0x7bff; bits++) {
      const [a, b] = [fromHalf(bits), fromHalf(bits + 1)];
      const middle = (a + b) / 2;
      const shade = (b - a) / 1024;
      const found = [middle - shade, middle, middle + shade].map(toHalf);
      if (found[0] !== bits || found[1] !== bits + (bits % 2) || found[2] !== bits + 1) {
        expect({ bits, found }).toBeUndefined();
      }
    }
  });

  it.each([
    [65519, 0x7bff],
    [65520, 0x7c00],
    [1e9, 0x7c00],
    [-1e9, 0xfc00],
    [2 ** -26, 0],
    [-(2 ** -26), 0x8000],
  ])("end where the format ends: %d", (value, bits) => {
    expect(toHalf(value)).toBe(bits);
  });
});

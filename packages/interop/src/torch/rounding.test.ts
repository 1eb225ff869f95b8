import { relu, tensor } from "@saunet/core";
import { describe, expect, it } from "vitest";
import { type Precision, precisionOf, withRounding } from "./rounding.ts";

/** 1 and the lowest of so many significant bits. */
const ofBits = (bits: number) => tensor([1 + 2 ** (1 - bits)]);

describe("precisionOf", () => {
  it.each<[Precision, readonly number[]]>([
    [8, [8]],
    [8, []],
    [11, [9]],
    [11, [11]],
    [24, [12]],
    [24, [24]],
    [11, [8, 11]],
    [11, [11, 8]],
    [24, [8, 24]],
    [24, [24, 8]],
  ])("is %i bits, the lowest for all, where tensors have %j", (precision, bits) => {
    expect(precisionOf(bits.map(ofBits))).toBe(precision);
  });

  it("looks at every number of a tensor", () => {
    expect(precisionOf([tensor([1, 1 + 2 ** -20])])).toBe(24);
    expect(precisionOf([tensor([1 + 2 ** -20, 1])])).toBe(24);
  });
});

describe("withRounding", () => {
  it.each<[Precision, number]>([
    [8, 1.2],
    [11, 1.2],
    [24, 1.2],
  ])("rounds to %i bits what is written, and not what is read", (bits, value) => {
    const x = tensor([value]);
    const y = withRounding(bits, () => relu(x));
    expect([...x.data]).toEqual([Math.fround(value)]);
    const unit = 2 ** (1 - bits);
    expect([...y.data]).toEqual([Math.round(Math.fround(value) / unit) * unit]);
  });
});

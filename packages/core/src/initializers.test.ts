import { describe, expect, it } from "vitest";
import { fans, glorotUniform, heNormal } from "./initializers.ts";
import { randomState } from "./random.ts";

const shape = [3, 3, 16, 32];

describe("fans", () => {
  it("are counted as Keras counts them: the receptive field times the last two sizes", () => {
    expect(fans(shape)).toEqual({ fanIn: 144, fanOut: 288 });
    expect(fans([5, 7])).toEqual({ fanIn: 5, fanOut: 7 });
  });

  it("want two axes", () => {
    expect(() => fans([3])).toThrow("fans: number of axes must be an integer of at least 2 but is 1");
  });
});

describe("heNormal", () => {
  it("has the deviation that it is named for, and nothing beyond two of the deviations before the cut", () => {
    const { data } = heNormal(shape, randomState(1));
    const deviation = Math.sqrt(2 / 144);
    const square = data.reduce((sum, value) => sum + value * value, 0) / data.length;
    expect(Math.abs(Math.sqrt(square) / deviation - 1)).toBeLessThan(0.03);
    const furthest = Math.max(...data.map(Math.abs)) / deviation;
    expect(furthest).toBeLessThan(2 / 0.8796);
    expect(furthest).toBeGreaterThan(2.2);
  });
});

describe("glorotUniform", () => {
  it("is even between its limits", () => {
    const { data } = glorotUniform(shape, randomState(1));
    const limit = Math.sqrt(6 / (144 + 288));
    expect(Math.max(...data) / limit).toBeCloseTo(1, 2);
    expect(Math.min(...data) / limit).toBeCloseTo(-1, 2);
    const square = data.reduce((sum, value) => sum + value * value, 0) / data.length;
    expect(Math.abs((3 * square) / limit ** 2 - 1)).toBeLessThan(0.05);
  });
});

import { describe, expect, it } from "vitest";
import { bytesOf, type ConvolutionSpec, dimsOf } from "./convolution.ts";

const spec: ConvolutionSpec = {
  ...{ op: "conv2d", name: "conv", N: 2, H: 6, W: 5, C: 8, KH: 3, KW: 3, O: 12 },
  ...{ stride: 1, dilation: 1, groups: 1, count: 1 },
};

describe("what has to cross the memory", () => {
  it("is the image, the filter and the result, four bytes a number", () => {
    expect(bytesOf(dimsOf(spec))).toBe(4 * (2 * 6 * 5 * 8 + 3 * 3 * 8 * 12 + 2 * 6 * 5 * 12));
  });

  it("has a filter for the channels of one group where there are groups", () => {
    const grouped = dimsOf({ ...spec, groups: 4 });
    expect(bytesOf(grouped)).toBe(4 * (2 * 6 * 5 * 8 + 3 * 3 * 2 * 12 + 2 * 6 * 5 * 12));
  });

  it("is that of the mirrored convolution where it is transposed, whose result is larger", () => {
    const transposed = dimsOf({ ...spec, op: "convTranspose2d", stride: 2 });
    expect(bytesOf(transposed)).toBe(4 * (2 * 12 * 10 * 12 + 3 * 3 * 8 * 12 + 2 * 6 * 5 * 8));
  });
});

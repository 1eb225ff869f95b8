import { type Conv2dOptions, conv2dDims } from "@saunet/core";
import { describe, expect, it } from "vitest";
import { F4, F6 } from "./bilinear.ts";
import { type Choose, chooseCorrelation, chooseGradient } from "./choose.ts";
import { type Correlation, forwardOf, transposedOf } from "./geometry.ts";

/** What runs forward, as the adjoint, and as the filter gradient, in short. */
function choices(x: number[], w: number[], options: Conv2dOptions = {}): string[] {
  const d = conv2dDims("conv2d", x, w, options);
  const short = (choose: Choose, correlation: Correlation) => {
    const choice = choose(correlation);
    if (choice.algorithm !== "winograd") return choice.algorithm;
    return choice.bilinear === F6 ? "F6" : choice.bilinear === F4 ? "F4" : "another";
  };
  return [
    short(chooseCorrelation, forwardOf(d)),
    short(chooseCorrelation, transposedOf(d)),
    short(chooseGradient, forwardOf(d)),
  ];
}

describe("the choice", () => {
  it.each([
    [592, 16, 16],
    [592, 32, 16],
    [296, 64, 32],
    [148, 96, 48],
    [74, 64, 64],
  ])("is F(6x6, 3x3) for the layers of the network: %i², %i -> %i", (size, C, O) => {
    expect(choices([1, size, size, C], [3, 3, C, O])).toEqual(["F6", "F6", "F6"]);
    expect(choices([1, size, size, C], [3, 3, C, O], { padding: "valid" })).toEqual(["F6", "F6", "F6"]);
  });

  it("is F(4x4, 3x3) where larger tiles would mostly lie outside", () => {
    expect(choices([1, 16, 16, 16], [3, 3, 16, 16])).toEqual(["F4", "F4", "F4"]);
  });

  it("is to form every product where Winograd does not exist or does not pay", () => {
    const direct = ["direct", "direct", "direct"];
    expect(choices([1, 592, 592, 16], [3, 3, 16, 16], { stride: 2 })).toEqual(direct);
    expect(choices([1, 592, 592, 16], [3, 3, 16, 16], { dilation: 2 })).toEqual(direct);
    expect(choices([1, 592, 592, 16], [5, 5, 16, 16])).toEqual(direct);
    expect(choices([1, 592, 592, 16], [1, 3, 16, 16])).toEqual(direct);
    expect(choices([1, 2, 2, 64], [3, 3, 64, 64])).toEqual(direct);
  });

  it("leaves fewer than four channels to the direct form, which reads them one by one", () => {
    expect(choices([1, 592, 592, 3], [3, 3, 3, 16])).toEqual(["direct", "F4", "direct"]);
    expect(choices([1, 592, 592, 16], [3, 3, 16, 3])).toEqual(["F4", "direct", "direct"]);
  });

  it("cuts strips that share out evenly", () => {
    const d = conv2dDims("conv2d", [1, 74, 74, 64], [3, 3, 64, 64]);
    const choice = chooseCorrelation(forwardOf(d));
    if (choice.algorithm !== "winograd") throw new Error(choice.algorithm);
    const strips = Math.ceil(13 ** 2 / choice.stripTiles);
    expect((Math.ceil(strips / 2) * choice.stripTiles) / (13 ** 2 / 2)).toBeLessThan(1.1);
    expect(choice.stripTiles % 2).toBe(0);
  });
});

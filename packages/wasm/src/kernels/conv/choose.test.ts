import type { Conv2dOptions } from "@saunet/core";
import {
  type Correlation,
  conv2dDims,
  forwardCorrelation,
  transposedCorrelation,
} from "@saunet/core/kernels";
import { describe, expect, it } from "vitest";
import type { Convolutions } from "../../plan.ts";
import { type Choose, chooseCorrelation, chooseGradient } from "./choose.ts";

/** What runs forward, as the adjoint, and as the filter gradient; of Winograd's algorithms the outputs of a tile. */
function choices(x: number[], w: number[], options: Conv2dOptions = {}): string[] {
  const d = conv2dDims("conv2d", x, w, options);
  const short = (choose: Choose, correlation: Correlation) => {
    const choice = choose(correlation, "fastest");
    if (choice.algorithm !== "winograd") return choice.algorithm;
    return `${choice.rows.outputs}x${choice.columns.outputs}`;
  };
  return [
    short(chooseCorrelation, forwardCorrelation(d)),
    short(chooseCorrelation, transposedCorrelation(d)),
    short(chooseGradient, forwardCorrelation(d)),
  ];
}

const direct = ["direct", "direct", "direct"];

describe("the choice", () => {
  it.each([
    [592, 16, 16],
    [592, 32, 16],
    [296, 64, 32],
    [148, 96, 48],
    [74, 64, 64],
  ])("is F(6x6, 3x3) for the layers of the network: %i², %i -> %i", (size, C, O) => {
    expect(choices([1, size, size, C], [3, 3, C, O])).toEqual(["6x6", "6x6", "6x6"]);
    expect(choices([1, size, size, C], [3, 3, C, O], { padding: "valid" })).toEqual(["6x6", "6x6", "6x6"]);
  });

  it.each([
    [592, 16, 32],
    [296, 32, 48],
    [148, 48, 64],
  ])("is an F(m, 2) beside single products for stride 2: %i², %i -> %i", (size, C, O) => {
    const [forward, transposed, gradient] = choices([1, size, size, C], [3, 3, C, O], { stride: 2 });
    expect(["4x4", "5x5"]).toContain(forward);
    expect(["8x8", "10x10"]).toContain(transposed);
    expect(["4x4", "5x5"]).toContain(gradient);
  });

  it("is smaller tiles where larger ones would mostly lie outside", () => {
    expect(choices([1, 16, 16, 16], [3, 3, 16, 16])).toEqual(["4x4", "4x4", "4x4"]);
    expect(choices([1, 12, 64, 16], [3, 3, 16, 16])[0]).toBe("6x4");
  });

  it("is to form every product where Winograd does not exist or does not pay", () => {
    expect(choices([1, 592, 592, 16], [3, 3, 16, 16], { stride: 3 })).toEqual(direct);
    expect(choices([1, 592, 592, 16], [3, 3, 16, 16], { dilation: 2 })).toEqual(direct);
    expect(choices([1, 592, 592, 16], [5, 5, 16, 16])).toEqual(direct);
    expect(choices([1, 592, 592, 16], [1, 3, 16, 16])).toEqual(direct);
    expect(choices([1, 2, 2, 64], [3, 3, 64, 64])).toEqual(direct);
  });

  it("leaves fewer than four channels to the direct form, which reads them one by one", () => {
    expect(choices([1, 592, 592, 3], [3, 3, 3, 16])).toEqual(["direct", "6x4", "direct"]);
    expect(choices([1, 592, 592, 16], [3, 3, 16, 3])).toEqual(["6x4", "direct", "direct"]);
  });

  it("is planes for the filters of spatial attention", () => {
    expect(choices([1, 592, 592, 2], [7, 7, 2, 1])).toEqual(["planar", "planar", "direct"]);
  });

  it("cuts strips that share out evenly", () => {
    const d = conv2dDims("conv2d", [1, 74, 74, 64], [3, 3, 64, 64]);
    const choice = chooseCorrelation(forwardCorrelation(d), "fastest");
    if (choice.algorithm !== "winograd") throw new Error(choice.algorithm);
    const strips = Math.ceil(13 ** 2 / choice.stripTiles);
    expect((Math.ceil(strips / 2) * choice.stripTiles) / (13 ** 2 / 2)).toBeLessThan(1.1);
    expect(choice.stripTiles % 2).toBe(0);
  });
});

describe("a wish", () => {
  const layer = forwardCorrelation(conv2dDims("conv2d", [1, 592, 592, 16], [3, 3, 16, 16]));
  const pointsOf = (convolutions: Convolutions) => {
    const choice = chooseCorrelation(layer, convolutions);
    return choice.algorithm === "winograd" ? choice.rows.points : choice.algorithm;
  };

  it("takes the tile that is asked for, or none", () => {
    expect(chooseCorrelation(layer, undefined)).toEqual(chooseCorrelation(layer, "fastest"));
    expect([pointsOf("winograd6"), pointsOf("winograd4"), pointsOf("direct")]).toEqual([8, 6, "direct"]);
  });

  it("goes directly where no tile suits, and leaves alone what multiplies taps anyway", () => {
    for (const [x, w, algorithm] of [
      [[1, 9, 9, 16], [5, 5, 16, 16], "direct"],
      [[1, 9, 9, 3], [3, 3, 3, 16], "direct"],
      [[1, 9, 9, 16], [1, 1, 16, 1], "direct"],
      [[1, 9, 9, 2], [7, 7, 2, 1], "planar"],
    ] as const)
      for (const convolutions of ["winograd6", "winograd4", "direct"] as const) {
        const c = forwardCorrelation(conv2dDims("conv2d", x, w));
        expect(chooseCorrelation(c, convolutions).algorithm).toBe(algorithm);
      }
  });
});

import { conv2dDims } from "@saunet/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Bilinear, F4, F6, winograd } from "./bilinear.ts";
import { forwardWith, transposedWith } from "./correlate.ts";
import { arithmetics, cases, channels, errorIn, expectPartitionIndependence, paddings } from "./testing.ts";

const F2 = winograd(2, 3, [0, 1, -1]);

/** The bound that is promised. */
const TOLERANCE = 1e-4;

const kernel = [3, 3] as const;
const options = paddings.map((padding) => ({ padding, kernel }));
const kernels = [
  ["forward", forwardWith],
  ["transposed", transposedWith],
] as const;
/** Fewer than four input channels are not for Winograd. */
const inputs = channels.filter((count) => count >= 4);

describe.each(kernels)("conv2d.%s through Winograd", (which, generatorWith) => {
  const generatorOf = (bilinear: Bilinear, stripTiles: number) =>
    generatorWith(() => ({ algorithm: "winograd", bilinear, stripTiles }));
  const sides = which === "forward" ? { C: inputs } : { O: inputs };

  it.each(arithmetics)("is right for any size, padding and channels, relaxed %s", (relaxed) => {
    fc.assert(
      fc.property(
        cases(options, sides),
        fc.constantFrom(F2, F4, F6),
        fc.constantFrom(2, 6, 20),
        (call, bilinear, stripTiles) => {
          expect(errorIn(generatorOf(bilinear, stripTiles), call, relaxed)).toBeLessThan(TOLERANCE);
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each([
    [131, 97, 16, 16],
    [97, 131, 5, 17],
    [1, 1, 32, 48],
    [6, 12, 96, 4],
  ])("is right for %i x %i, %i -> %i", (H, W, I, O) => {
    const [C, out] = which === "forward" ? [I, O] : [O, I];
    const d = conv2dDims("conv2d", [1, H, W, C], [3, 3, C, out]);
    expect(errorIn(generatorOf(F6, 20), { d, bias: true })).toBeLessThan(TOLERANCE);
  });

  it("gives the same bits for any number of threads", () => {
    const d = conv2dDims("conv2d", [2, 37, 50, 16], [3, 3, 16, 20]);
    for (const bilinear of [F4, F6]) expectPartitionIndependence(generatorOf(bilinear, 4), { d, bias: true });
  });
});

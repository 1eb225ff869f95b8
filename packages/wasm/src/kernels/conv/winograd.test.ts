import { conv2dDims, forwardCorrelation, transposedCorrelation } from "@saunet/core/kernels";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arithmetics, channels } from "../testing.ts";
import { forwardWith, transposedWith } from "./correlate.ts";
import {
  cases,
  errorIn,
  expectPartitionIndependence,
  hasWinograd,
  threeTaps,
  winogradOf,
} from "./testing.ts";

/** The bound that is promised. Over 1600 random calls the largest error was 1.7e-5 for F(6, 3), 9.3e-6 for F(4, 3). */
const TOLERANCE = 1e-4;

const kernels = [
  ["forward", forwardWith, forwardCorrelation],
  ["transposed", transposedWith, transposedCorrelation],
] as const;
/** Fewer than four input channels are not for Winograd. */
const inputs = channels.filter((count) => count >= 4);
const which = fc.nat(1);

describe.each(kernels)("conv2d.%s through Winograd", (direction, generatorWith, correlationOf) => {
  const sides = direction === "forward" ? { C: inputs } : { O: inputs };
  const calls = cases(threeTaps, sides).filter(({ d }) => hasWinograd(correlationOf(d)));

  it.each(arithmetics)("is right for any size, padding, stride and channels, relaxed %s", (relaxed) => {
    fc.assert(
      fc.property(calls, which, which, fc.constantFrom(2, 6, 20), (call, rows, columns, stripTiles) => {
        const generator = generatorWith(winogradOf(rows, columns, stripTiles));
        expect(errorIn(generator, call, relaxed)).toBeLessThan(TOLERANCE);
      }),
      { numRuns: 40 },
    );
  });

  it.each([
    [131, 97, 16, 16, 1],
    [97, 131, 5, 17, 1],
    [1, 1, 32, 48, 1],
    [6, 12, 96, 4, 1],
    [130, 98, 16, 16, 2],
    [97, 31, 5, 17, 2],
  ])("is right for %i x %i, %i -> %i, stride %i", (H, W, I, O, stride) => {
    const [C, out] = direction === "forward" ? [I, O] : [O, I];
    const d = conv2dDims("conv2d", [1, H, W, C], [3, 3, C, out], { stride });
    expect(errorIn(generatorWith(winogradOf(0, 0, 20)), { d, bias: true })).toBeLessThan(TOLERANCE);
  });

  it.each([1, 2])("gives the same bits for any number of threads, stride %i", (stride) => {
    const d = conv2dDims("conv2d", [2, 37, 50, 16], [3, 3, 16, 20], { stride });
    for (const algorithm of [0, 1])
      expectPartitionIndependence(generatorWith(winogradOf(algorithm, algorithm, 4)), { d, bias: true });
  });
});

import type { Padding } from "@saunet/core";
import { conv2dDims } from "@saunet/core/kernels";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arithmetics, channels } from "../testing.ts";
import { gradientWith } from "./correlate.ts";
import { cases, errorIn, expectPartitionIndependence, threeTaps, winogradOf } from "./testing.ts";

/** The bounds that are promised. Over 1200 random calls the largest errors were 3.5e-7 and 5.5e-6. */
const TOLERANCE = { direct: 1e-5, winograd: 1e-4 };

const size = fc.constantFrom(1, 2, 3, 5, 7);
const anyGeometry = fc.record({
  kernel: fc.tuple(size, size),
  stride: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
  dilation: fc.tuple(fc.constantFrom(1, 1, 2), fc.constantFrom(1, 1, 2, 3)),
  padding: fc.constantFrom<Padding>("same", "valid", 1, { top: 2, bottom: 0, left: 1, right: 5 }),
});

describe("conv2d.filterGradient directly", () => {
  const generator = gradientWith(() => ({ algorithm: "direct" }));

  it.each(arithmetics)("is right for any geometry, relaxed %s", (relaxed) => {
    fc.assert(
      fc.property(cases(anyGeometry), (call) => {
        expect(errorIn(generator, call, relaxed)).toBeLessThan(TOLERANCE.direct);
      }),
      { numRuns: 30 },
    );
  });

  it("is right with every number of channels", () => {
    for (let count = 1; count <= 37; count++)
      for (const [C, O] of [
        [3, count],
        [count, 3],
        [count, 2],
      ]) {
        const d = conv2dDims("conv2d", [1, 5, 9, C], [3, 3, C, O]);
        expect(errorIn(generator, { d, bias: false })).toBeLessThan(TOLERANCE.direct);
      }
  });

  it("is right where rows are cut into chunks", () => {
    const d = conv2dDims("conv2d", [1, 5, 391, 16], [3, 3, 16, 16]);
    expect(errorIn(generator, { d, bias: false })).toBeLessThan(TOLERANCE.direct);
  });

  it("gives the same bits for any number of threads", () => {
    const d = conv2dDims("conv2d", [2, 9, 13, 6], [3, 3, 6, 18], { stride: 2 });
    expectPartitionIndependence(generator, { d, bias: false });
  });
});

describe("conv2d.filterGradient through Winograd", () => {
  const C = channels.filter((count) => count >= 4);
  const calls = cases(threeTaps, { C, O: C });
  const which = fc.nat(1);

  it.each(arithmetics)("is right for any size, padding, stride and channels, relaxed %s", (relaxed) => {
    fc.assert(
      fc.property(calls, which, which, fc.constantFrom(2, 6, 20), (call, rows, columns, stripTiles) => {
        const generator = gradientWith(winogradOf(rows, columns, stripTiles));
        expect(errorIn(generator, call, relaxed)).toBeLessThan(TOLERANCE.winograd);
      }),
      { numRuns: 40 },
    );
  });

  it.each([1, 2])("gives the same bits for any number of threads, stride %i", (stride) => {
    const d = conv2dDims("conv2d", [2, 37, 50, 16], [3, 3, 16, 20], { stride });
    for (const algorithm of [0, 1])
      expectPartitionIndependence(gradientWith(winogradOf(algorithm, algorithm, 4)), { d, bias: false });
  });
});

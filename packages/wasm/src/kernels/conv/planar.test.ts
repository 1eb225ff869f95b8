import type { Padding } from "@saunet/core";
import { conv2dDims, forwardCorrelation, transposedCorrelation } from "@saunet/core/kernels";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arithmetics } from "../testing.ts";
import { forwardWith, transposedWith } from "./correlate.ts";
import { isPlanar } from "./planar.ts";
import { type Case, cases, errorIn, expectPartitionIndependence } from "./testing.ts";

/** The bound that is promised. */
const TOLERANCE = 1e-5;

const size = fc.constantFrom(1, 2, 3, 7);
const geometry = fc.record({
  kernel: fc.tuple(size, size),
  stride: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.constant(1)),
  padding: fc.constantFrom<Padding>("same", "valid", 1, { top: 2, bottom: 0, left: 1, right: 9 }),
});
const kernels = [
  ["forward", forwardWith, forwardCorrelation],
  ["transposed", transposedWith, transposedCorrelation],
] as const;

describe.each(kernels)("conv2d.%s in planes", (_, generatorWith, correlationOf) => {
  const generator = generatorWith(() => ({ algorithm: "planar" }));
  const few = cases(geometry, { C: [1, 2], O: [1, 2], height: 30, width: 70 }).filter(({ d }: Case) =>
    isPlanar(correlationOf(d)),
  );

  it.each(arithmetics)("is right for any size and padding, relaxed %s", (relaxed) => {
    fc.assert(
      fc.property(few, (call) => {
        expect(errorIn(generator, call, relaxed)).toBeLessThan(TOLERANCE);
      }),
      { numRuns: 50 },
    );
  });

  it("is right for the filters of spatial attention", () => {
    for (const W of [4, 5, 23, 24, 25, 148])
      expect(
        errorIn(generator, { d: conv2dDims("conv2d", [2, 19, W, 2], [7, 7, 2, 1]), bias: false }),
      ).toBeLessThan(TOLERANCE);
  });

  it("gives the same bits for any number of threads", () => {
    const d = conv2dDims("conv2d", [2, 19, 45, 2], [7, 7, 2, 1]);
    expectPartitionIndependence(generator, { d, bias: true });
  });
});

it("is not for strides along rows, phases, or many channels", () => {
  const planar = (x: number[], w: number[], stride: number | [number, number] = 1) =>
    isPlanar(forwardCorrelation(conv2dDims("conv2d", x, w, { stride })));
  expect(planar([1, 9, 9, 2], [7, 7, 2, 1])).toBe(true);
  expect(planar([1, 9, 9, 2], [7, 7, 2, 1], [2, 1])).toBe(true);
  expect(planar([1, 9, 9, 2], [7, 7, 2, 1], [1, 2])).toBe(false);
  expect(planar([1, 9, 9, 3], [7, 7, 3, 1])).toBe(false);
  expect(planar([1, 9, 3, 2], [7, 7, 2, 1])).toBe(false);
});

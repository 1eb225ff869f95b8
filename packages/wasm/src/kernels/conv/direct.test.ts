import type { Conv2dOptions, Padding } from "@saunet/core";
import { conv2dDims } from "@saunet/core/kernels";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Lengths } from "../../plan.ts";
import { checkEdges } from "../../testing-edges.ts";
import { arithmetics } from "../testing.ts";
import { forwardWith, transposedWith } from "./correlate.ts";
import { arraysOf, cases, errorIn, expectPartitionIndependence } from "./testing.ts";

/** The bound that is promised. Over 800 random calls of 3x3 filters the largest error was 1.6e-6. */
const TOLERANCE = 1e-5;

const size = fc.constantFrom(1, 2, 3, 5, 7);
const anyGeometry = fc.record({
  kernel: fc.tuple(size, size),
  stride: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
  dilation: fc.tuple(fc.constantFrom(1, 1, 2), fc.constantFrom(1, 1, 2, 3)),
  padding: fc.constantFrom<Padding>("same", "valid", 1, { top: 2, bottom: 0, left: 1, right: 5 }),
});
const kernels = [
  ["forward", forwardWith],
  ["transposed", transposedWith],
] as const;

describe.each(kernels)("conv2d.%s directly", (which, generatorWith) => {
  const generator = generatorWith(() => ({ algorithm: "direct" }));

  it.each(arithmetics)("is right for any geometry, relaxed %s", (relaxed) => {
    fc.assert(
      fc.property(cases(anyGeometry), (call) => {
        expect(errorIn(generator, call, relaxed)).toBeLessThan(TOLERANCE);
      }),
      { numRuns: 30 },
    );
  });

  it("is right with every number of output channels", () => {
    for (let count = 1; count <= 37; count++) {
      const [C, O] = which === "forward" ? [3, count] : [count, 3];
      const d = conv2dDims("conv2d", [1, 4, 9, C], [3, 3, C, O]);
      expect(errorIn(generator, { d, bias: count % 2 === 0 })).toBeLessThan(TOLERANCE);
    }
  });

  it("is right for every width, down to one pixel", () => {
    for (let W = 1; W <= 12; W++) {
      const d = conv2dDims("conv2d", [2, 3, W, 4], [3, 3, 4, 16], { stride: [1, 1 + (W % 2)] });
      expect(errorIn(generator, { d, bias: true })).toBeLessThan(TOLERANCE);
    }
  });

  it("reads nothing behind the last pixels, however many are left of a tile", () => {
    for (const count of [1, 4, 5, 9, 16]) {
      for (let W = 1; W <= 8; W++) {
        const [C, O] = which === "forward" ? [2, count] : [count, 2];
        const d = conv2dDims("conv2d", [1, 3, W, C], [3, 3, C, O]);
        expect(checkEdges(generator, arraysOf(generator, { d, bias: true }), d)?.name).toContain("direct");
      }
    }
  });

  it("writes zeros, or the bias, where a stride leaves no tap", () => {
    const d = conv2dDims("conv2d", [1, 9, 9, 4], [2, 1, 4, 4], { stride: 3 });
    for (const bias of [false, true]) expect(errorIn(generator, { d, bias })).toBeLessThan(TOLERANCE);
  });

  it("gives the same bits for any number of threads", () => {
    const d = conv2dDims("conv2d", [2, 9, 13, 6], [3, 3, 6, 18], { stride: 2 });
    expectPartitionIndependence(generator, { d, bias: true });
  });
});

describe("the plan", () => {
  const planOf = (x: number[], w: number[], options: Conv2dOptions = {}, relaxed = false) => {
    const d = conv2dDims("conv2d", x, w, options);
    const lengths = {
      y: d.N * d.OH * d.OW * d.O,
      x: d.N * d.H * d.W * d.C,
      w: d.KH * d.KW * d.C * d.O,
      b: d.O,
    };
    return forwardWith(() => ({ algorithm: "direct" })).plan(d, lengths as Lengths<never>, { relaxed })!;
  };

  it("names its tile", () => {
    expect(planOf([1, 8, 8, 16], [3, 3, 16, 40]).name).toBe("conv2d_f32_direct_2x16_simd");
    expect(planOf([1, 8, 8, 16], [3, 3, 16, 8]).name).toBe("conv2d_f32_direct_4x8_simd");
    expect(planOf([1, 8, 8, 2], [7, 7, 2, 1], {}, true).name).toBe("conv2d_f32_direct_6x4_relaxed");
  });

  it("has one code for all batch sizes, and another for every other geometry", () => {
    const key = (x: number[], w: number[], options?: Conv2dOptions) => planOf(x, w, options).key;
    const usual = key([1, 8, 8, 16], [3, 3, 16, 16]);
    expect(key([4, 8, 8, 16], [3, 3, 16, 16])).toBe(usual);
    const others = [
      key([1, 9, 8, 16], [3, 3, 16, 16]),
      key([1, 8, 9, 16], [3, 3, 16, 16]),
      key([1, 8, 8, 16], [3, 3, 16, 17]),
      key([1, 8, 8, 16], [3, 3, 16, 16], { padding: "valid" }),
      key([1, 8, 8, 16], [3, 3, 16, 16], { padding: { top: 0, bottom: 2, left: 1, right: 1 } }),
      key([1, 8, 8, 16], [3, 3, 16, 16], { stride: 2 }),
      key([1, 8, 8, 16], [3, 3, 16, 16], { dilation: 2 }),
    ];
    expect(new Set([usual, ...others]).size).toBe(8);
  });
});

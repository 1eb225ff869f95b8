import { setFlagsFromString } from "node:v8";
import { type Conv2dOptions, conv2dDims, normal, randomState, type Shape, sizeOf } from "@saunet/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Lengths } from "../plan.ts";
import { alone, type Crew } from "../runner.ts";
import { errorOf } from "../testing.ts";
import { conv2dDirect } from "./conv2d-direct.ts";

// Off by default in the oldest hosts; without effect where it is not.
setFlagsFromString("--experimental-wasm-relaxed-simd");

interface Case {
  readonly x: Shape;
  readonly w: Shape;
  readonly options?: Conv2dOptions;
  readonly bias?: boolean;
  readonly relaxed?: boolean;
  readonly crew?: Crew;
}

/** The largest error of the outputs, relative to the largest output, on random numbers. */
function error({ x, w, options = {}, bias = true, relaxed = false, crew = alone }: Case): number {
  const dims = conv2dDims("conv2d", x, w, options);
  const random = randomState(7);
  const numbers = (shape: Shape) => normal(shape, random).data;
  const y = new Float32Array(dims.N * dims.OH * dims.OW * dims.O);
  const arrays = { y, x: numbers(x), w: numbers(w), b: bias ? numbers([dims.O]) : undefined };
  return errorOf(conv2dDirect, arrays, dims, { crew, features: { relaxed } });
}

/** Sums of n products round about √n times: far below this for every n here. */
const TOLERANCE = 2e-6;

test("every number of output channels, with every tile", () => {
  for (let O = 1; O <= 37; O++) {
    expect(error({ x: [1, 4, 9, 3], w: [3, 3, 3, O], bias: O % 2 === 0 })).toBeLessThan(TOLERANCE);
  }
});

test("every width and height, down to one pixel", () => {
  for (let size = 1; size <= 12; size++) {
    expect(error({ x: [1, 3, size, 2], w: [3, 3, 2, 16] })).toBeLessThan(TOLERANCE);
    expect(error({ x: [2, size, 3, 1], w: [3, 3, 1, 5] })).toBeLessThan(TOLERANCE);
  }
});

test("any geometry without dilation", () => {
  const count = (max: number) => fc.integer({ min: 1, max });
  fc.assert(
    fc.property(
      fc.tuple(count(2), count(9), count(14), count(5)),
      fc.tuple(count(7), count(7), count(24)),
      fc.tuple(count(3), count(3)),
      fc.oneof(
        fc.constant("same" as const),
        fc.record({ top: fc.nat(4), bottom: fc.nat(4), left: fc.nat(9), right: fc.nat(9) }),
      ),
      fc.boolean(),
      ([N, H, W, C], [KH, KW, O], stride, padding, bias) => {
        const { top, bottom, left, right } =
          padding === "same" ? { top: KH, bottom: 0, left: KW, right: 0 } : padding;
        fc.pre(KH <= H + top + bottom && KW <= W + left + right);
        const options = { stride, padding };
        expect(error({ x: [N, H, W, C], w: [KH, KW, C, O], options, bias })).toBeLessThan(TOLERANCE);
      },
    ),
    { numRuns: 150 },
  );
});

test("relaxed multiplication and addition", () => {
  expect(error({ x: [1, 8, 19, 16], w: [3, 3, 16, 20], relaxed: true })).toBeLessThan(TOLERANCE);
});

test("shares of the packing and of the rows", () => {
  const thirds: Crew = {
    ...alone,
    run: ({ code, items, shared, own, addresses }) => {
      for (const part of [2, 0, 1]) {
        const [from, to] = [part, part + 1].map((third) => Math.floor((items * third) / 3));
        code(from, to, shared, own, ...addresses);
      }
    },
  };
  expect(error({ x: [2, 5, 9, 3], w: [3, 3, 3, 21], crew: thirds })).toBeLessThan(TOLERANCE);
});

describe("the plan", () => {
  const planOf = (x: Shape, w: Shape, options: Conv2dOptions = {}, relaxed = false) => {
    const dims = conv2dDims("conv2d", x, w, options);
    const lengths = { y: sizeOf([dims.N, dims.OH, dims.OW, dims.O]), x: sizeOf(x), w: sizeOf(w), b: dims.O };
    return conv2dDirect.plan(dims, lengths as Lengths<never>, { relaxed });
  };

  test("names its tile", () => {
    expect(planOf([1, 8, 8, 16], [3, 3, 16, 16])!.name).toBe("conv2d_f32_2x16_simd");
    expect(planOf([1, 8, 8, 16], [3, 3, 16, 40])!.name).toBe("conv2d_f32_2x16_simd");
    expect(planOf([1, 8, 8, 16], [3, 3, 16, 8])!.name).toBe("conv2d_f32_4x8_simd");
    expect(planOf([1, 8, 8, 2], [7, 7, 2, 1], {}, true)!.name).toBe("conv2d_f32_6x4_relaxed");
  });

  test("has one code for all batch sizes, and another for every other geometry", () => {
    const key = (x: Shape, w: Shape, options?: Conv2dOptions) => planOf(x, w, options)!.key;
    const usual = key([1, 8, 8, 16], [3, 3, 16, 16]);
    expect(key([4, 8, 8, 16], [3, 3, 16, 16])).toBe(usual);
    const others = [
      key([1, 9, 8, 16], [3, 3, 16, 16]),
      key([1, 8, 9, 16], [3, 3, 16, 16]),
      key([1, 8, 8, 16], [3, 3, 16, 17]),
      key([1, 8, 8, 16], [3, 3, 16, 16], { padding: "valid" }),
      key([1, 8, 8, 16], [3, 3, 16, 16], { padding: { top: 0, bottom: 2, left: 1, right: 1 } }),
      key([1, 8, 8, 16], [3, 3, 16, 16], { stride: 2 }),
    ];
    expect(new Set([usual, ...others]).size).toBe(7);
  });

  test("is none with dilation", () => {
    expect(planOf([1, 8, 8, 1], [3, 3, 1, 1], { dilation: 2 })).toBeUndefined();
  });
});

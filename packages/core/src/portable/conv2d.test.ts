import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Floats } from "../kernel.ts";
import { conv2dFilterGradient, conv2dForward, conv2dTransposed } from "../ops/conv2d.ts";
import { type Conv2dDims, type Conv2dOptions, conv2dDims } from "../ops/conv2d-dims.ts";
import { normal, randomState } from "../random.ts";
import type { Padding } from "../shape.ts";
import { relativeError } from "../testing.ts";
import { chooseConv2d } from "./choose.ts";
import { forwardCorrelation, transposedCorrelation } from "./correlation.ts";
import { correlateDirect } from "./direct.ts";
import { filterGradientDirect } from "./filter-gradient.ts";
import { correlateWinograd } from "./winograd.ts";
import { filterGradientWinograd } from "./winograd-gradient.ts";

type Precision = "single" | "double";
type Form = (out: Floats, arrays: { x: Floats; y: Floats; w: Floats; b?: Floats | undefined }) => void;

// All forms sum in double, as the references do. Over 3000 random cases of this kind the largest errors were, for
// double operands, 2.5e-15 directly and 3.4e-14 through Winograd; for floats 0 and 4.4e-9. A float may come out as its
// neighbour, which is at most 1.2e-7 of the largest element away.
const TOLERANCE = { single: 1.2e-7, double: 1e-12 };

/** Random numbers of one precision, inside a guard of NaN that a read or write out of bounds would betray. */
function guarded(
  size: number,
  seed: number,
  precision: Precision,
): { inside: Floats; intact: () => boolean } {
  const Type = precision === "single" ? Float32Array : Float64Array;
  const whole = new Type(size + 32).fill(Number.NaN);
  const inside = whole.subarray(16, 16 + size);
  inside.set(normal([size], randomState(seed)).data);
  return {
    inside,
    intact: () => whole.every((value, i) => (i >= 16 && i < 16 + size) || Number.isNaN(value)),
  };
}

interface Case {
  d: Conv2dDims;
  bias: boolean;
  precision: Precision;
}

/** Runs a form on one output and its reference on another, and tells how far they are apart. */
function errorOf({ d, bias, precision }: Case, result: "x" | "y" | "w", form: Form, reference: Form): number {
  const sizes = {
    x: d.N * d.H * d.W * d.C,
    y: d.N * d.OH * d.OW * d.O,
    w: d.KH * d.KW * d.C * d.O,
    b: result === "x" ? d.C : d.O,
  };
  const operands = (["x", "y", "w", "b"] as const).map((name, i) => guarded(sizes[name], i + 1, precision));
  const [x, y, w, b] = operands.map(({ inside }) => inside) as [Floats, Floats, Floats, Floats];
  const arrays = { x, y, w, b: bias ? b : undefined };
  const before = operands.map(({ inside }) => inside.slice());
  const out = guarded(sizes[result], 5, precision);
  const wanted = guarded(sizes[result], 6, precision);
  form(out.inside, arrays);
  reference(wanted.inside, arrays);
  expect(out.intact()).toBe(true);
  expect(operands.map(({ inside }) => inside)).toEqual(before);
  return relativeError(out.inside, wanted.inside);
}

const forward: Record<"reference" | "portable" | "direct" | "winograd", (d: Conv2dDims) => Form> = {
  reference:
    (d) =>
    (y, { x, w, b }) =>
      conv2dForward.reference({ y, x, w, b }, d),
  portable:
    (d) =>
    (y, { x, w, b }) =>
      conv2dForward.portable({ y, x, w, b }, d),
  direct:
    (d) =>
    (y, { x, w, b }) =>
      correlateDirect(y, x, w, b, forwardCorrelation(d)),
  winograd:
    (d) =>
    (y, { x, w, b }) =>
      correlateWinograd(y, x, w, b, forwardCorrelation(d)),
};
const transposed: typeof forward = {
  reference:
    (d) =>
    (x, { y, w, b }) =>
      conv2dTransposed.reference({ x, y, w, b }, d),
  portable:
    (d) =>
    (x, { y, w, b }) =>
      conv2dTransposed.portable({ x, y, w, b }, d),
  direct:
    (d) =>
    (x, { y, w, b }) =>
      correlateDirect(x, y, w, b, transposedCorrelation(d)),
  winograd:
    (d) =>
    (x, { y, w, b }) =>
      correlateWinograd(x, y, w, b, transposedCorrelation(d)),
};
const filterGradient: typeof forward = {
  reference:
    (d) =>
    (gw, { x, y }) =>
      conv2dFilterGradient.reference({ gw, x, gy: y }, d),
  portable:
    (d) =>
    (gw, { x, y }) =>
      conv2dFilterGradient.portable({ gw, x, gy: y }, d),
  direct:
    (d) =>
    (gw, { x, y }) =>
      filterGradientDirect(gw, x, y, d),
  winograd:
    (d) =>
    (gw, { x, y }) =>
      filterGradientWinograd(gw, x, y, d),
};
const kernels = [
  ["forward", "y", forward],
  ["transposed", "x", transposed],
  ["filterGradient", "w", filterGradient],
] as const;

const channels = fc.constantFrom(1, 2, 3, 4, 5, 16, 17, 32, 48);
const precision = fc.constantFrom<Precision>("single", "double");
const shape = { N: fc.integer({ min: 1, max: 2 }), C: channels, O: channels, bias: fc.boolean(), precision };

const anyGeometry = fc
  .record({
    ...shape,
    H: fc.integer({ min: 1, max: 13 }),
    W: fc.integer({ min: 1, max: 23 }),
    KH: fc.constantFrom(1, 2, 3, 5, 7),
    KW: fc.constantFrom(1, 2, 3, 5, 7),
    stride: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 4 })),
    dilation: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 4 })),
    padding: fc.constantFrom<Padding>("same", "valid", 1, { top: 2, bottom: 0, left: 1, right: 5 }),
  })
  .map(({ N, H, W, C, O, KH, KW, bias, precision, ...options }) => {
    const d = dimsOrNothing([N, H, W, C], [KH, KW, C, O], options);
    return d && { d, bias, precision };
  })
  .filter((testCase) => testCase !== undefined);

function dimsOrNothing(x: number[], w: number[], options: Conv2dOptions): Conv2dDims | undefined {
  try {
    return conv2dDims("conv2d", x, w, options);
  } catch {
    return undefined;
  }
}

const winogradGeometry = fc
  .record({
    ...shape,
    H: fc.integer({ min: 3, max: 20 }),
    W: fc.integer({ min: 3, max: 45 }),
    padding: fc.constantFrom<Padding>("same", "valid", 2, { top: 3, bottom: 0, left: 1, right: 4 }),
  })
  .map(({ N, H, W, C, O, bias, precision, padding }) => {
    return { d: conv2dDims("conv2d", [N, H, W, C], [3, 3, C, O], { padding }), bias, precision };
  });

describe.each(kernels)("portable conv2d.%s", (_, result, forms) => {
  const check = (testCase: Case, form: "portable" | "direct" | "winograd"): void => {
    const error = errorOf(testCase, result, forms[form](testCase.d), forms.reference(testCase.d));
    expect(error).toBeLessThanOrEqual(TOLERANCE[testCase.precision]);
  };

  it("is right directly for any geometry", () => {
    fc.assert(
      fc.property(anyGeometry, (testCase) => check(testCase, "direct")),
      { numRuns: 150 },
    );
  });

  it("is right through Winograd for any size, padding and channels", () => {
    fc.assert(
      fc.property(winogradGeometry, (testCase) => check(testCase, "winograd")),
      { numRuns: 80 },
    );
  });

  it.each([
    [1, 13, 211, 3, 16],
    [2, 37, 40, 16, 32],
    [1, 25, 24, 48, 17],
  ])("is right for [%i,%i,%i,%i] into %i channels, as the chooser has it", (N, H, W, C, O) => {
    const d = conv2dDims("conv2d", [N, H, W, C], [3, 3, C, O]);
    expect(chooseConv2d(forwardCorrelation(d))).toBe("winograd");
    check({ d, bias: true, precision: "single" }, "portable");
  });
});

describe("chooseConv2d", () => {
  const choose = (x: number[], w: number[], options: Conv2dOptions = {}) => {
    const d = conv2dDims("conv2d", x, w, options);
    return [chooseConv2d(forwardCorrelation(d)), chooseConv2d(transposedCorrelation(d))];
  };

  it("takes Winograd for 3x3 filters on images of many tiles", () => {
    expect(choose([1, 592, 592, 16], [3, 3, 16, 16])).toEqual(["winograd", "winograd"]);
    expect(choose([1, 74, 74, 64], [3, 3, 64, 64])).toEqual(["winograd", "winograd"]);
    expect(choose([1, 592, 592, 3], [3, 3, 3, 16], { padding: "valid" })).toEqual(["winograd", "winograd"]);
  });

  it("goes directly where Winograd does not exist or does not pay", () => {
    const direct = ["direct", "direct"];
    expect(choose([1, 592, 592, 2], [7, 7, 2, 1])).toEqual(direct);
    expect(choose([1, 592, 592, 16], [1, 1, 16, 1])).toEqual(direct);
    for (const [height, width] of [
      [1, 3],
      [3, 1],
      [3, 5],
      [5, 3],
      [5, 5],
    ])
      expect(choose([1, 148, 148, 16], [height, width, 16, 16])).toEqual(direct);
    expect(choose([1, 148, 148, 16], [3, 3, 16, 16], { stride: 2 })).toEqual(direct);
    expect(choose([1, 148, 148, 16], [3, 3, 16, 16], { dilation: 2 })).toEqual(direct);
    expect(choose([1, 6, 6, 64], [3, 3, 64, 64])).toEqual(direct);
    expect(choose([1, 592, 592, 1], [3, 3, 1, 1])).toEqual(direct);
  });
});

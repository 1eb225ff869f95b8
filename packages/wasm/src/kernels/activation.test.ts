import {
  reluForward,
  reluGradient,
  sigmoidForward,
  sigmoidGradient,
  siluForward,
  siluGradient,
} from "@saunet/core/kernels";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SMALLEST } from "./stream.ts";
import { check, generatorFor, numbers, outputsOf } from "./testing.ts";

const lengths = fc.integer({ min: SMALLEST, max: 5000 });
const special = [0, -0, Infinity, -Infinity, NaN, 1e-40, 1e9, -1e9, 3e38, -3e38, 88.8, -88.8, 104, -104];
/** Enough elements for a plan, the special ones at both ends: in whole vectors and after them. */
const withSpecials = (): Float32Array => {
  const x = numbers(SMALLEST + 16 - (SMALLEST % 16) + 15);
  x.set(special);
  x.set(special, x.length - special.length);
  return x;
};

describe.each([
  [reluForward, 0],
  [sigmoidForward, 3e-7],
  [siluForward, 3e-7],
])("%o", (kernel, bound) => {
  test("agrees with the reference at any length", () => {
    fc.assert(
      fc.property(lengths, fc.constantFrom(0.1, 3, 30, 300), (length, spread) => {
        const x = numbers(length, 1, spread);
        expect(check(kernel, { y: new Float32Array(length), x })).toBeLessThanOrEqual(bound);
      }),
      { numRuns: 12 },
    );
  });

  test("agrees with the reference element by element", () => {
    const x = numbers(20_000, 1, 80);
    const y = outputsOf(generatorFor(kernel), { y: x.slice(), x }, undefined)!.y;
    const wanted = x.slice();
    kernel.reference({ y: wanted, x }, undefined);
    // Below 1.7e-38 e^-x counts as 0, so what lies there has no digits.
    const wrong = [...wanted].flatMap((value, i) =>
      Math.abs(value) <= 1e-35 || Math.abs(y[i] / value - 1) < 5e-7 ? [] : [{ x: x[i], y: y[i], value }],
    );
    expect(wrong).toEqual([]);
  });

  test("agrees with the reference at the special values", () => {
    const x = withSpecials();
    const y = outputsOf(generatorFor(kernel), { y: x.slice(), x }, undefined)!.y;
    const wanted = x.slice();
    kernel.reference({ y: wanted, x }, undefined);
    for (const i of [...special.keys(), ...[...special.keys()].map((k) => x.length - 1 - k)]) {
      if (Number.isFinite(wanted[i])) expect(y[i] - wanted[i]).toBeCloseTo(0, 30);
      else expect(y[i]).toBe(wanted[i]);
    }
  });
});

describe("gradients", () => {
  test.each([
    ["relu", reluGradient, "y", 0],
    ["sigmoid", sigmoidGradient, "y", 1e-6],
    ["silu", siluGradient, "x", 1e-6],
  ] as const)("%s", (_, kernel, from, bound) => {
    fc.assert(
      fc.property(lengths, (length) => {
        const values = numbers(length, 1, from === "x" ? 20 : 1);
        const arrays = { gx: new Float32Array(length), gy: numbers(length, 2), [from]: values };
        expect(check(kernel, arrays)).toBeLessThanOrEqual(bound);
      }),
      { numRuns: 12 },
    );
  });
});

test("few elements stay with the portable form", () => {
  const x = numbers(SMALLEST - 1);
  expect(check(siluForward, { y: x.slice(), x })).toBeUndefined();
});

test("one module serves all lengths", () => {
  const { plan } = generatorFor(siluForward);
  const keys = [600, 601, 100_000].map((length) => {
    return plan(undefined as never, { y: length, x: length } as never, { relaxed: false })!.key;
  });
  expect(new Set(keys).size).toBe(1);
});

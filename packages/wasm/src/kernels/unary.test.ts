import { unaryKernels } from "@saunet/core/kernels";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SMALLEST } from "./stream.ts";
import { check, generatorFor, numbers, outputsOf } from "./testing.ts";

const lengths = fc.integer({ min: SMALLEST, max: 5000 });
const special = [0, -0, Infinity, -Infinity, NaN, 1, -1, 1e-40, -1e-40, 1e9, -1e9, 3e38, -3e38, 88.8, -88.8];
/** Enough elements for a plan, the special ones at both ends: in whole vectors and after them. */
const withSpecials = (): Float32Array => {
  const x = numbers(SMALLEST + 31);
  x.set(special);
  x.set(special, x.length - special.length);
  return x;
};

type Any = (typeof unaryKernels)["neg"];
/** Kernels, their dims, and how far an element may be from the reference, relative to itself. */
const functions: readonly (readonly [string, Any, unknown, number])[] = [
  ...(["neg", "exp", "log", "sqrt", "abs", "tanh"] as const).map(
    (name) => [name, unaryKernels[name], undefined, 5e-7] as const,
  ),
  ...[-4, -1, 0, 1, 2, 3].map(
    (exponent) => [`pow ${exponent}`, unaryKernels.pow as unknown as Any, exponent, 5e-7] as const,
  ),
  ...[
    { min: -1, max: 1 },
    { min: 0, max: Infinity },
  ].map((bounds) => [`clip ${bounds.min}`, unaryKernels.clip as unknown as Any, bounds, 0] as const),
];

/** Whether a number is the one that is wanted: bit for bit where that is no number or 0, else to a share of itself. */
function expectNear(found: ArrayLike<number>, wanted: Float32Array, bound: number): void {
  for (const [i, value] of wanted.entries()) {
    if (Number.isNaN(value)) expect(found[i], `${i}`).toBeNaN();
    // Below 1.2e-38 numbers have fewer digits.
    else if (!Number.isFinite(value) || Math.abs(value) > 1e-37)
      expect(
        Math.abs(found[i] - value) <= bound * Math.abs(value) || found[i] === value,
        `${i}: ${found[i]} ${value}`,
      ).toBe(true);
    else expect(Math.abs(found[i] - value), `${i}`).toBeLessThan(1e-37);
  }
}

describe.each(functions)("%s", (_, { forward, gradient }, dims, bound) => {
  test("agrees with the reference at any length, in any number of ranges", () => {
    fc.assert(
      fc.property(lengths, fc.constantFrom(0.01, 1, 30), (length, spread) => {
        // Where roots, logarithms and powers have many digits.
        const x = numbers(length, 1, spread).map((value) => Math.abs(value) + 0.01);
        const y = new Float32Array(length);
        expect(check(forward, { y: y.slice(), x }, dims)).toBeLessThan(1e-6);
        forward.reference({ y, x }, dims as never);
        const arrays = { gx: new Float32Array(length), gy: numbers(length, 2), at: x };
        expect(check(gradient, arrays, dims)).toBeLessThan(1e-6);
      }),
      { numRuns: 8 },
    );
  });

  test("agrees with the reference element by element, at special values too", () => {
    const x = withSpecials();
    x.set(numbers(200, 3, 0.9), 20);
    x.set(numbers(200, 4, 20), 220);
    const { y } = outputsOf(generatorFor(forward), { y: x.slice(), x }, dims)!;
    const wanted = x.slice();
    forward.reference({ y: wanted, x }, dims as never);
    expectNear(y, wanted, bound);
    const gy = numbers(x.length, 2);
    const { gx } = outputsOf(generatorFor(gradient), { gx: x.slice(), gy, at: x }, dims)!;
    gradient.reference({ gx: wanted, gy, at: x }, dims as never);
    // 1 - y² cancels beside y = 1.
    expectNear(gx, wanted, 3e-6);
  });
});

test("other exponents stay with the portable form", () => {
  const x = numbers(SMALLEST);
  for (const exponent of [0.5, 5, -7])
    expect(check(unaryKernels.pow.forward, { y: x.slice(), x }, exponent)).toBeUndefined();
});

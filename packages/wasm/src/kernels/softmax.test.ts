import { softmaxForward, softmaxGradient } from "@saunet/core/kernels";
import { expect, test } from "vitest";
import { check, generatorFor, numbers, outputsOf } from "./testing.ts";

const shapes = [
  [600, 1],
  [200, 3],
  [40, 16],
  [33, 17],
  [20, 1000],
  [1, 1003],
] as const;

test.each(shapes)("%i lines of %i, and their gradient", (outer, size) => {
  const dims = { outer, size, inner: 1 };
  for (const spread of [1, 30, 1000]) {
    const x = numbers(outer * size, 1, spread);
    const y = new Float32Array(x.length);
    expect(check(softmaxForward, { y: y.slice(), x }, dims)).toBeLessThan(1e-6);
    softmaxForward.reference({ y, x }, dims);
    const gradient = { gx: new Float32Array(x.length), gy: numbers(x.length, 2), y };
    expect(check(softmaxGradient, gradient, dims)).toBeDefined();
    // Differences of slopes, which lie between -3 and 3, cancel: what is left is as good as these were.
    const { gx } = outputsOf(generatorFor(softmaxGradient), gradient, dims)!;
    const wanted = gx.slice() as Float32Array;
    softmaxGradient.reference({ ...gradient, gx: wanted }, dims);
    expect(Math.max(...gx.map((value, i) => Math.abs(value - wanted[i])))).toBeLessThan(1e-6);
  }
});

test("a line with NaN, ∞ or nothing but -∞ is none, others do not know of it", () => {
  const dims = { outer: 40, size: 18, inner: 1 };
  const x = numbers(40 * 18);
  x[17] = Number.NaN;
  x[18 + 3] = Number.POSITIVE_INFINITY;
  x.fill(Number.NEGATIVE_INFINITY, 36, 54);
  x[60] = Number.NEGATIVE_INFINITY;
  const { y } = outputsOf(generatorFor(softmaxForward), { y: x.slice(), x }, dims)!;
  expect(y.subarray(0, 54).every(Number.isNaN)).toBe(true);
  expect(y.subarray(54).some(Number.isNaN)).toBe(false);
  expect(y[60]).toBe(0);
});

test("other axes stay with the portable form", () => {
  const x = numbers(4096);
  expect(check(softmaxForward, { y: x.slice(), x }, { outer: 4, size: 16, inner: 64 })).toBeUndefined();
});

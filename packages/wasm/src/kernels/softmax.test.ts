import {
  logSoftmaxForward,
  logSoftmaxGradient,
  type SoftmaxCrossEntropyDims,
  softmaxCrossEntropyForward,
  softmaxCrossEntropyGradient,
  softmaxForward,
  softmaxGradient,
} from "@saunet/core/kernels";
import { expect, test } from "vitest";
import { checkEdges } from "../testing-edges.ts";
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

test.each(shapes)("%i logarithms of lines of %i, and their gradient", (outer, size) => {
  const dims = { outer, size, inner: 1 };
  for (const spread of [1, 30, 1000]) {
    const x = numbers(outer * size, 1, spread);
    const y = new Float32Array(x.length);
    expect(check(logSoftmaxForward, { y: y.slice(), x }, dims)).toBeLessThan(1e-6);
    logSoftmaxForward.reference({ y, x }, dims);
    const gradient = { gx: new Float32Array(x.length), gy: numbers(x.length, 2), y };
    expect(check(logSoftmaxGradient, gradient, dims)).toBeLessThan(2e-6);
  }
});

test.each(shapes)("%i cross entropies of %i classes, and their gradient", (outer, size) => {
  for (const target of ["classes", "shares"] as const)
    for (const ignoreClass of target === "classes" ? [undefined, 0, 255] : [undefined]) {
      const dims: SoftmaxCrossEntropyDims = { outer, size, inner: 1, target, ignoreClass };
      const x = numbers(outer * size, 1, 30);
      const classes = numbers(outer, 3, 0.5).map((value, i) =>
        ignoreClass === 255 && i % 5 === 0 ? 255 : Math.min(size - 1, Math.floor((value + 0.5) * size)),
      );
      const shares = numbers(outer * size, 4, 1).map((value) => Math.max(0, value));
      const z = target === "classes" ? classes : shares;
      expect(check(softmaxCrossEntropyForward, { y: new Float32Array(outer), x, z }, dims)).toBeLessThan(
        1e-6,
      );
      const gradient = { gx: new Float32Array(x.length), gy: numbers(outer, 2), x, z };
      expect(check(softmaxCrossEntropyGradient, gradient, dims)).toBeLessThan(2e-6);
      expect(
        checkEdges(generatorFor(softmaxCrossEntropyForward), { y: new Float32Array(outer), x, z }, dims),
      ).toBeDefined();
      expect(checkEdges(generatorFor(softmaxCrossEntropyGradient), gradient, dims)).toBeDefined();
    }
});

test("a logit of -∞ costs nothing where its share is 0, and a class that does not exist traps", () => {
  const dims = { outer: 30, size: 20, inner: 1, target: "shares", ignoreClass: undefined } as const;
  const x = numbers(600);
  const z = new Float32Array(600);
  for (let line = 0; line < 30; line++) [x[20 * line + 3], z[20 * line + 5]] = [Number.NEGATIVE_INFINITY, 1];
  const { y } = outputsOf(generatorFor(softmaxCrossEntropyForward), { y: new Float32Array(30), x, z }, dims)!;
  expect(y.every(Number.isFinite)).toBe(true);
  for (const bad of [20, -1, 0.5, Number.NaN]) {
    const arrays = { y: new Float32Array(30), x, z: new Float32Array(30).fill(bad) };
    const byClass = { ...dims, target: "classes" } as const;
    expect(() => outputsOf(generatorFor(softmaxCrossEntropyForward), arrays, byClass)).toThrow("unreachable");
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

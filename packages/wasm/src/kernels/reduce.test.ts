import { maxForward, maxGradient, stretchForward, sumForward, walkOver } from "@saunet/core/kernels";
import { describe, expect, test } from "vitest";
import { SMALLEST } from "./stream.ts";
import { check, generatorFor, numbers, outputsOf, shapes, sizeOf } from "./testing.ts";

describe.each(shapes)("[%d,%d,%d,%d]", (N, H, W, C) => {
  const shape = [N, H, W, C];
  const x = numbers(sizeOf(shape));
  const shorter = [[1, 1, 1, 1], [N, H, W, 1], [C]];
  const small = sizeOf(shape) < SMALLEST;

  test("sum", () => {
    for (const kept of shorter) {
      const dims = { walk: walkOver(shape, [shape, kept]), scale: 0.7 };
      const error = check(sumForward, { out: new Float32Array(sizeOf(kept)), x }, dims);
      const nothing = sizeOf(kept) === x.length;
      const ragged = sizeOf(kept) === C && C > 1 && C % 4 !== 0;
      if (small || nothing || ragged) expect(error).toBeUndefined();
      // Neighbours are added in 32 bits, so a number that cancels has the rounding of what it was made of.
      else expect(error).toBeLessThan(1e-7);
    }
  });

  test("stretch", () => {
    for (const kept of [shape, ...shorter]) {
      const dims = { walk: walkOver(shape, [shape, kept]), scale: -0.7 };
      const error = check(stretchForward, { out: x.slice(), x: numbers(sizeOf(kept), 2) }, dims);
      // The factor is rounded, and the product.
      if (small) expect(error).toBeUndefined();
      else expect(error).toBeLessThan(2e-7);
    }
  });

  test("max over the last axis, and its gradient", () => {
    const walk = walkOver(shape, [shape, [N, H, W, 1]]);
    // Halves, so that some tie.
    const halves = x.map((value) => Math.round(value * 2) / 2);
    const y = new Float32Array(N * H * W);
    maxForward.reference({ y, x: halves }, walk);
    const forward = check(maxForward, { y: y.slice(), x: halves }, walk);
    const gradient = check(maxGradient, { gx: x.slice(), gy: numbers(y.length, 2), x: halves, y }, walk);
    expect([forward, gradient]).toEqual(small || C === 1 ? [undefined, undefined] : [0, 0]);
  });
});

test("a sum that cancels keeps its digits", () => {
  const x = Float32Array.from({ length: 100_000 }, (_, i) => (i % 2 === 0 ? 1e6 : -1e6) + (i === 77 ? 1 : 0));
  const walk = walkOver([x.length], [[x.length], [1]]);
  expect(
    outputsOf(generatorFor(sumForward), { out: new Float32Array(1), x }, { walk, scale: 1 })!.out[0],
  ).toBe(1);
});

test("the maximum hands on NaN, from every lane, and -∞", () => {
  const [rows, C] = [64, 16];
  const x = numbers(rows * C);
  for (let row = 0; row < C; row++) x[row * C + row] = Number.NaN;
  x.fill(Number.NEGATIVE_INFINITY, C * C, C * C + C);
  const walk = walkOver(
    [rows, C],
    [
      [rows, C],
      [rows, 1],
    ],
  );
  const { y } = outputsOf(generatorFor(maxForward), { y: new Float32Array(rows), x }, walk)!;
  expect([...y.subarray(0, C)].every(Number.isNaN)).toBe(true);
  expect(y[C]).toBe(Number.NEGATIVE_INFINITY);
  expect(y.subarray(C + 1).some(Number.isNaN)).toBe(false);
});

test("sums over other axes stay with the portable form", () => {
  const walk = walkOver(
    [4, 64, 16],
    [
      [4, 64, 16],
      [4, 1, 16],
    ],
  );
  expect(
    check(sumForward, { out: new Float32Array(64), x: numbers(4096) }, { walk, scale: 1 }),
  ).toBeUndefined();
});

import { maxPool2dForward, maxPool2dGradient, pool2dDims } from "@saunet/core/kernels";
import { describe, expect, test } from "vitest";
import { SMALLEST } from "./stream.ts";
import { check, generatorFor, numbers, outputsOf, shapes, sizeOf } from "./testing.ts";

const options = { size: 2 };

describe.each(shapes.filter(([, H]) => H > 1))("[%d,%d,%d,%d]", (N, H, W, C) => {
  const d = pool2dDims("maxPool2d", [N, H, W, C], options);
  const count = N * d.OH * d.OW * C;

  test.each([
    ["numbers", numbers(sizeOf([N, H, W, C]))],
    ["numbers that tie", numbers(sizeOf([N, H, W, C])).map(Math.round)],
  ])("%s", (_, x) => {
    const y = new Float32Array(count);
    const argmax = new Int32Array(count);
    maxPool2dForward.reference({ y, argmax, x }, d);
    const forward = check(maxPool2dForward, { y: y.slice(), argmax: argmax.slice(), x }, d);
    const gradient = check(maxPool2dGradient, { gx: x.slice(), gy: numbers(count, 2), argmax }, d);
    const portable = count < SMALLEST || C % 4 !== 0;
    expect([forward, gradient]).toEqual(portable ? [undefined, undefined] : [0, 0]);
  });
});

test("the first NaN of a window wins, then the first of equals; -∞ is a number", () => {
  const d = pool2dDims("maxPool2d", [1, 16, 16, 16], options);
  const values = [Number.NaN, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, 0, -0, 1];
  const x = numbers(16 * 16 * 16, 1, 3).map((value) => values[Math.abs(Math.trunc(value * 100)) % 6]);
  const wanted = { y: new Float32Array(1024), argmax: new Int32Array(1024) };
  maxPool2dForward.reference({ ...wanted, x }, d);
  const found = outputsOf(generatorFor(maxPool2dForward), { ...wanted, x }, d)!;
  expect(found.argmax).toEqual(wanted.argmax);
  expect(found.y).toEqual(wanted.y);
});

test.each([
  ["windows of 3", { size: 3 }],
  ["windows that overlap", { size: 2, stride: 1 }],
  ["windows over the edge", { size: 2, padding: "same" }],
] as const)("%s stay with the portable form", (_, other) => {
  const d = pool2dDims("maxPool2d", [1, 33, 33, 16], other);
  const count = d.OH * d.OW * 16;
  const arrays = { y: new Float32Array(count), argmax: new Int32Array(count), x: numbers(33 * 33 * 16) };
  expect(check(maxPool2dForward, arrays, d)).toBeUndefined();
});

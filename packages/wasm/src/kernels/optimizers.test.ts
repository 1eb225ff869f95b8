import { adamUpdate, sgdUpdate } from "@saunet/core/kernels";
import { describe, expect, test } from "vitest";
import { check, numbers } from "./testing.ts";

const lengths = [512, 1003, 20_000];
const rate = new Float32Array([0.01]);

describe.each([
  { momentum: 0, nesterov: false },
  { momentum: 0.9, nesterov: false },
  { momentum: 0.9, nesterov: true },
])("sgd %j", (dims) => {
  test.each(lengths)("%d elements", (length) => {
    const arrays = { w: numbers(length), velocity: numbers(length, 2), g: numbers(length, 3), rate };
    expect(check(sgdUpdate, arrays, dims)).toBeLessThan(2e-7);
  });
});

describe.each([
  { beta1: 0.9, beta2: 0.999, epsilon: 1e-7, weightDecay: 0 },
  { beta1: 0.8, beta2: 0.99, epsilon: 1e-3, weightDecay: 0.004 },
])("adam %j", (dims) => {
  test.each([1, 2, 10, 1000, 123_457])("step %d", (step) => {
    for (const length of lengths) {
      const moments = { m: numbers(length, 2, 0.1), v: numbers(length, 3, 0.01).map(Math.abs) };
      const arrays = {
        w: numbers(length),
        ...moments,
        g: numbers(length, 4),
        rate,
        count: new Float32Array([step]),
      };
      expect(check(adamUpdate, arrays, dims)).toBeLessThan(2e-7);
    }
  });
});

test("few elements stay with the portable form", () => {
  const arrays = { w: numbers(511), velocity: numbers(511), g: numbers(511), rate };
  expect(check(sgdUpdate, arrays, { momentum: 0, nesterov: false })).toBeUndefined();
});

import {
  addForward,
  divForward,
  mulForward,
  subForward,
  sumOfGradients,
  walkOver,
} from "@saunet/core/kernels";
import { expect, test } from "vitest";
import { SMALLEST } from "./stream.ts";
import { check, generatorFor, numbers, outputsOf, shapes, sizeOf } from "./testing.ts";

// All four are one generator; subtraction tells its operands apart, so it goes through all shapes.
const few = shapes.filter(([, H, , C]) => H < 100 && (C === 5 || C === 16));

test.each([
  [subForward, shapes],
  [addForward, few],
  [mulForward, few],
  [divForward, few],
])("%o is the reference bit for bit, whatever is stretched", (kernel, all) => {
  for (const shape of all) {
    const [N, H, W, C] = shape;
    for (const small of [shape, [N, H, W, 1], [C], []])
      for (const [a, b] of [[shape, small] as const, [small, shape] as const]) {
        const arrays = {
          out: new Float32Array(sizeOf(shape)),
          a: numbers(sizeOf(a), 1),
          b: numbers(sizeOf(b), 2),
        };
        const error = check(kernel, arrays, walkOver(shape, [shape, a, b]));
        expect(error).toBe(sizeOf(shape) < SMALLEST ? undefined : 0);
      }
  }
});

test("division by zero, ∞ and NaN follow IEEE 754", () => {
  const [a, b] = [numbers(600), numbers(600, 2)];
  a.set([1, -1, 0, Infinity, NaN, 1]);
  b.set([0, 0, 0, Infinity, 1, NaN]);
  const walk = walkOver([600], [[600], [600], [600]]);
  const { out } = outputsOf(generatorFor(divForward), { out: a.slice(), a, b }, walk)!;
  expect([...out.subarray(0, 6)]).toEqual([Infinity, -Infinity, NaN, NaN, NaN, NaN]);
});

test("three axes that do not join stay with the portable form", () => {
  const walk = walkOver(
    [4, 16, 16],
    [
      [4, 16, 16],
      [4, 16, 16],
      [4, 1, 16],
    ],
  );
  const arrays = { out: new Float32Array(1024), a: numbers(1024), b: numbers(64) };
  expect(check(addForward, arrays, walk)).toBeUndefined();
});

test.each([600, 1023, 4096])("two gradients of %i elements add up bit for bit", (length) => {
  const arrays = { out: new Float32Array(length), a: numbers(length, 1), b: numbers(length, 2) };
  expect(check(sumOfGradients, arrays, undefined)).toBe(0);
});

import { sigmoidCrossEntropyForward, sigmoidCrossEntropyGradient } from "@saunet/core/kernels";
import fc from "fast-check";
import { expect, test } from "vitest";
import { SMALLEST } from "./stream.ts";
import { check, generatorFor, numbers, outputsOf } from "./testing.ts";

const cases = fc.tuple(fc.integer({ min: SMALLEST, max: 4000 }), fc.constantFrom(0.1, 5, 100));
const halfOf = (x: Float32Array) => x.map((value) => (value > 0 ? 1 : 0));

test("the loss and its gradient agree with the reference", () => {
  fc.assert(
    fc.property(cases, ([length, spread]) => {
      const x = numbers(length, 1, spread);
      const z = halfOf(numbers(length, 2));
      expect(check(sigmoidCrossEntropyForward, { y: x.slice(), x, z })).toBeLessThan(3e-7);
      expect(
        check(sigmoidCrossEntropyGradient, { gx: x.slice(), gy: numbers(length, 3), x, z }),
      ).toBeLessThan(5e-7);
    }),
    { numRuns: 15 },
  );
});

test("a small loss has its digits too", () => {
  const x = numbers(5000, 1, 80).map(Math.abs);
  const z = x.map(() => 1);
  const { y } = outputsOf(generatorFor(sigmoidCrossEntropyForward), { y: x.slice(), x, z }, undefined)!;
  for (const [i, value] of y.entries()) {
    const wanted = Math.log1p(Math.exp(-x[i]));
    expect(Math.abs(value / wanted - 1)).toBeLessThan(1e-6);
  }
});

test("logits beyond all bounds give what the reference gives", () => {
  const x = numbers(600);
  const logits = [0, 1000, -1000, 1000, -1000, Infinity, -Infinity, NaN];
  const targets = [0, 1, 0, 0, 1, 0.5, 0.5, 0];
  x.set(logits);
  const z = x.map((_, i) => targets[i] ?? 0);
  const wanted = x.slice();
  sigmoidCrossEntropyForward.reference({ y: wanted, x, z }, undefined);
  const { y } = outputsOf(generatorFor(sigmoidCrossEntropyForward), { y: x.slice(), x, z }, undefined)!;
  for (const i of logits.keys())
    if (i > 0) expect(y[i]).toBe(wanted[i]);
    else expect(y[i]).toBeCloseTo(wanted[i], 6);
});

import { randomState } from "@saunet/core";
import { uniformDraw } from "@saunet/core/kernels";
import fc from "fast-check";
import { expect, test } from "vitest";
import { SMALLEST } from "./stream.ts";
import { check, generatorFor, outputsOf } from "./testing.ts";

const words = fc.integer({ min: 0, max: 2 ** 32 - 1 });

test("the numbers and the state afterwards are the reference's, bit for bit", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: SMALLEST, max: 3000 }),
      fc.tuple(words, words, words, words),
      fc.constantFrom([0, 1], [-3, 6], [0.1, 1e-3]),
      (length, state, [low, width]) => {
        const arrays = { out: new Float32Array(length), state: Uint32Array.from(state) };
        expect(check(uniformDraw, arrays, { low, width })).toBe(0);
      },
    ),
    { numRuns: 30 },
  );
});

test.each([
  [2 ** 32 - 100, 7],
  [2 ** 32 - 1, 2 ** 32 - 1],
])("the counter carries at %d, %d", (low, high) => {
  const arrays = { out: new Float32Array(1001), state: new Uint32Array([1, 2, low, high]) };
  expect(check(uniformDraw, arrays, { low: 0, width: 1 })).toBe(0);
  const { state } = outputsOf(generatorFor(uniformDraw), arrays, { low: 0, width: 1 })!;
  expect([...state]).toEqual([1, 2, (low + 501) % 2 ** 32, (high + 1) % 2 ** 32]);
});

test("two draws in a row go on with the stream", () => {
  const generator = generatorFor(uniformDraw);
  const dims = { low: 0, width: 1 };
  const draw = (length: number, state: Uint32Array) =>
    outputsOf(generator, { out: new Float32Array(length), state }, dims)! as {
      out: Float32Array;
      state: Uint32Array;
    };
  const first = draw(600, randomState(5));
  const second = draw(600, first.state);
  expect([...first.out, ...second.out]).toEqual([...draw(1200, randomState(5)).out]);
});

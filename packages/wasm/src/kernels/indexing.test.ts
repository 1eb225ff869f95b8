import { capture, gather, oneHot, prepare, softmaxCrossEntropy, Tensor, tensor } from "@saunet/core";
import { gatherForward, gatherGradient, oneHotForward } from "@saunet/core/kernels";
import { afterEach, describe, expect, test } from "vitest";
import { accelerate, restore } from "../accelerate.ts";
import { checkEdges } from "../testing-edges.ts";
import { check, generatorFor, numbers, outputsOf } from "./testing.ts";

const indicesBelow = (size: number, count: number, seed = 3): Float32Array =>
  numbers(count, seed, 0.5).map((value) => Math.min(size - 1, Math.floor((value + 0.5) * size)));

const shapes = [
  { outer: 1, size: 50, inner: 64, count: 33 },
  { outer: 1, size: 3, inner: 17, count: 100 },
  { outer: 3, size: 20, inner: 5, count: 41 },
  { outer: 700, size: 9, inner: 1, count: 2 },
  { outer: 1, size: 5000, inner: 18, count: 40 },
];

describe.each(shapes)("%o", (dims) => {
  const { outer, size, inner, count } = dims;
  const x = numbers(outer * size * inner);
  const indices = indicesBelow(size, count);
  const forward = { y: new Float32Array(outer * count * inner), x, indices };
  const gradient = { gx: new Float32Array(x.length), gy: numbers(outer * count * inner, 2), indices };

  test("are taken bit for bit, in any number of ranges", () => {
    expect(check(gatherForward, forward, dims)).toBe(0);
    expect(checkEdges(generatorFor(gatherForward), forward, dims)).toBeDefined();
  });

  test("the gradient is added up in order, bit for bit", () => {
    expect(check(gatherGradient, gradient, dims)).toBe(0);
    expect(checkEdges(generatorFor(gatherGradient), gradient, dims)).toBeDefined();
  });
});

test.each([
  [600, 1],
  [200, 3],
  [77, 10],
  [1, 1000],
  [9, 1003],
])("%i classes of %i", (count, classes) => {
  const arrays = { y: new Float32Array(count * classes), indices: indicesBelow(classes, count) };
  expect(check(oneHotForward, arrays, { classes })).toBe(0);
  expect(checkEdges(generatorFor(oneHotForward), arrays, { classes })).toBeDefined();
});

test("an index that leads nowhere traps, and touches nothing in the gradient", () => {
  for (const bad of [-1, 50, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 1e20]) {
    const indices = indicesBelow(50, 33);
    indices[7] = bad;
    const dims = { outer: 1, size: 50, inner: 64, count: 33 };
    const [x, y] = [numbers(50 * 64), numbers(33 * 64)];
    expect(() => outputsOf(generatorFor(gatherForward), { y, x, indices }, dims)).toThrow("unreachable");
    const { gx } = outputsOf(generatorFor(gatherGradient), { gx: x, gy: y, indices }, dims)!;
    expect(gx.every(Number.isFinite)).toBe(true);
    const shares = { y: new Float32Array(33 * 50), indices };
    expect(() => outputsOf(generatorFor(oneHotForward), shares, { classes: 50 })).toThrow("unreachable");
  }
});

describe("what a user is told of an index that leads nowhere", () => {
  afterEach(restore);
  const table = new Tensor(numbers(50 * 600), [50, 600]);
  const logits = new Tensor(numbers(40 * 50), [40, 50]);
  const bad = indicesBelow(50, 40);
  bad[33] = 50;
  const operators = {
    gather: (indices: Tensor) => gather(table, indices),
    oneHot: (indices: Tensor) => oneHot(indices, 50),
    softmaxCrossEntropy: (indices: Tensor) => softmaxCrossEntropy(logits, indices),
  };

  test.each([1, 2])("on %i threads, alone, in a program and beside the caller", async (threads) => {
    await accelerate({ threads });
    for (const [name, apply] of Object.entries(operators)) {
      const said = new RegExp(`^${name}: (index|class) 50 at 33 must be an integer from 0 to 49$`);
      expect(() => apply(tensor(bad))).toThrow(said);
      const program = prepare(capture(([indices]) => [apply(indices)], [tensor(bad)]));
      expect(() => program.runSync([tensor(bad)])).toThrow(said);
      await expect(program.run([tensor(bad)])).rejects.toThrow(said);
      const [right] = await program.run([tensor(indicesBelow(50, 40))]);
      expect(right.data.every(Number.isFinite)).toBe(true);
      program.release();
    }
  });
});

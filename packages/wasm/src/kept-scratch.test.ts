// What a program packs once and keeps must be of what never changes while it runs.

import { capture, conv2d, matmul, normal, randomState, type Tensor } from "@saunet/core";
import { withReferences } from "@saunet/core/kernels";
import { relativeError } from "@saunet/core/testing";
import { describe, expect, it } from "vitest";
import { Arena } from "./memory.ts";
import { observe } from "./observe.ts";
import { prepareInArena } from "./program.ts";
import { alone, Runner } from "./runner.ts";

const random = (shape: readonly number[], seed: number) => normal(shape, randomState(seed));
const weights = random([128, 128], 9);

/** Bodies whose calls arrange something beforehand, and the shapes of what changes from run to run. */
const BODIES: readonly {
  readonly what: string;
  readonly shapes: readonly (readonly number[])[];
  readonly body: (inputs: readonly Tensor[]) => Tensor;
}[] = [
  {
    what: "both factors of a product",
    shapes: [
      [128, 128],
      [128, 128],
    ],
    body: ([a, b]) => matmul(a, b, { transposeA: true, transposeB: true }),
  },
  {
    what: "the left factor, the right one constant",
    shapes: [[128, 128]],
    body: ([a]) => matmul(a, weights, { transposeA: true, transposeB: true }),
  },
  {
    what: "the right factor, the left one constant",
    shapes: [[128, 128]],
    body: ([b]) => matmul(weights, b, { transposeA: true, transposeB: true }),
  },
  {
    what: "a factor that the program computes, the other one constant",
    shapes: [[128, 128]],
    body: ([a]) => matmul(matmul(a, a), weights, { transposeA: true, transposeB: true }),
  },
  {
    what: "the filter of a convolution",
    shapes: [
      [1, 24, 24, 16],
      [3, 3, 16, 16],
    ],
    body: ([x, w]) => conv2d(x, w),
  },
];

describe("a captured program that is run again packs anew", () => {
  const runner = new Runner(new Arena(false, 2 ** 26), alone, { relaxed: false });

  it.each(BODIES)("$what", ({ shapes, body }) => {
    const first = shapes.map((shape, i) => random(shape, i + 1));
    const program = prepareInArena(
      runner,
      capture((inputs) => [body(inputs)], first),
    );
    for (const run of [0, 1, 2]) {
      const inputs = shapes.map((shape, i) => random(shape, 10 * run + i + 1));
      const wanted = withReferences(() => body(inputs));
      const [{ data }] = program.runSync(inputs);
      expect(relativeError(data, wanted.data), `run ${run}`).toBeLessThan(1e-4);
    }
    program.free();
  });
});

describe("what is made of weights alone is made in the first run, and again where they have changed", () => {
  const runner = new Runner(new Arena(false, 2 ** 26), alone, { relaxed: false });
  const matrix = random([128, 128], 3);
  const [filter, grouped] = [random([3, 3, 16, 16], 4), random([3, 3, 4, 16], 5)];
  const image = [1, 24, 24, 16];

  it.each<[string, number, Tensor, readonly number[], (x: Tensor) => Tensor]>([
    ["a product", 1, matrix, [128, 128], (x) => matmul(x, matrix, { transposeB: true })],
    ["a product from the left", 1, matrix, [128, 128], (x) => matmul(matrix, x, { transposeA: true })],
    ["a convolution", 1, filter, image, (x) => conv2d(x, filter)],
    ["a convolution in groups", 2, grouped, image, (x) => conv2d(x, grouped, undefined, { groups: 4 })],
  ])("%s: %i steps", (_, kept, weight, shape, body) => {
    const x = random(shape, 6);
    const program = prepareInArena(
      runner,
      capture(([input]) => [body(input)], [x]),
    );
    const steps = () => {
      const names: string[] = [];
      observe(
        ({ name }) => names.push(name),
        () => program.runSync([x]),
      );
      return names;
    };
    const first = steps();
    const later = steps();
    expect(first.length - later.length).toBe(kept);
    expect(steps()).toEqual(later);
    weight.data[5] += 1;
    expect(steps()).toEqual(first);
    expect(steps()).toEqual(later);
    program.free();
  });
});

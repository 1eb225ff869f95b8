import {
  compareForward,
  extremeGradient,
  leakyReluForward,
  leakyReluGradient,
  maximumForward,
  minimumForward,
  walkOver,
  whereForward,
} from "@saunet/core/kernels";
import { expect, test } from "vitest";
import { SMALLEST } from "./stream.ts";
import { check, generatorFor, numbers, outputsOf, shapes, sizeOf } from "./testing.ts";

const few = shapes.filter(([, H, , C]) => H < 100 && (C === 5 || C === 16));
const special = [0, -0, Infinity, -Infinity, NaN, 1, -1];

/** Halves, so that some are equal. */
const halves = (shape: readonly number[], seed: number): Float32Array =>
  numbers(sizeOf(shape), seed).map((value) => Math.round(2 * value) / 2);

const kernels = [
  [minimumForward, "out", ["a", "b"], []],
  [maximumForward, "out", ["a", "b"], []],
  ...(["greater", "greaterEqual", "equal", "notEqual"] as const).map(
    (relation) => [compareForward, "out", ["a", "b"], [{ relation }]] as const,
  ),
  [whereForward, "y", ["c", "a", "b"], []],
  ...([1, -1] as const).map((sign) => [extremeGradient, "gx", ["gy", "x", "other"], [{ sign }]] as const),
] as const;

test.each(kernels)(
  "%o is the reference bit for bit, whatever is stretched",
  (kernel, written, read, more) => {
    for (const shape of few) {
      const [N, H, W] = shape;
      for (const small of [shape, [N, H, W, 1], [shape[3]], []])
        for (let which = 0; which < read.length; which++) {
          const own = read.map((_, i) => (i === which ? small : shape));
          const walk = walkOver(shape, [shape, ...own]);
          const arrays = {
            [written]: new Float32Array(sizeOf(shape)),
            ...Object.fromEntries(read.map((name, i) => [name, halves(own[i], i + 1)])),
          };
          const error = check(kernel, arrays, more.length > 0 ? { walk, ...more[0] } : walk);
          expect(error).toBe(sizeOf(shape) < SMALLEST ? undefined : 0);
        }
    }
  },
);

test.each(kernels)(
  "%o follows the reference for every pair of special values",
  (kernel, written, read, more) => {
    const length = 600;
    const walk = walkOver([length], [[length], ...read.map(() => [length])]);
    const arrays: Record<string, Float32Array> = { [written]: new Float32Array(length) };
    read.forEach((name, r) => {
      arrays[name] = Float32Array.from(
        { length },
        (_, i) => special[Math.floor(i / special.length ** r) % special.length],
      );
    });
    const dims = more.length > 0 ? { walk, ...more[0] } : walk;
    const wanted = new Float32Array(length);
    (kernel.reference as (arrays: object, dims: unknown) => void)({ ...arrays, [written]: wanted }, dims);
    expect(outputsOf(generatorFor(kernel), arrays, dims)![written]).toEqual(wanted);
  },
);

test.each([0.01, 0.3, 0, -1, 2])("leaky ReLU with slope %f, and its gradient", (slope) => {
  for (const length of [SMALLEST, 1003]) {
    const x = numbers(length);
    x.set(special);
    // The slope is rounded, and the product.
    const arrays = { y: new Float32Array(length), x: x.map((value) => (Number.isFinite(value) ? value : 0)) };
    expect(check(leakyReluForward, arrays, { slope })).toBeLessThan(2e-7);
    const gradient = { gx: new Float32Array(length), gy: numbers(length, 2), x };
    expect(check(leakyReluGradient, gradient, { slope })).toBeLessThan(2e-7);
    const { y } = outputsOf(generatorFor(leakyReluForward), { y: x.slice(), x }, { slope })!;
    const wanted = new Float32Array(length);
    leakyReluForward.reference({ y: wanted, x }, { slope });
    expect(y.subarray(0, special.length)).toEqual(wanted.subarray(0, special.length));
  }
});

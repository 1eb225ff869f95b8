import { concat, pad, slice, Tensor, tensor, transpose } from "@saunet/core";
import { type AnyKernel, type Arrays, intercept, splitForward } from "@saunet/core/kernels";
import fc from "fast-check";
import { expect, test } from "vitest";
import { SMALLEST } from "./stream.ts";
import { check, numbers, shapes, sizeOf } from "./testing.ts";

/** Checks every kernel call that an operator makes; gives the kernels that had code. */
function checkCalls(operator: () => Tensor): string[] {
  const names: string[] = [];
  const each = ({
    kernel,
    arrays,
    dims,
    run,
  }: {
    kernel: AnyKernel;
    arrays: Arrays;
    dims: unknown;
    run: () => void;
  }) => {
    const error = check(kernel, arrays, dims);
    if (error !== undefined) {
      expect(error).toBe(0);
      names.push(kernel.name);
    }
    run();
  };
  intercept(each, operator);
  return names;
}

const random = (shape: readonly number[], seed = 1) => new Tensor(numbers(sizeOf(shape), seed), shape);

test.each(shapes)("[%d,%d,%d,%d]: slice, pad, transpose, concat", (N, H, W, C) => {
  const x = random([N, H, W, C]);
  const narrow = random([N, H, W, 3], 2);
  const inner = [N, Math.ceil(H / 2), W, C];
  const plan = (count: number, name: string) => (count < SMALLEST ? [] : [name]);
  expect(checkCalls(() => slice(x, [0, H >> 1, 0, 0], inner))).toEqual(
    plan(sizeOf(inner), "movement.readBox"),
  );
  const margin = [
    [0, 0],
    [1, 2],
    [3, 0],
    [0, 0],
  ] as const;
  const padded = N * (H + 3) * (W + 3) * C;
  expect(checkCalls(() => pad(x, margin, -1.5))).toEqual(plan(padded, "movement.writeBox"));
  expect(checkCalls(() => transpose(x, [0, 2, 1, 3]))).toEqual(plan(x.size, "movement.readBox"));
  expect(checkCalls(() => transpose(x, [3, 1, 0, 2]))).toEqual(plan(x.size, "movement.readBox"));
  expect(checkCalls(() => concat([x, narrow], 3))).toEqual(plan(N * H * W * (C + 3), "movement.concat"));
});

test("rows of any length are joined and taken apart again", () => {
  const length = fc.integer({ min: 0, max: 300 });
  fc.assert(
    fc.property(length, length, fc.integer({ min: 1, max: 40 }), (sizeA, sizeB, runs) => {
      fc.pre((sizeA + sizeB) * runs >= SMALLEST);
      const a = random([runs, sizeA]);
      const b = random([runs, sizeB], 2);
      expect(checkCalls(() => concat([a, b], 1))).toEqual(["movement.concat"]);
      const y = concat([a, b], 1).data;
      expect(check(splitForward, { a: a.data.slice(), b: b.data.slice(), y }, { sizeA, sizeB })).toBe(0);
    }),
    { numRuns: 40 },
  );
});

test("an empty box leaves the margin alone", () => {
  expect(checkCalls(() => pad(tensor([]), [[300, 300]], 2))).toEqual(["movement.writeBox"]);
});

import { randomState, uniform } from "@saunet/core";
import {
  allocateMask,
  dropBlockApply,
  dropBlockDims,
  dropBlockDraw,
  dropBlockScale,
  dropoutMask,
  gapLimits,
} from "@saunet/core/kernels";
import { describe, expect, test } from "vitest";
import { SMALLEST } from "./stream.ts";
import { check, generatorFor, numbers, outputsOf, shapes, sizeOf } from "./testing.ts";

const noiseOf = (count: number) => uniform([count], randomState(3)).data;

describe.each(shapes)("[%d,%d,%d,%d]", (N, H, W, C) => {
  test.each([
    { rate: 0.15, blockSize: 7 },
    { rate: 0.15, blockSize: 7, sharedMask: true },
    { rate: 0.5, blockSize: [2, 4] as const },
    { rate: 1, blockSize: 1 },
  ])("%j", (options) => {
    const d = dropBlockDims([N, H, W, C], options);
    const mask = allocateMask(d);
    const limits = gapLimits(1 - d.keepRate);
    // The lower half of the counter is about to overflow.
    const state = new Uint32Array([1, 2, 2 ** 32 - 5, 7]);
    dropBlockDraw.reference({ mask, limits, state: state.slice() }, d);
    const scale = new Float32Array(1);
    dropBlockScale.reference({ scale, mask }, d);
    const x = numbers(sizeOf([N, H, W, C]));
    const small = N * H * W * d.maskC < SMALLEST;
    expect(check(dropBlockDraw, { mask: mask.slice(), limits, state }, d)).toBe(small ? undefined : 0);
    expect(check(dropBlockScale, { scale: scale.slice(), mask }, d)).toBe(small ? undefined : 0);
    const error = check(dropBlockApply, { y: x.slice(), x, mask, scale }, d);
    if (x.length < SMALLEST) expect(error).toBeUndefined();
    else {
      expect(error).toBe(0);
      x[5] = Number.NaN;
      const arrays = { y: x.slice(), x, mask, scale };
      dropBlockApply.reference(arrays, d);
      const { y } = outputsOf(generatorFor(dropBlockApply), arrays, d)!;
      expect(y.every((value, i) => Object.is(value, arrays.y[i]))).toBe(true);
    }
  });
});

test("a mask that keeps nothing has scale 0, whatever fills up its last word", () => {
  const d = dropBlockDims([1, 33, 31, 1], { rate: 0.2 });
  const mask = new Int32Array(256);
  mask[255] = 0xff000000;
  const arrays = { scale: new Float32Array([7]), mask };
  expect(outputsOf(generatorFor(dropBlockScale), arrays, d)!.scale[0]).toBe(0);
});

test.each([0, 0.1, 0.5, 1 / 3, 0.7, 0.999, 1])("dropout of %d", (rate) => {
  const noise = noiseOf(1003);
  // Where the rate lies between two 32-bit numbers, these two decide differently.
  noise.set([Math.fround(rate), Math.fround(rate) - 2 ** -25, Math.fround(rate) + 2 ** -24]);
  if (rate < 1) expect(check(dropoutMask, { mask: noise.slice(), noise }, { rate })).toBe(0);
  else
    expect(outputsOf(generatorFor(dropoutMask), { mask: noise.slice(), noise }, { rate })!.mask[9]).toBe(0);
});

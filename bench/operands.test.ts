import { conv2dDims, groupedConv2dDims } from "@saunet/core/kernels";
import { expect, it } from "vitest";
import { makeOperands } from "./operands.ts";

const rms = (values: Float32Array): number =>
  Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);

it.each([
  ["a convolution", conv2dDims("conv2d", [2, 40, 30, 16], [3, 3, 16, 24], {}), 3 * 3 * 16],
  ["a grouped one", groupedConv2dDims("conv2d", [2, 40, 30, 16], [3, 3, 4, 24], { groups: 4 }), 3 * 3 * 4],
])("the numbers of %s have its shapes, and give results of about 1", (_, dims, taps) => {
  const { x, w, b, gy } = makeOperands(dims);
  const pixels = 2 * 40 * 30;
  expect([x, w, b, gy].map(({ length }) => length)).toEqual([pixels * 16, taps * 24, 24, pixels * 24]);
  expect(rms(x)).toBeCloseTo(1, 1);
  expect(rms(w) * Math.sqrt(taps)).toBeCloseTo(1, 1);
  expect(rms(gy) * Math.sqrt(pixels)).toBeCloseTo(1, 1);
  expect(makeOperands(dims)).toEqual({ x, w, b, gy });
});

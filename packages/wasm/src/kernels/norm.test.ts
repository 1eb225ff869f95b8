import {
  groupNormDims,
  groupNormForward,
  groupNormGradient,
  groupNormStatistics,
} from "@saunet/core/kernels";
import { describe, expect, test } from "vitest";
import { SMALLEST } from "./stream.ts";
import { check, generatorFor, numbers, outputsOf, shapes, sizeOf } from "./testing.ts";

const statisticsOf = (x: Float32Array, d: ReturnType<typeof groupNormDims>) => {
  const mean = new Float32Array(d.N * d.G);
  const variance = new Float32Array(d.N * d.G);
  groupNormStatistics.reference({ mean, variance, x }, d);
  return { mean, variance };
};

describe.each(shapes)("[%d,%d,%d,%d]", (N, H, W, C) => {
  const shape = [N, H, W, C];
  const x = numbers(sizeOf(shape)).map((value, i) => value + (i % C));
  const portable = sizeOf(shape) < SMALLEST || C % 4 !== 0;
  const expectError = (error: number | undefined) =>
    portable ? expect(error).toBeUndefined() : expect(error).toBeLessThan(1e-6);

  // One group, groups of four channels, and channels on their own, as batch normalisation has them.
  const groups = [1, C / 4, C].filter((count, i, all) => Number.isInteger(count) && all.indexOf(count) === i);
  test.each(groups)("%d groups", (count) => {
    const d = groupNormDims(shape, { groups: count });
    const { mean, variance } = statisticsOf(x, d);
    const [gamma, beta] = [numbers(C, 2), numbers(C, 3)];
    expectError(check(groupNormStatistics, { mean: mean.slice(), variance: variance.slice(), x }, d));
    expectError(check(groupNormForward, { y: x.slice(), x, mean, variance, gamma, beta }, d));
    for (const fixedStatistics of [false, true]) {
      const arrays = { gx: x.slice(), gGamma: gamma.slice(), gBeta: beta.slice() };
      const inputs = { gy: numbers(x.length, 4), x, mean, variance, gamma };
      expectError(check(groupNormGradient, { ...arrays, ...inputs }, { ...d, fixedStatistics }));
    }
  });
});

/** Rows that fill no vector, one vector, several, and one and a bit; as many as a part adds up in 32 bits, and more. */
const rows: readonly (readonly [number, number])[] = [
  ...([1, 2, 3, 4, 5, 15, 16, 17, 48, 77, 512] as const).map(
    (C) => [Math.ceil(SMALLEST / C) + 3, C] as const,
  ),
  ...([
    [1, SMALLEST],
    [2, 1003],
    [64 * 33 + 5, 6],
    [64 * 64 + 1, 16],
    [3, 9001],
  ] as const),
];

describe.each(rows)("layer normalisation of [%d,%d]", (N, C) => {
  const d = groupNormDims([N, C], { groups: 1 });
  const x = numbers(N * C).map((value, i) => value + (i % 7));
  const { mean, variance } = statisticsOf(x, d);
  const [gamma, beta] = [numbers(C, 2), numbers(C, 3)];
  const isPortable = C > 8192 && C % 4 !== 0;
  const expectError = (error: number | undefined, bound = 1e-6) =>
    isPortable ? expect(error).toBeUndefined() : expect(error).toBeLessThan(bound);

  test("statistics and result", () => {
    expectError(check(groupNormStatistics, { mean: mean.slice(), variance: variance.slice(), x }, d));
    expectError(check(groupNormForward, { y: x.slice(), x, mean, variance, gamma, beta }, d));
  });

  test("gradients, also where the statistics are constants", () => {
    for (const fixedStatistics of [false, true]) {
      const arrays = { gx: x.slice(), gGamma: gamma.slice(), gBeta: beta.slice() };
      const inputs = { gy: numbers(x.length, 4), x, mean, variance, gamma };
      const error = check(groupNormGradient, { ...arrays, ...inputs }, { ...d, fixedStatistics });
      if (C % 4 !== 0) expect(error).toBeUndefined();
      else expect(error).toBeLessThan(2e-6);
    }
  });
});

test("rows keep their digits beside a mean a thousand times the deviation, and have variance 0 where nothing changes", () => {
  const d = groupNormDims([40, 100], { groups: 1, epsilon: 0 });
  const x = numbers(4000, 1, 1).map((value, i) => (i < 100 ? 0.1 : value + 1000));
  const { mean, variance } = statisticsOf(x, d);
  const found = outputsOf(generatorFor(groupNormStatistics), { mean, variance, x }, d)!;
  expect([found.mean[0], found.variance[0]]).toEqual([x[0], 0]);
  for (const [i, value] of found.variance.entries())
    if (i > 0) expect(Math.abs(value / variance[i] - 1)).toBeLessThan(1e-6);
});

test("NaN reaches every element of its row and no other", () => {
  const d = groupNormDims([64, 10], { groups: 1 });
  const x = numbers(640);
  x[25] = Number.NaN;
  const arrays = { mean: new Float32Array(64), variance: new Float32Array(64), x };
  const { mean, variance } = outputsOf(generatorFor(groupNormStatistics), arrays, d)!;
  expect([...mean.keys()].filter((i) => Number.isNaN(mean[i]) || Number.isNaN(variance[i]))).toEqual([2]);
});

test("a mean a thousand times the deviation costs no digits", () => {
  const d = groupNormDims([2, 40, 40, 16], { groups: 8, epsilon: 0 });
  const x = numbers(2 * 1600 * 16, 1, 1).map((value) => value + 1000);
  const { mean, variance } = statisticsOf(x, d);
  expect(check(groupNormStatistics, { mean: mean.slice(), variance: variance.slice(), x }, d)).toBeLessThan(
    1e-6,
  );
  const found = outputsOf(generatorFor(groupNormStatistics), { mean, variance, x }, d)!.variance;
  for (const [i, value] of found.entries()) expect(Math.abs(value / variance[i] - 1)).toBeLessThan(1e-6);
  const [gamma, beta] = [numbers(16, 2), numbers(16, 3)];
  const arrays = { y: x.slice(), x, mean, variance, gamma, beta };
  expect(check(groupNormForward, arrays, d)).toBeLessThan(1e-6);
});

test("a channel that never changes has variance 0", () => {
  const d = groupNormDims([1, 700, 4], { groups: 4 });
  const x = Float32Array.from({ length: 2800 }, (_, i) => [0.1, -3.3, 1e9, 1e-20][i % 4]);
  const arrays = { mean: new Float32Array(4), variance: new Float32Array(4), x };
  const { mean, variance } = outputsOf(generatorFor(groupNormStatistics), arrays, d)!;
  expect([...mean]).toEqual([...x.subarray(0, 4)]);
  expect([...variance]).toEqual([0, 0, 0, 0]);
});

test("NaN reaches every element of its group and no other", () => {
  const d = groupNormDims([1, 100, 8], { groups: 2 });
  const x = numbers(800);
  x[400] = Number.NaN;
  const arrays = { mean: new Float32Array(2), variance: new Float32Array(2), x };
  const { mean, variance } = outputsOf(generatorFor(groupNormStatistics), arrays, d)!;
  expect([...mean, ...variance].map(Number.isNaN)).toEqual([true, false, true, false]);
});

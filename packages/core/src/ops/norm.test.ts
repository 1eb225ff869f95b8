import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backward } from "../autograd.ts";
import { normal, randomState } from "../random.ts";
import { ones, parameter, type Tensor, tensor, zeros } from "../tensor.ts";
import { expectClose, gradcheck } from "../testing.ts";
import { mul } from "./arithmetic.ts";
import { batchNorm } from "./batch-norm.ts";
import { groupNorm } from "./group-norm.ts";
import { sum } from "./sum.ts";

const random = (shape: number[], seed: number) => normal(shape, randomState(seed));

describe("groupNorm", () => {
  const sizes = fc.record({
    N: fc.integer({ min: 1, max: 3 }),
    H: fc.integer({ min: 1, max: 4 }),
    G: fc.integer({ min: 1, max: 3 }),
    D: fc.integer({ min: 1, max: 3 }),
  });

  it("has right gradients", () => {
    fc.assert(
      fc.property(sizes, ({ N, H, G, D }) => {
        gradcheck(
          ([x, gamma, beta]) => groupNorm(x, gamma, beta, { groups: G }),
          [random([N, H, 2, G * D], 1), random([G * D], 2), random([G * D], 3)],
          { tolerance: 1e-5 },
        );
      }),
      { numRuns: 30 },
    );
  });

  it("leaves every group with mean 0 and variance 1", () => {
    const y = groupNorm(random([2, 5, 5, 6], 4), ones([6]), zeros([6]), { groups: 3, epsilon: 0 });
    const group = Array.from({ length: 25 }, (_, p) => [2, 3].map((c) => y.data[25 * 6 + p * 6 + c])).flat();
    expect(group.reduce((a, b) => a + b)).toBeCloseTo(0, 4);
    expect(group.reduce((a, b) => a + b * b, 0) / 50).toBeCloseTo(1, 4);
  });

  it("keeps its figures where the mean is far from zero", () => {
    const x = random([1, 40, 40, 2], 5);
    const far = tensor(
      x.data.map((value) => value + 1000),
      x.shape,
    );
    const [near, moved] = [x, far].map((input) => groupNorm(input, ones([2]), zeros([2]), { groups: 1 })) as [
      Tensor,
      Tensor,
    ];
    // The input itself was rounded to 6e-5 by the shift; nothing more may be lost.
    expectClose(moved, near, 1e-4);
  });

  it("refuses groups that do not divide the channels", () => {
    const x = random([1, 2, 2, 6], 1);
    expect(() => groupNorm(x, ones([6]), zeros([6]), { groups: 4 })).toThrow(
      "groupNorm: groups 4 does not divide the 6",
    );
    expect(() => groupNorm(x, ones([5]), zeros([6]), { groups: 3 })).toThrow(
      "groupNorm: gamma must be [6] but is [5]",
    );
  });

  it.each([0, -1, 1.5, Number.NaN])("refuses %d groups", (groups) => {
    expect(() => groupNorm(random([1, 2, 2, 6], 1), ones([6]), zeros([6]), { groups })).toThrow(
      `groupNorm: groups ${groups} does not divide the 6 channels of x [1,2,2,6]`,
    );
  });

  it("refuses what has no channels", () => {
    expect(() => groupNorm(ones([6]), ones([6]), zeros([6]), { groups: 3 })).toThrow(
      "groupNorm: x must be [N,…,C] but is [6]",
    );
  });
});

describe("batchNorm", () => {
  const running = (C: number) => ({
    mean: random([C], 8),
    variance: tensor(random([C], 9).data.map((v) => v * v + 0.5)),
  });

  it.each([true, false])("has right gradients, training %s", (training) => {
    gradcheck(
      ([x, gamma, beta]) => batchNorm(x, gamma, beta, running(3), { training }),
      [random([2, 3, 2, 3], 1), random([3], 2), random([3], 3)],
      { tolerance: 1e-5 },
    );
  });

  it("moves the running statistics only when training", () => {
    const statistics = { mean: zeros([1]), variance: ones([1]) };
    const x = tensor([[1], [3], [5], [7]]);
    batchNorm(x, ones([1]), zeros([1]), statistics, { training: false });
    expect([statistics.mean.item(), statistics.variance.item()]).toEqual([0, 1]);
    batchNorm(x, ones([1]), zeros([1]), statistics, { training: true, momentum: 0.5 });
    expect(statistics.mean.item()).toBeCloseTo(2);
    expect(statistics.variance.item()).toBeCloseTo(0.5 + (0.5 * 20) / 3);
  });

  it("gives nothing to x through a plain sum: the projection in gradcheck is what sees", () => {
    const x = parameter(random([4, 3], 1));
    backward(sum(batchNorm(x, ones([3]), zeros([3]), running(3), { training: true })));
    expect(Math.max(...x.grad!.map(Math.abs))).toBeLessThan(1e-5);
    x.grad = undefined;
    backward(
      sum(mul(batchNorm(x, ones([3]), zeros([3]), running(3), { training: true }), random([4, 3], 2))),
    );
    expect(Math.max(...x.grad!.map(Math.abs))).toBeGreaterThan(0.1);
  });
});

describe("batchNorm on nothing", () => {
  it("refuses to train, and keeps the running statistics", () => {
    const running = { mean: zeros([2]), variance: ones([2]) };
    for (const shape of [
      [0, 2],
      [1, 0, 4, 2],
    ]) {
      const train = () => batchNorm(zeros(shape), ones([2]), zeros([2]), running, { training: true });
      expect(train).toThrow(`batchNorm: x [${shape}] has no positions to train on`);
      expect(batchNorm(zeros(shape), ones([2]), zeros([2]), running, { training: false }).shape).toEqual(
        shape,
      );
    }
    expect([...running.mean.data, ...running.variance.data]).toEqual([0, 0, 1, 1]);
  });
});

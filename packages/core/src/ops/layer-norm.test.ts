import { describe, expect, it } from "vitest";
import { normal, randomState } from "../random.ts";
import { ones, zeros } from "../tensor.ts";
import { checkOperator, expectClose } from "../testing.ts";
import { layerNorm } from "./layer-norm.ts";
import { mean } from "./sum.ts";
import { variance } from "./variance.ts";

const random = (shape: readonly number[], seed: number) => normal(shape, randomState(seed));

describe("layerNorm", () => {
  it("has right gradients over one axis and several", () => {
    for (const [shape, own] of [
      [[3, 5], [5]],
      [[2, 3, 4], [4]],
      [
        [2, 3, 4],
        [3, 4],
      ],
      [[7], [7]],
      [[1, 2], [2]],
    ]) {
      const inputs = [random(shape, 1), random(own, 2), random(own, 3)];
      checkOperator(([x, gamma, beta]) => layerNorm(x, gamma, beta), inputs, { tolerance: 1e-5 });
    }
  });

  it("leaves every row with mean 0 and variance 1", () => {
    const y = layerNorm(random([4, 9], 1), ones([9]), zeros([9]), { epsilon: 0 });
    for (const average of mean(y, { axes: -1 }).data) expect(average).toBeCloseTo(0, 6);
    expectClose(variance(y, { axes: -1 }), ones([4]), 1e-5);
    expect(layerNorm(zeros([0, 3]), ones([3]), zeros([3])).shape).toEqual([0, 3]);
  });

  it("refuses what does not fit and says why", () => {
    const x = zeros([2, 3]);
    expect(() => layerNorm(x, zeros([2]), zeros([2]))).toThrow("layerNorm: gamma must be [3] but is [2]");
    expect(() => layerNorm(x, zeros([3]), zeros([2]))).toThrow("layerNorm: beta must be [3] but is [2]");
    expect(() => layerNorm(zeros([3]), zeros([2, 3]), zeros([2, 3]))).toThrow(
      "layerNorm: gamma must be the last axes of x [3] but is [2,3]",
    );
    for (const shape of [[], [0]])
      expect(() => layerNorm(zeros([2, 0]), zeros(shape), zeros(shape))).toThrow(
        `layerNorm: gamma must be the last axes of x [2,0] but is [${shape}]`,
      );
    expect(() => layerNorm(x, zeros([3]), zeros([3]), { eps: 1e-5 } as object)).toThrow(
      "layerNorm: there is no option eps; the options are epsilon",
    );
  });
});

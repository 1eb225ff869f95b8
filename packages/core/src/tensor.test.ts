import { describe, expect, it } from "vitest";
import { glorotUniform, heNormal } from "./initializers.ts";
import { clipGlobalNorm, sgd } from "./optimizers.ts";
import { randomState } from "./random.ts";
import { full, ones, parameter, type Tensor, tensor, zeros } from "./tensor.ts";

describe("tensor", () => {
  it("takes nested lists, one number, or a flat array that it does not copy", () => {
    expect(tensor([[[1], [2]]]).shape).toEqual([1, 2, 1]);
    expect(tensor(3).shape).toEqual([]);
    const data = new Float32Array(6);
    expect(tensor(data, [2, 3]).data).toBe(data);
  });

  it("refuses ragged lists and shapes that do not hold the numbers", () => {
    expect(() => tensor([[1, 2], [3]])).toThrow(
      "tensor: lists of one level must be alike but hold [2] and [1]",
    );
    expect(() => tensor([1, 2, 3], [2, 2])).toThrow("tensor: 3 numbers do not fill the shape [2,2]");
  });

  it("gives its one number and refuses to choose among several", () => {
    expect(tensor([[7]]).item()).toBe(7);
    expect(() => zeros([2]).item()).toThrow("item: wants a tensor of one element but is [2]");
  });

  it("prints values, long axes shortened", () => {
    expect(
      String(
        tensor([
          [0.1, 2],
          [3, 4],
        ]),
      ),
    ).toBe("Tensor [2,2] [[0.1, 2], [3, 4]]");
    expect(String(zeros([20]))).toBe("Tensor [20] [0, 0, 0, 0, 0, 0, 0, 0, …]");
    expect(String(full([], 5))).toBe("Tensor [] 5");
  });
});

describe("initializers", () => {
  const deviationOf = ({ data, size }: Tensor) =>
    Math.sqrt(data.reduce((sum, value) => sum + value * value, 0) / size);

  it("heNormal has deviation sqrt(2 / fanIn) and no tails", () => {
    const filter = heNormal([3, 3, 32, 64], randomState(1));
    const wanted = Math.sqrt(2 / (9 * 32));
    expect(Math.abs(deviationOf(filter) / wanted - 1)).toBeLessThan(0.02);
    expect(Math.max(...filter.data.map(Math.abs))).toBeLessThanOrEqual((2 * wanted) / 0.8796 + 1e-6);
  });

  it("glorotUniform keeps within its limit and fills it", () => {
    const filter = glorotUniform([3, 3, 48, 64], randomState(1));
    const limit = Math.sqrt(6 / (9 * (48 + 64)));
    const largest = Math.max(...filter.data.map(Math.abs));
    expect(largest).toBeLessThanOrEqual(limit * (1 + 1e-6));
    expect(largest).toBeGreaterThan(0.99 * limit);
    expect(Math.abs(deviationOf(filter) / (limit / Math.sqrt(3)) - 1)).toBeLessThan(0.02);
  });
});

describe("optimizers", () => {
  it("leave alone what does not learn or has no gradient, and forget gradients after a step", () => {
    const [learning, idle, fixed] = [parameter(ones([2])), parameter(ones([2])), ones([2])];
    const optimizer = sgd({ learning, idle, fixed }, { learningRate: 0.5 });
    learning.grad = new Float32Array([1, 2]);
    optimizer.step();
    expect([...learning.data, ...idle.data, ...fixed.data]).toEqual([0.5, 0, 1, 1, 1, 1]);
    expect(learning.grad).toBeUndefined();
    expect(Object.keys(optimizer.state)).toEqual(["count", "velocity.learning", "velocity.idle"]);
    expect(optimizer.state.count.item()).toBe(1);
  });

  it("clipGlobalNorm shrinks all gradients by one factor, and none where they are small", () => {
    const parameters = { a: parameter(zeros([1])), b: parameter(zeros([2])), c: parameter(zeros([1])) };
    parameters.a.grad = new Float32Array([3]);
    parameters.b.grad = new Float32Array([0, 4]);
    expect(clipGlobalNorm(parameters, 10).item()).toBe(25);
    expect([...parameters.b.grad]).toEqual([0, 4]);
    clipGlobalNorm(parameters, 1);
    expect(parameters.a.grad[0]).toBeCloseTo(0.6);
    expect(parameters.b.grad[1]).toBeCloseTo(0.8);
  });
});

import { describe, expect, it } from "vitest";
import { glorotUniform, heNormal } from "./initializers.ts";
import { add } from "./ops/arithmetic.ts";
import { clipGlobalNorm, sgd } from "./optimizers.ts";
import { randomState } from "./random.ts";
import { full, ones, parameter, Tensor, tensor, zeros } from "./tensor.ts";

describe("tensor", () => {
  it("takes nested lists, one number, or a flat array that it does not copy", () => {
    expect(tensor([[[1], [2]]]).shape).toEqual([1, 2, 1]);
    expect(tensor(3).shape).toEqual([]);
    const data = new Float32Array(6);
    expect(tensor(data, [2, 3]).data).toBe(data);
  });

  it.each([
    [new Uint8Array([0, 200])],
    [new Uint8ClampedArray([0, 200])],
    [Buffer.from([0, 200])],
    [new Int8Array([-3, 7])],
    [new Int32Array([-3, 7])],
    [new Uint32Array([0, 2 ** 31])],
    [new Float64Array([0.5, -1e30])],
    [new BigInt64Array([-3n, 7n])],
    [{ length: 2, 0: 1, 1: 2 }],
    [new Uint8Array([9, 200, 3, 9]).subarray(1, 3)],
  ])("converts every array-like of numbers: %o", (values) => {
    const list = Array.from(values as ArrayLike<number>, Number);
    const { data, shape } = tensor(values as ArrayLike<number>);
    expect(data).toEqual(Float32Array.from(list));
    expect(shape).toEqual([2]);
    expect(tensor([values, values] as never).data).toEqual(Float32Array.from([...list, ...list]));
    expect(add(tensor(values as ArrayLike<number>), tensor(1)).data).toEqual(
      Float32Array.from(list, (value) => Math.fround(value) + 1),
    );
  });

  it.each([
    [[1, "2"], 'tensor: wants numbers, or lists of them, but got "2"'],
    [[1, undefined], "tensor: wants numbers, or lists of them, but got undefined"],
    [[null], "tensor: wants numbers, or lists of them, but got a null"],
    ["12", 'tensor: wants numbers, or lists of them, but got "12"'],
    [new DataView(new ArrayBuffer(8)), "tensor: wants numbers, or lists of them, but got a DataView"],
    [new Map(), "tensor: wants numbers, or lists of them, but got a Map"],
    [[true], "tensor: wants numbers, or lists of them, but got true"],
  ])("refuses %o", (values, message) => {
    expect(() => tensor(values as never)).toThrow(new TypeError(message));
  });

  it("is made of floats alone, whoever makes it", () => {
    expect(() => new Tensor(new Uint8Array(2) as never, [2])).toThrow(
      "tensor: data must be a Float32Array but is a Uint8Array; tensor() converts",
    );
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

import { describe, expect, it } from "vitest";
import { type AdamOptions, adam, adamW, clipGlobalNorm, sgd } from "./optimizers.ts";
import { parameter, tensor, zeros } from "./tensor.ts";

/** A weight of 1 after one step on a gradient of 0: only decay moves it. */
function decayed(options: AdamOptions): number {
  const w = parameter(tensor([1]));
  const optimizer = adamW({ w }, { learningRate: 0.1, ...options });
  w.grad = new Float32Array([0]);
  optimizer.step();
  return w.data[0];
}

describe("adam", () => {
  it("keeps its defaults where an option is undefined", () => {
    expect(decayed({ weightDecay: undefined } as unknown as AdamOptions)).toBe(Math.fround(1 - 0.1 * 0.004));
    expect(decayed({})).toBe(Math.fround(1 - 0.1 * 0.004));
    expect(decayed({ weightDecay: 0 })).toBe(1);
  });

  it.each<[AdamOptions, string]>([
    [{ beta1: 1 }, "adam: beta1 must be at least 0 and below 1 but is 1"],
    [{ beta2: 1 }, "adam: beta2 must be at least 0 and below 1 but is 1"],
    [{ beta1: -0.1 }, "adam: beta1 must be at least 0 and below 1 but is -0.1"],
    [{ beta2: Number.NaN }, "adam: beta2 must be at least 0 and below 1 but is NaN"],
    [{ epsilon: -1 }, "adam: epsilon must lie between 0"],
    [{ weightDecay: Number.NaN }, "adam: weightDecay must lie between 0"],
    [{ learningRate: -1 }, "optimizer: learningRate must lie between 0"],
  ])("refuses %j", (options, message) => {
    const w = parameter(tensor([1]));
    expect(() => adam({ w }, options)).toThrow(RangeError);
    expect(() => adam({ w }, options)).toThrow(message);
  });
});

it("an optimiser of nothing has nothing to do, one of what does not learn is refused", () => {
  expect(() => adam({}).step()).not.toThrow();
  expect(() => sgd({ w: zeros([1]) })).toThrow("sgd: none of w learns; parameter() makes tensors that do");
});

describe("the state of an optimiser", () => {
  const parameters = { w: parameter(zeros([2, 3])), frozen: zeros([4]), "layer.b": parameter(zeros([3])) };

  // Checkpoints hold it by these names.
  it("is named after what it is and the parameter, and has its shape", () => {
    const shapesOf = (state: Readonly<Record<string, { readonly shape: readonly number[] }>>) =>
      Object.fromEntries(Object.entries(state).map(([name, { shape }]) => [name, shape]));
    expect(shapesOf(adam(parameters).state)).toEqual({
      ...{ count: [1], "m.w": [2, 3], "v.w": [2, 3], "m.layer.b": [3], "v.layer.b": [3] },
    });
    expect(shapesOf(sgd(parameters).state)).toEqual({
      ...{ count: [1], "velocity.w": [2, 3], "velocity.layer.b": [3] },
    });
  });

  it("counts steps, also of parameters without a gradient, which stay", () => {
    const [w, still] = [parameter(tensor([1])), parameter(tensor([5]))];
    const optimizer = sgd({ w, still }, { learningRate: 0.5 });
    w.grad = new Float32Array([1]);
    optimizer.step();
    expect([w.data[0], still.data[0], optimizer.state.count.data[0]]).toEqual([0.5, 5, 1]);
    expect(w.grad).toBeUndefined();
  });
});

describe("clipGlobalNorm", () => {
  it("shrinks gradients together to the limit, leaves shorter ones, and those that there are not", () => {
    const [a, b, none] = [parameter(zeros([2])), parameter(zeros([1])), parameter(zeros([1]))];
    a.grad = new Float32Array([3, 0]);
    b.grad = new Float32Array([4]);
    expect(clipGlobalNorm({ a, none, b }, 10).item()).toBe(25);
    expect([a.grad, b.grad, none.grad]).toEqual([new Float32Array([3, 0]), new Float32Array([4]), undefined]);
    expect(clipGlobalNorm({ a, none, b }, 2.5).item()).toBe(25);
    expect([a.grad, b.grad, none.grad]).toEqual([
      new Float32Array([1.5, 0]),
      new Float32Array([2]),
      undefined,
    ]);
    expect(() => clipGlobalNorm({ a }, -1)).toThrow("clipGlobalNorm: limit must lie between 0");
  });
});

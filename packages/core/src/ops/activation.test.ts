import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backward } from "../autograd.ts";
import { normal, randomState } from "../random.ts";
import { parameter, tensor } from "../tensor.ts";
import { gradcheck } from "../testing.ts";
import { relu, sigmoid, silu } from "./activation.ts";
import { sum } from "./sum.ts";

const operators = { relu, sigmoid, silu };

describe.each(Object.entries(operators))("%s", (_, op) => {
  it("has the right gradient in any shape", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 4 }), (shape) => {
        // The step of the check is 1e-4: nothing may lie closer to relu's kink.
        const x = normal(shape, randomState(1)).data.map((value) => value + Math.sign(value) * 0.01);
        gradcheck(([input]) => op(input), [tensor(x, shape)]);
      }),
    );
  });

  it("passes NaN on and takes empty tensors", () => {
    expect(op(tensor([Number.NaN])).item()).toBeNaN();
    expect(op(tensor([])).shape).toEqual([0]);
  });
});

describe("far from zero", () => {
  const x = () => parameter(tensor([-1e30, -1000, -90, 90, 1000, 1e30]));

  it("sigmoid saturates", () => {
    const y = sigmoid(x());
    expect([...y.data.slice(0, 2)]).toEqual([0, 0]);
    expect(y.data[2] / Math.exp(-90)).toBeCloseTo(1, 5);
    expect([...y.data.slice(3)]).toEqual([1, 1, 1]);
  });

  it("silu is 0 or x, and its slope 0 or 1", () => {
    const input = x();
    const y = silu(input);
    expect([...y.data].map((value) => value + 0)).toEqual([0, 0, y.data[2], 90, 1000, Math.fround(1e30)]);
    expect(y.data[2] / (-90 * Math.exp(-90))).toBeCloseTo(1, 5);
    backward(sum(y));
    expect([...input.grad!].map((slope) => Number(slope.toFixed(6)) + 0)).toEqual([0, 0, 0, 1, 1, 1]);
  });

  it("relu gives no gradient at 0", () => {
    const input = parameter(tensor([-1, 0, 1]));
    backward(sum(relu(input)));
    expect([...input.grad!]).toEqual([0, 0, 1]);
  });
});

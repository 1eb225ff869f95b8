import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backward } from "../autograd.ts";
import { normal, permutation, randomState, uniform } from "../random.ts";
import { ones, parameter, tensor, zeros } from "../tensor.ts";
import { checkOperator } from "../testing.ts";
import { argmax } from "./argmax.ts";
import { gather } from "./gather.ts";
import { max } from "./max.ts";
import { oneHot } from "./one-hot.ts";
import { sum } from "./sum.ts";

const shapes = fc
  .array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 })
  .chain((shape) => fc.tuple(fc.constant(shape), fc.integer({ min: -shape.length, max: shape.length - 1 })));

describe("gather", () => {
  it("takes entries of any axis by indices of any shape, with gradients that add up", () => {
    fc.assert(
      fc.property(
        shapes,
        fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 2 }),
        ([shape, axis], own) => {
          const indices = uniform(own, randomState(2), { high: shape.at(axis)! });
          indices.data.forEach((value, i) => {
            indices.data[i] = Math.floor(value);
          });
          checkOperator(([x]) => gather(x, indices, axis), [normal(shape, randomState(1))]);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("adds up the gradient of an entry that was taken often and leaves 0 where none was", () => {
    const table = parameter(zeros([4, 2]));
    backward(sum(gather(table, tensor([1, 3, 1, 1]))));
    expect([...table.grad!]).toEqual([0, 0, 3, 3, 0, 0, 1, 1]);
  });

  it("refuses entries that are not there", () => {
    for (const wrong of [3, -1, 1.5, Number.NaN]) {
      expect(() => gather(ones([3, 2]), tensor([0, 2, wrong]))).toThrow(
        `gather: index ${wrong} at 2 must be an integer from 0 to 2`,
      );
    }
    expect(() => gather(ones([3]), 0, 1)).toThrow("gather: axis 1 is outside a tensor of 1 axes");
    expect(() => gather(ones([3]), [0] as never)).toThrow("gather: indices must be a tensor or a number");
  });
});

describe("argmax", () => {
  it("finds where max is, along any axis", () => {
    fc.assert(
      fc.property(shapes, ([shape, axis]) => {
        const size = shape.reduce((product, extent) => product * extent, 1);
        const x = tensor(new Float32Array(permutation(size, randomState(1))), shape);
        const places = argmax(x, axis);
        const largest = max(x, { axes: axis });
        expect(places.shape).toEqual(largest.shape);
        const chosen = oneHot(places, shape.at(axis)!);
        expect(sum(chosen, { axes: -1 }).data).toEqual(ones(largest.shape).data);
        const inner =
          shape.slice((axis + shape.length) % shape.length).reduce((a, b) => a * b, 1) / shape.at(axis)!;
        places.data.forEach((k, at) => {
          const [o, i] = [Math.floor(at / inner), at % inner];
          expect(x.data[(o * shape.at(axis)! + k) * inner + i]).toBe(largest.data[at]);
        });
      }),
      { numRuns: 40 },
    );
  });

  it("names the first of equal ones, and the first NaN", () => {
    expect(argmax(tensor([2, 7, 7, 1])).item()).toBe(1);
    expect(argmax(tensor([2, Number.NaN, 7, Number.NaN])).item()).toBe(1);
    expect(argmax(tensor([-Infinity, -Infinity])).item()).toBe(0);
    expect(argmax(parameter(tensor([1, 2]))).requiresGrad).toBe(false);
  });

  it("refuses what has nothing to compare", () => {
    expect(() => argmax(zeros([2, 0]))).toThrow("argmax: x [2,0] has nothing to compare along axis 1");
    expect(argmax(zeros([0, 2])).shape).toEqual([0]);
  });
});

describe("oneHot", () => {
  it("runs captured, and refuses what is no class", () => {
    checkOperator(() => oneHot(tensor([[2, 0]]), 3), []);
    expect(oneHot(zeros([0]), 3).shape).toEqual([0, 3]);
    for (const wrong of [3, -1, 0.5, Number.NaN]) {
      expect(() => oneHot(tensor([0, wrong]), 3)).toThrow(
        `oneHot: index ${wrong} at 1 must be an integer from 0 to 2`,
      );
    }
    expect(() => oneHot("0" as never, 3)).toThrow(/^oneHot: indices must be a tensor/);
    expect(() => oneHot(tensor([0]), 0)).toThrow("oneHot: classes must be an integer of at least 1 but is 0");
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backward } from "../autograd.ts";
import { normal, randomState } from "../random.ts";
import { parameter, tensor, zeros } from "../tensor.ts";
import { checkOperator, expectClose } from "../testing.ts";
import { mul } from "./arithmetic.ts";
import { expandDims, split, squeeze, stack } from "./axes.ts";
import { cumsum } from "./cumsum.ts";
import { concat } from "./movement.ts";
import { norm } from "./norm.ts";
import { sum } from "./sum.ts";

const random = (shape: readonly number[], seed = 1) => normal(shape, randomState(seed));
/** A shape and one of its axes. */
const shapes = fc
  .array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 })
  .chain((shape) => fc.tuple(fc.constant(shape), fc.integer({ min: -shape.length, max: shape.length - 1 })));

describe("expandDims and squeeze", () => {
  it("undo each other at every place", () => {
    const x = random([2, 3]);
    for (const [axis, shape] of [
      [0, [1, 2, 3]],
      [1, [2, 1, 3]],
      [2, [2, 3, 1]],
      [-1, [2, 3, 1]],
      [-3, [1, 2, 3]],
    ] as const) {
      expect(expandDims(x, axis).shape).toEqual(shape);
      expect(squeeze(expandDims(x, axis), axis)).toEqual(x);
      checkOperator(([input]) => mul(2, squeeze(expandDims(input, axis))), [x]);
    }
    expect(squeeze(zeros([1, 1])).shape).toEqual([]);
    expect(squeeze(zeros([1, 2, 1]), [0, -1]).shape).toEqual([2]);
    expect(expandDims(tensor(4), 0).shape).toEqual([1]);
  });

  it("refuse what they cannot do and say why", () => {
    expect(() => squeeze(zeros([1, 2]), 1)).toThrow("squeeze: axis 1 of x [1,2] must have size 1");
    expect(() => squeeze(zeros([1, 2]), 2)).toThrow("squeeze: axis 2 is outside a tensor of 2 axes");
    expect(() => expandDims(zeros([2]), 2)).toThrow("expandDims: axis 2 is outside a tensor of 2 axes");
    expect(() => expandDims(zeros([2]), undefined as never)).toThrow(
      "expandDims: an axis must be an integer but is undefined",
    );
  });
});

describe("stack and split", () => {
  it("undo each other along any axis, with gradients", () => {
    fc.assert(
      fc.property(shapes, fc.integer({ min: 1, max: 4 }), ([shape, axis], count) => {
        const parts = Array.from({ length: count }, (_, i) => random(shape, i));
        const stacked = stack(parts, axis);
        expect(split(stacked, count, axis).map((part) => squeeze(part, axis))).toEqual(parts);
        checkOperator((inputs) => stack(inputs, axis), parts, { samples: 10 });
        const joined = concat(parts, axis);
        const sizes = parts.map(() => shape.at(axis)!);
        expect(split(joined, sizes, axis)).toEqual(parts);
        checkOperator(([x]) => concat(split(x, sizes, axis).reverse(), axis), [joined], { samples: 10 });
      }),
      { numRuns: 30 },
    );
    expect(split(zeros([3, 2]), [0, 3]).map(({ shape }) => shape)).toEqual([
      [0, 2],
      [3, 2],
    ]);
  });

  it("refuse what they cannot do and say why", () => {
    expect(() => stack([])).toThrow("stack: tensors must hold at least one tensor but is empty");
    expect(() => stack([zeros([2]), zeros([3])])).toThrow(
      "stack: tensor 1 must be [2] like the first but is [3]",
    );
    expect(() => stack(zeros([2]) as never)).toThrow("stack: tensors must be a list but is");
    expect(() => split(zeros([5, 2]), 2)).toThrow(
      "split: 2 equal parts do not make up axis 0 of x [5,2], which has 5",
    );
    expect(() => split(zeros([5, 2]), [2, 2])).toThrow("split: sizes [2,2] do not make up axis 0 of x [5,2]");
    expect(() => split(zeros([5]), [6, -1])).toThrow("split: sizes [6,-1] do not make up axis 0");
    for (const parts of [0, -1, 1.5, undefined as never, Number.NaN])
      expect(() => split(zeros([5]), parts)).toThrow(`split: ${parts} equal parts do not make up axis 0`);
  });
});

describe("cumsum", () => {
  it("is right along any axis in both directions, with gradients", () => {
    fc.assert(
      fc.property(shapes, fc.boolean(), ([shape, axis], reverse) => {
        checkOperator(([x]) => cumsum(x, axis, { reverse }), [random(shape)]);
      }),
      { numRuns: 30 },
    );
    expect(
      cumsum(
        tensor(
          [
            [1, 2],
            [3, 4],
          ].map(([a, b]) => [a, b]),
        ),
        0,
      ).toArray(),
    ).toEqual([
      [1, 2],
      [4, 6],
    ]);
    expect(cumsum(zeros([2, 0])).shape).toEqual([2, 0]);
    expect(() => cumsum(zeros([2]), 1)).toThrow("cumsum: axis 1 is outside a tensor of 1 axes");
    expect(() => cumsum(zeros([2]), 0, { reversed: true } as object)).toThrow(
      "cumsum: there is no option reversed; the options are reverse",
    );
  });
});

describe("norm", () => {
  it("has right gradients in every order over any axes", () => {
    fc.assert(
      fc.property(
        fc.subarray([0, 1, 2]),
        fc.boolean(),
        fc.constantFrom(1, 2, 3, 1.5, Infinity),
        (axes, keepDims, order) => {
          checkOperator(([x]) => norm(x, { order, axes, keepDims }), [random([2, 3, 4])], {
            tolerance: 1e-5,
          });
        },
      ),
      { numRuns: 40 },
    );
  });

  it("of zeros is 0 and passes a gradient of 0, not NaN", () => {
    for (const order of [1, 2, 3]) {
      const x = parameter(
        tensor(
          [
            [0, 0],
            [3, 0],
          ].map(([a, b]) => [a, b]),
        ),
      );
      const y = norm(x, { axes: 1, order });
      expectClose(y, [0, 3], 1e-6);
      backward(sum(y));
      expectClose(x.grad!, [0, 0, 1, 0], 1e-6);
    }
    expect(norm(zeros([0])).item()).toBe(0);
  });

  it("refuses what it cannot do and says why", () => {
    expect(() => norm(zeros([2]), { order: 0.5 })).toThrow(
      "norm: order must be a number of at least 1 but is 0.5",
    );
    expect(() => norm(zeros([2]), { order: "fro" as never })).toThrow("norm: order must be a number");
    expect(() => norm(zeros([2]), { axes: 1 })).toThrow("norm: axis 1 is outside a tensor of 1 axes");
    expect(() => norm(zeros([0]), { order: Infinity })).toThrow("norm: x [0] has nothing to compare");
    expect(() => norm(zeros([2]), { axis: 1 } as object)).toThrow(
      "norm: there is no option axis; the options are order, axes, keepDims",
    );
  });
});

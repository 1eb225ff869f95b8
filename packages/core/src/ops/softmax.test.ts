import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backward } from "../autograd.ts";
import { normal, randomState, uniform } from "../random.ts";
import { parameter, tensor, zeros } from "../tensor.ts";
import { checkOperator, expectClose } from "../testing.ts";
import { mul } from "./arithmetic.ts";
import { oneHot } from "./one-hot.ts";
import { logSoftmax, softmax } from "./softmax.ts";
import { softmaxCrossEntropy } from "./softmax-cross-entropy.ts";
import { mean, sum } from "./sum.ts";

const random = (shape: readonly number[], seed = 1) => normal(shape, randomState(seed));
/** A shape and one of its axes. */
const shapes = fc
  .array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 })
  .chain((shape) => fc.tuple(fc.constant(shape), fc.integer({ min: -shape.length, max: shape.length - 1 })));

describe("softmax and logSoftmax", () => {
  it("are right along any axis, with gradients", () => {
    fc.assert(
      fc.property(shapes, ([shape, axis]) => {
        const x = random(shape);
        checkOperator(([input]) => softmax(input, axis), [x]);
        checkOperator(([input]) => logSoftmax(input, axis), [x]);
        expectClose(
          sum(softmax(x, axis), { axes: axis }),
          sum(softmax(zeros(shape), axis), { axes: axis }),
          1e-6,
        );
      }),
      { numRuns: 40 },
    );
  });

  it("neither overflow nor lose small values", () => {
    const x = parameter(tensor([1000, 999, -1000]));
    const share = 1 / (1 + Math.exp(-1));
    expectClose(softmax(x), [share, 1 - share, 0], 1e-6);
    expectClose(logSoftmax(x), [Math.log(share), Math.log(share) - 1, Math.log(share) - 2000], 1e-6);
    backward(sum(mul(logSoftmax(x), tensor([0, 0, 1]))));
    expectClose(x.grad!, [-share, share - 1, 1], 1e-6);
  });

  it("leave nothing where a mask is -∞, and NaN where it leaves nothing", () => {
    expect([...softmax(tensor([0, -Infinity, 0])).data]).toEqual([0.5, 0, 0.5]);
    expect([...softmax(tensor([-Infinity, -Infinity])).data]).toEqual([Number.NaN, Number.NaN]);
  });

  it("take what is empty, and refuse axes that are not there", () => {
    expect(softmax(zeros([0, 3])).shape).toEqual([0, 3]);
    expect(softmax(zeros([3, 0])).shape).toEqual([3, 0]);
    expect(() => softmax(zeros([2, 3]), 2)).toThrow("softmax: axis 2 is outside a tensor of 2 axes");
    expect(() => logSoftmax(tensor(1))).toThrow("logSoftmax: axis -1 is outside a tensor of 0 axes");
  });
});

describe("softmaxCrossEntropy", () => {
  it("has right gradients for classes and shares along any axis", () => {
    fc.assert(
      fc.property(shapes, ([shape, axis]) => {
        const classes = shape.at(axis)!;
        const positions = shape.filter((_, at) => at !== (axis + shape.length) % shape.length);
        const z = uniform(positions, randomState(3), { high: classes });
        z.data.forEach((value, i) => {
          z.data[i] = Math.floor(value);
        });
        const options = { axis };
        checkOperator(([x]) => softmaxCrossEntropy(x, z, options), [random(shape)]);
        if (axis === shape.length - 1)
          expect(softmaxCrossEntropy(random(shape), z)).toEqual(
            softmaxCrossEntropy(random(shape), z, options),
          );
        checkOperator(([x]) => softmaxCrossEntropy(x, z, { axis, ignoreClass: 0 }), [random(shape)]);
        const shares = uniform(shape, randomState(4));
        checkOperator(([x]) => softmaxCrossEntropy(x, shares, options), [random(shape)]);
      }),
      { numRuns: 30 },
    );
  });

  it("gives the same for a class as for all of the share", () => {
    const [x, z] = [random([4, 5]), tensor([0, 4, 2, 2])];
    expectClose(softmaxCrossEntropy(x, z), softmaxCrossEntropy(x, oneHot(z, 5)), 1e-6);
  });

  it("counts an ignored position 0 and passes no gradient, whatever its logits", () => {
    const x = parameter(
      tensor(
        [
          [1, 2],
          [Number.NaN, 3],
          [0, 0],
        ].map(([a, b]) => [a, b]),
      ),
    );
    const loss = softmaxCrossEntropy(x, tensor([1, -1, 0]), { ignoreClass: -1 });
    expect(loss.data[1]).toBe(0);
    backward(sum(loss));
    expect([...x.grad!.slice(2, 4)]).toEqual([0, 0]);
    expect(x.grad![4]).toBe(-0.5);
  });

  it("neither overflows nor counts a share of 0", () => {
    const x = parameter(tensor([[1000, -1000, -Infinity]]));
    expect(softmaxCrossEntropy(x, tensor([1])).item()).toBe(2000);
    const loss = softmaxCrossEntropy(x, tensor([[1, 0, 0]]));
    expect(loss.item()).toBe(0);
    backward(mean(loss));
    expect([...x.grad!]).toEqual([0, 0, 0]);
  });

  it("refuses what does not fit and says why", () => {
    const x = zeros([2, 3]);
    expect(() => softmaxCrossEntropy(x, zeros([3]))).toThrow(
      "softmaxCrossEntropy: target must be [2] (classes) or [2,3] (shares) but is [3]",
    );
    for (const wrong of [3, -1, 0.5, Number.NaN]) {
      expect(() => softmaxCrossEntropy(x, tensor([0, wrong]))).toThrow(
        `softmaxCrossEntropy: class ${wrong} at 1 must be an integer from 0 to 2`,
      );
    }
    expect(() => softmaxCrossEntropy(x, zeros([2, 3]), { ignoreClass: 0 })).toThrow(
      "softmaxCrossEntropy: ignoreClass wants a target of classes [2]",
    );
    expect(() => softmaxCrossEntropy(x, zeros([2]), { ignoreIndex: 1 } as object)).toThrow(
      "softmaxCrossEntropy: there is no option ignoreIndex; the options are axis, ignoreClass",
    );
  });
});

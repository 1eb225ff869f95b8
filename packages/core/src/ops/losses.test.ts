import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backward } from "../autograd.ts";
import { normal, randomState, uniform } from "../random.ts";
import { parameter, tensor, zeros } from "../tensor.ts";
import { gradcheck } from "../testing.ts";
import { sigmoidCrossEntropy } from "./losses.ts";
import { sum } from "./sum.ts";

describe("sigmoidCrossEntropy", () => {
  it("is the cross-entropy of the sigmoid wherever that can be computed plainly", () => {
    const numbers = { noNaN: true, noDefaultInfinity: true };
    fc.assert(
      fc.property(
        fc.float({ min: -8, max: 8, ...numbers }),
        fc.float({ min: 0, max: 1, ...numbers }),
        (logit, target) => {
          const p = 1 / (1 + Math.exp(-logit));
          const wanted = -target * Math.log(p) - (1 - target) * Math.log(1 - p);
          expect(sigmoidCrossEntropy(tensor(logit), tensor(target)).item()).toBeCloseTo(wanted, 5);
        },
      ),
    );
  });

  it("neither overflows nor vanishes for sure logits", () => {
    const logits = parameter(tensor([1000, -1000, 1000, -1000, 80]));
    const loss = sigmoidCrossEntropy(logits, tensor([1, 0, 0, 1, 1]));
    expect([...loss.data.slice(0, 4)]).toEqual([0, 0, 1000, 1000]);
    expect(loss.data[4] / Math.exp(-80)).toBeCloseTo(1, 5);
    backward(sum(loss));
    expect([...logits.grad!].map((slope) => slope + 0)).toEqual([0, 0, 1, -1, 0]);
  });

  it("has the right gradient for logits and none for the target", () => {
    const target = uniform([3, 4], randomState(2));
    gradcheck(([logits]) => sigmoidCrossEntropy(logits, target), [normal([3, 4], randomState(1))]);
    const [logits, learning] = [parameter(zeros([2])), parameter(zeros([2]))];
    backward(sum(sigmoidCrossEntropy(logits, learning)));
    expect(learning.grad).toBeUndefined();
  });

  it("refuses a target of another shape", () => {
    expect(() => sigmoidCrossEntropy(zeros([2, 3]), zeros([3]))).toThrow(
      "sigmoidCrossEntropy: target must be [2,3] but is [3]",
    );
  });
});

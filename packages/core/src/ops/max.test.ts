import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backward } from "../autograd.ts";
import { permutation, randomState } from "../random.ts";
import { ones, parameter, tensor, zeros } from "../tensor.ts";
import { gradcheck } from "../testing.ts";
import { mul } from "./arithmetic.ts";
import { max } from "./max.ts";
import { sum } from "./sum.ts";

/** Every number once and 0.1 apart, so that no step of a difference quotient changes which is largest. */
const distinct = (shape: number[]) => {
  const count = shape.reduce((product, size) => product * size, 1);
  return tensor(new Float32Array(permutation(count, randomState(3)).map((rank) => rank / 10 - 1)), shape);
};

describe("max", () => {
  it("agrees with a plain search over any axes", () => {
    const x = distinct([2, 3, 4]);
    fc.assert(
      fc.property(fc.subarray([0, 1, 2]), (axes) => {
        const wanted = new Map<string, number>();
        x.data.forEach((value, i) => {
          const index = [Math.floor(i / 12), Math.floor(i / 4) % 3, i % 4];
          const key = String(index.filter((_, axis) => !axes.includes(axis)));
          wanted.set(key, Math.max(wanted.get(key) ?? Number.NEGATIVE_INFINITY, value));
        });
        expect([...max(x, { axes }).data]).toEqual([...wanted.values()]);
      }),
    );
  });

  it("has the right gradient over any axes", () => {
    fc.assert(
      fc.property(fc.subarray([0, 1, 2, 3]), fc.boolean(), (axes, keepDims) => {
        gradcheck(([x]) => max(x, { axes, keepDims }), [distinct([2, 3, 1, 4])]);
      }),
      { numRuns: 20 },
    );
  });

  it("shares the gradient evenly among ties", () => {
    const x = parameter(
      tensor([
        [1, 3, 3, 3],
        [2, 2, 0, 1],
      ]),
    );
    backward(sum(mul(max(x, { axes: 1 }), tensor([6, 8]))));
    expect([...x.grad!]).toEqual([0, 2, 2, 2, 4, 4, 0, 0]);
    // Neighbours with the same maximum do not count as ties of each other.
    for (const axes of [0, 1, 2]) {
      const equal = parameter(ones([2, 2, 2]));
      backward(sum(max(equal, { axes })));
      expect([...equal.grad!], `axis ${axes}`).toEqual(new Array(8).fill(0.5));
    }
  });

  it("passes NaN on from any place, and finds -∞ where there is nothing larger", () => {
    expect(max(tensor([Number.NaN, 1, 2])).item()).toBeNaN();
    expect(max(tensor([1, 2, Number.NaN])).item()).toBeNaN();
    expect(max(tensor([Number.NEGATIVE_INFINITY])).item()).toBe(Number.NEGATIVE_INFINITY);
  });

  it("refuses what it cannot do and says why", () => {
    expect(() => max(zeros([2, 0]), { axes: 1 })).toThrow("max: x [2,0] has nothing to compare");
    expect(() => max(zeros([2]), { axes: 1 })).toThrow("max: axis 1 is outside a tensor of 1 axes");
    expect(() => max(zeros([2, 3]), { axes: [0, -2] })).toThrow("max: axes [0,-2] name an axis twice");
  });
});

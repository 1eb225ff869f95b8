import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { normal, randomState } from "../random.ts";
import { tensor, zeros } from "../tensor.ts";
import { gradcheck } from "../testing.ts";
import { variance } from "./variance.ts";

describe("variance", () => {
  it("divides by n", () => {
    expect(variance(tensor([1, 2, 3, 6])).item()).toBe(3.5);
    expect([
      ...variance(
        tensor([
          [1, 3],
          [5, 5],
        ]),
        { axes: 1 },
      ).data,
    ]).toEqual([1, 0]);
  });

  it("has the right gradient over any axes", () => {
    fc.assert(
      fc.property(fc.subarray([0, 1, 2]), fc.boolean(), (axes, keepDims) => {
        gradcheck(([x]) => variance(x, { axes, keepDims }), [normal([2, 3, 4], randomState(1))]);
      }),
      { numRuns: 16 },
    );
  });

  it("refuses what it cannot do, under its own name", () => {
    expect(() => variance(zeros([2, 0]), { axes: 1 })).toThrow("variance: x [2,0] has nothing to average");
    expect(() => variance(zeros([2]), { axes: 1 })).toThrow("variance: axis 1 is outside a tensor of 1 axes");
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { normal, randomState } from "../random.ts";
import { ones, tensor, zeros } from "../tensor.ts";
import { gradcheck } from "../testing.ts";
import { avgPool2d } from "./avg-pool2d.ts";

describe("avgPool2d", () => {
  it("averages each window", () => {
    const x = tensor([
      [
        [[1], [2], [3]],
        [[4], [5], [9]],
      ],
    ]);
    expect([...avgPool2d(x, { size: 2, stride: 1 }).data]).toEqual([3, 4.75]);
  });

  it("does not count what lies outside: ones stay ones", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 3 }),
        (H, size, stride) => {
          const y = avgPool2d(ones([1, H, 5, 2]), { size, stride, padding: "same" });
          expect(y.data).toEqual(new Float32Array(y.size).fill(1));
        },
      ),
    );
  });

  it("has the right gradient for any geometry", () => {
    fc.assert(
      fc.property(
        fc.record({
          size: fc.integer({ min: 1, max: 3 }),
          stride: fc.integer({ min: 1, max: 3 }),
          padding: fc.constantFrom("same" as const, "valid" as const),
        }),
        (options) => {
          gradcheck(([x]) => avgPool2d(x, options), [normal([2, 5, 4, 2], randomState(1))]);
        },
      ),
      { numRuns: 20 },
    );
  });

  it("refuses what does not fit and says why", () => {
    expect(() => avgPool2d(zeros([1, 1, 4, 1]))).toThrow(
      "avgPool2d: a window of 2 by 2 does not fit into x [1,1,4,1]",
    );
    expect(() => avgPool2d(zeros([1, 4, 1, 1]))).toThrow(
      "avgPool2d: a window of 2 by 2 does not fit into x [1,4,1,1]",
    );
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { normal, randomState } from "../random.ts";
import { zeros } from "../tensor.ts";
import { checkOperator, expectClose } from "../testing.ts";
import { conv1d } from "./conv1d.ts";
import { conv2d } from "./conv2d.ts";
import { concat, slice } from "./movement.ts";

const random = (shape: readonly number[], seed: number) => normal(shape, randomState(seed));

describe("conv2d in groups", () => {
  const geometry = fc.record({
    N: fc.integer({ min: 1, max: 2 }),
    H: fc.integer({ min: 1, max: 6 }),
    W: fc.integer({ min: 1, max: 6 }),
    groups: fc.integer({ min: 2, max: 4 }),
    D: fc.constantFrom(1, 1, 2, 3),
    E: fc.constantFrom(1, 1, 2, 4),
    K: fc.constantFrom(1, 2, 3),
    stride: fc.integer({ min: 1, max: 2 }),
    dilation: fc.integer({ min: 1, max: 2 }),
  });

  it("has right values and gradients for any geometry, and equals convolutions group by group", () => {
    fc.assert(
      fc.property(geometry, ({ N, H, W, groups, D, E, K, stride, dilation }) => {
        const [x, w] = [random([N, H, W, groups * D], 1), random([K, K, D, groups * E], 2)];
        const b = random([groups * E], 3);
        const options = { stride, dilation, groups };
        checkOperator((all) => conv2d(all[0], all[1], all[2], options), [x, w, b], { samples: 12 });
        const apart = Array.from({ length: groups }, (_, g) =>
          conv2d(
            slice(x, [0, 0, 0, g * D], [N, H, W, D]),
            slice(w, [0, 0, 0, g * E], [K, K, D, E]),
            slice(b, [g * E], [E]),
            { stride, dilation },
          ),
        );
        expectClose(conv2d(x, w, b, options), concat(apart, -1), 1e-6);
      }),
      { numRuns: 30 },
    );
  });

  it("refuses what does not fit and says why", () => {
    const x = zeros([1, 4, 4, 6]);
    expect(() => conv2d(x, zeros([3, 3, 2, 4]), undefined, { groups: 4 })).toThrow(
      "conv2d: groups 4 must divide the channels of x [1,4,4,6] and of w [3,3,2,4]",
    );
    expect(() => conv2d(x, zeros([3, 3, 6, 6]), undefined, { groups: 3 })).toThrow(
      "conv2d: w [3,3,6,6] has 6 input channels but each of 3 groups of x [1,4,4,6] has 2",
    );
    expect(() => conv2d(x, zeros([3, 3, 1, 6]), undefined, { groups: 1.5 })).toThrow(
      "conv2d: groups must be an integer of at least 1 but is 1.5",
    );
    expect(() => conv2d(x, zeros([3, 3, 1, 6]), zeros([5]), { groups: 6 })).toThrow(
      "conv2d: b must be [6] but is [5]",
    );
    expect(() => conv2d(x, zeros([3, 3, 6, 2]), undefined, { strides: 2 } as object)).toThrow(
      "conv2d: there is no option strides; the options are stride, dilation, padding, groups",
    );
  });
});

describe("conv1d", () => {
  it("has right values and gradients for any geometry", () => {
    const geometry = fc.record({
      L: fc.integer({ min: 1, max: 8 }),
      K: fc.integer({ min: 1, max: 4 }),
      stride: fc.integer({ min: 1, max: 3 }),
      dilation: fc.integer({ min: 1, max: 2 }),
      padding: fc.constantFrom("same" as const, "causal" as const, 6, { before: 0, after: 7 }),
      groups: fc.constantFrom(1, 2),
    });
    fc.assert(
      fc.property(geometry, ({ L, K, ...options }) => {
        const { groups } = options;
        checkOperator(
          (all) => conv1d(all[0], all[1], all[2], options),
          [random([2, L, 2 * groups], 1), random([K, 2, 3 * groups], 2), random([3 * groups], 3)],
          { samples: 12 },
        );
      }),
      { numRuns: 30 },
    );
  });

  it("lets no output see what comes after it where padding is causal", () => {
    const [x, w] = [random([1, 9, 2], 1), random([3, 2, 4], 2)];
    const whole = conv1d(x, w, undefined, { padding: "causal", dilation: 2 });
    const begun = conv1d(slice(x, [0, 0, 0], [1, 5, 2]), w, undefined, { padding: "causal", dilation: 2 });
    expect(slice(whole, [0, 0, 0], [1, 5, 4])).toEqual(begun);
  });

  it("refuses what does not fit and says why", () => {
    const x = zeros([1, 4, 6]);
    expect(() => conv1d(zeros([4, 6]), zeros([3, 6, 2]))).toThrow(
      "conv1d: x must have 3 axes [N,L,C] but is [4,6]",
    );
    expect(() => conv1d(x, zeros([3, 5, 2]))).toThrow(
      "conv1d: w [3,5,2] has 5 input channels but x [1,4,6] has 6 in 1 groups",
    );
    expect(() => conv1d(x, zeros([3, 6, 2]), zeros([3]))).toThrow("conv1d: b must be [2] but is [3]");
    expect(() => conv1d(x, zeros([5, 6, 2]), undefined, { padding: "valid" })).toThrow(
      "conv1d: w [1,5,6,2] does not fit",
    );
    expect(() => conv1d(x, zeros([3, 6, 2]), undefined, { stride: 0 })).toThrow(
      "conv1d: stride must be an integer of at least 1 but is 0",
    );
    expect(() => conv1d(x, zeros([3, 6, 2]), undefined, { padding: "SAME" as "same" })).toThrow(
      "conv1d: padding",
    );
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { normal, randomState } from "../random.ts";
import { empty, full, tensor, zeros } from "../tensor.ts";
import { adjointCheck, expectClose, gradcheck } from "../testing.ts";
import { resize, resizeDims, resizeGradient } from "./resize.ts";

const extent = fc.integer({ min: 1, max: 7 });
const geometry = fc.record({
  from: fc.tuple(extent, extent),
  to: fc.tuple(extent, extent),
  method: fc.constantFrom("bilinear" as const, "nearest" as const),
});

describe("resize", () => {
  it("takes centres at half pixels", () => {
    const x = tensor([[[[0], [10], [20], [30]]]]);
    expect([...resize(x, [1, 2]).data]).toEqual([5, 25]);
    expect([...resize(x, [1, 8]).data]).toEqual([0, 2.5, 7.5, 12.5, 17.5, 22.5, 27.5, 30]);
    expect([...resize(x, [1, 2], { method: "nearest" }).data]).toEqual([10, 30]);
    expect([...resize(x, [1, 6], { method: "nearest" }).data]).toEqual([0, 10, 10, 20, 30, 30]);
  });

  it("leaves an image of the right size, and an even one of any size, as it is", () => {
    fc.assert(
      fc.property(geometry, ({ from, to, method }) => {
        const x = normal([2, ...from, 3], randomState(1));
        expect(resize(x, from, { method })).toEqual(x);
        const even = resize(full([1, ...from, 2], 3), to, { method });
        expectClose(even, full([1, ...to, 2], 3), 1e-7);
      }),
    );
  });

  it("has the right gradient, which is its adjoint", () => {
    fc.assert(
      fc.property(geometry, ({ from, to, method }) => {
        const [xShape, yShape] = [
          [2, ...from, 2],
          [2, ...to, 2],
        ];
        gradcheck(([x]) => resize(x, to, { method }), [normal(xShape, randomState(1))]);
        const adjoint = (y: { data: Float32Array }) => {
          const gx = empty(xShape);
          resizeGradient({ gx: gx.data, gy: y.data }, resizeDims(xShape, to, { method }));
          return gx;
        };
        adjointCheck((x) => resize(x, to, { method }), adjoint, xShape, yShape);
      }),
      { numRuns: 30 },
    );
  });

  it("copies without arithmetic where it can: ∞ next door does not turn into NaN", () => {
    const x = tensor([[[[1], [Number.POSITIVE_INFINITY]]]]);
    expect([...resize(x, [1, 2]).data]).toEqual([1, Number.POSITIVE_INFINITY]);
    expect([...resize(x, [2, 1], { method: "nearest" }).data]).toEqual([
      Number.POSITIVE_INFINITY,
      Number.POSITIVE_INFINITY,
    ]);
  });

  it("refuses what it cannot do and says why", () => {
    const x = zeros([1, 2, 2, 1]);
    expect(() => resize(x, [0, 2])).toThrow("resize: size must be an integer of at least 1 but is 0");
    expect(() => resize(zeros([1, 0, 2, 1]), [2, 2])).toThrow(
      "resize: size of x must be an integer of at least 1 but is 0",
    );
    expect(() => resize(zeros([2, 2, 1]), [2, 2])).toThrow(
      "resize: x must have 4 axes [N,H,W,C] but is [2,2,1]",
    );
    expect(() => resize(x, [2, 2], { method: "cubic" as never })).toThrow(
      'resize: method must be "bilinear" or "nearest" but is cubic',
    );
  });
});

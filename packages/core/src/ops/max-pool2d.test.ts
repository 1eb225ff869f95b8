import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backward } from "../autograd.ts";
import { permutation, randomState } from "../random.ts";
import { parameter, Tensor, tensor, zeros } from "../tensor.ts";
import { gradcheck } from "../testing.ts";
import { maxPool2d, maxPool2dForward } from "./max-pool2d.ts";
import { pool2dDims } from "./pool2d-dims.ts";
import { sum } from "./sum.ts";

/** Every number once, all negative, 0.1 apart: no ties, and a padding of zeros would win. */
const distinct = (shape: number[]) => {
  const count = shape.reduce((product, size) => product * size, 1);
  return new Tensor(
    new Float32Array(permutation(count, randomState(3)).map((rank) => -1 - rank / 10)),
    shape,
  );
};

const geometry = fc.record({
  N: fc.integer({ min: 1, max: 2 }),
  H: fc.integer({ min: 1, max: 7 }),
  W: fc.integer({ min: 1, max: 7 }),
  C: fc.constantFrom(1, 2, 3),
  size: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.constant([2, 1] as const)),
  stride: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
  padding: fc.constantFrom("same" as const, "valid" as const),
});
const options = ({ size, stride, padding }: typeof geometry extends fc.Arbitrary<infer T> ? T : never) => ({
  size,
  padding,
  ...(stride === undefined ? {} : { stride }),
});
const fits = geometry.filter(({ H, W, padding }) => padding === "same" || Math.min(H, W) >= 3);

describe("maxPool2d", () => {
  it("takes the largest element inside each window", () => {
    fc.assert(
      fc.property(fits, (g) => {
        const x = distinct([g.N, g.H, g.W, g.C]);
        const d = pool2dDims("test", x.shape, options(g));
        const y = maxPool2d(x, options(g));
        expect(y.shape).toEqual([d.N, d.OH, d.OW, d.C]);
        y.data.forEach((value, o) => {
          const [c, ox] = [o % d.C, Math.floor(o / d.C) % d.OW];
          const [oy, n] = [Math.floor(o / d.C / d.OW) % d.OH, Math.floor(o / d.C / d.OW / d.OH)];
          const inside = [...x.data].filter((_, i) => {
            const [ic, ix] = [i % d.C, Math.floor(i / d.C) % d.W];
            const [iy, image] = [Math.floor(i / d.C / d.W) % d.H, Math.floor(i / d.C / d.W / d.H)];
            const [top, left] = [oy * d.strideH - d.padTop, ox * d.strideW - d.padLeft];
            const inWindow = iy >= top && iy < top + d.sizeH && ix >= left && ix < left + d.sizeW;
            return image === n && ic === c && inWindow;
          });
          expect(value).toBe(Math.max(...inside));
        });
      }),
    );
  });

  it("halves by default and steps by its size where no stride is given", () => {
    expect(maxPool2d(distinct([1, 6, 4, 1])).shape).toEqual([1, 3, 2, 1]);
    expect(maxPool2d(distinct([1, 9, 6, 1]), { size: 3 }).shape).toEqual([1, 3, 2, 1]);
  });

  it("has the right gradient for any geometry", () => {
    fc.assert(
      fc.property(fits, (g) => {
        gradcheck(([x]) => maxPool2d(x, options(g)), [distinct([g.N, g.H, g.W, g.C])]);
      }),
      { numRuns: 40 },
    );
  });

  it("gives a tie to the first in row-major order", () => {
    const x = parameter(
      tensor([
        [
          [[1], [5]],
          [[5], [5]],
        ],
      ]),
    );
    backward(sum(maxPool2d(x)));
    expect([...x.grad!]).toEqual([0, 1, 0, 0]);
  });

  it("passes NaN on and notes where it was", () => {
    const d = pool2dDims("test", [1, 2, 2, 1], { size: 2 });
    const [y, argmax] = [new Float32Array(1), new Int32Array(1)];
    maxPool2dForward({ y, argmax, x: new Float32Array([7, Number.NaN, 9, Number.NaN]) }, d);
    expect([y[0], argmax[0]]).toEqual([Number.NaN, 1]);
  });

  it("refuses what does not fit and says why", () => {
    expect(() => maxPool2d(zeros([1, 2, 2, 1]), { size: 3 })).toThrow(
      "maxPool2d: a window of 3 by 3 does not fit into x [1,2,2,1]",
    );
    for (const [H, W] of [
      [1, 4],
      [4, 1],
    ])
      expect(() => maxPool2d(zeros([1, H, W, 1]))).toThrow(
        `maxPool2d: a window of 2 by 2 does not fit into x [1,${H},${W},1]`,
      );
    expect(() => maxPool2d(zeros([2, 2, 1]))).toThrow(
      "maxPool2d: x must have 4 axes [N,H,W,C] but is [2,2,1]",
    );
    expect(() => maxPool2d(zeros([1, 2, 2, 1]), { size: 0 })).toThrow(
      "maxPool2d: size must be an integer of at least 1 but is 0",
    );
    expect(() => maxPool2d(zeros([1, 2, 2, 1]), { stride: 1.5 })).toThrow(
      "maxPool2d: stride must be an integer of at least 1 but is 1.5",
    );
    expect(() => maxPool2d(zeros([1, 2, 2, 1]), { padding: 1 as never })).toThrow(
      'maxPool2d: padding must be "same" or "valid" but is 1',
    );
  });
});

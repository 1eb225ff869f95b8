import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { normal, randomState } from "../random.ts";
import type { Padding } from "../shape.ts";
import { Tensor } from "../tensor.ts";
import { adjointCheck, gradcheck } from "../testing.ts";
import { conv2d, conv2dForward, conv2dTransposed } from "./conv2d.ts";
import { conv2dDims } from "./conv2d-dims.ts";

const random = (shape: number[], seed: number) => normal(shape, randomState(seed));

describe("conv2d", () => {
  it("refuses what does not fit and says why", () => {
    const x = random([1, 5, 6, 3], 1);
    expect(() => conv2d(x, random([3, 3, 4, 2], 2))).toThrow(
      "conv2d: w has 4 input channels but x [1,5,6,3] has 3",
    );
    expect(() => conv2d(x, random([3, 3, 3, 2], 2), random([3], 3))).toThrow(
      "conv2d: b must be [2] but is [3]",
    );
    expect(() => conv2d(x, random([7, 7, 3, 2], 2), undefined, { padding: "valid" })).toThrow("does not fit");
    for (const [rows, columns] of [
      [6, 1],
      [1, 7],
    ]) {
      const wide = random([rows, columns, 3, 2], 2);
      expect(() => conv2d(x, wide, undefined, { padding: "valid" })).toThrow(
        `conv2d: w [${rows},${columns},3,2] does not fit into x [1,5,6,3] with this padding`,
      );
    }
    expect(() => conv2d(x, random([3, 3, 3, 2], 2), undefined, { stride: 0 })).toThrow(
      "stride must be an integer",
    );
    for (const shape of [
      [0, 3, 3, 2],
      [3, 0, 3, 2],
    ]) {
      expect(() => conv2d(x, random(shape, 2))).toThrow(`conv2d: w [${shape}] must have rows and columns`);
    }
    expect(() => conv2d(random([5, 6, 3], 1), random([3, 3, 3, 2], 2))).toThrow(
      "x must have 4 axes [N,H,W,C]",
    );
  });

  const geometry = fc.record({
    N: fc.integer({ min: 1, max: 2 }),
    H: fc.integer({ min: 1, max: 7 }),
    W: fc.integer({ min: 1, max: 7 }),
    C: fc.constantFrom(1, 2, 3, 4),
    O: fc.constantFrom(1, 2, 5),
    K: fc.constantFrom(1, 2, 3, 5),
    stride: fc.integer({ min: 1, max: 3 }),
    dilation: fc.integer({ min: 1, max: 2 }),
    padding: fc.constantFrom<Padding>("same", 1, { top: 2, bottom: 0, left: 1, right: 3 }),
  });
  const fits = (g: { H: number; W: number; K: number; dilation: number; padding: Padding }) =>
    g.padding === "same" || Math.min(g.H, g.W) + 2 > (g.K - 1) * g.dilation;

  it("has right gradients for any geometry", () => {
    fc.assert(
      fc.property(geometry.filter(fits), ({ N, H, W, C, O, K, ...options }) => {
        gradcheck(
          ([x, w, b]) => conv2d(x!, w!, b!, options),
          [random([N, H, W, C], 1), random([K, K, C, O], 2), random([O], 3)],
        );
      }),
      { numRuns: 30 },
    );
  });

  it("counts a multiplication and an addition for every tap that it meets, those outside the image among them", () => {
    const d = conv2dDims("conv2d", [2, 6, 5, 3], [3, 3, 3, 4], { padding: "same" });
    expect(d.flops).toBe(2 * (2 * 6 * 5 * 4) * (3 * 3 * 3));
  });

  it("is the adjoint of its transposed kernel", () => {
    fc.assert(
      fc.property(geometry.filter(fits), ({ N, H, W, C, O, K, ...options }) => {
        const d = conv2dDims("conv2d", [N, H, W, C], [K, K, C, O], options);
        const w = random([K, K, C, O], 2).data;
        const forward = (x: Tensor) => {
          const y = new Float64Array(N * d.OH * d.OW * O);
          conv2dForward({ y, x: x.data, w }, d);
          return new Tensor(y as unknown as Float32Array, [N, d.OH, d.OW, O]);
        };
        const adjoint = (y: Tensor) => {
          const x = new Float64Array(N * H * W * C);
          conv2dTransposed({ x, y: y.data, w }, d);
          return new Tensor(x as unknown as Float32Array, [N, H, W, C]);
        };
        adjointCheck(forward, adjoint, [N, H, W, C], [N, d.OH, d.OW, O]);
      }),
      { numRuns: 30 },
    );
  });
});

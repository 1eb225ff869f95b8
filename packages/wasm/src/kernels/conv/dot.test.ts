import { conv2dDims, forwardCorrelation, transposedCorrelation } from "@saunet/core/kernels";
import { describe, expect, it } from "vitest";
import { arithmetics } from "../testing.ts";
import { forwardWith, transposedWith } from "./correlate.ts";
import { isDot } from "./dot.ts";
import { errorIn, expectPartitionIndependence } from "./testing.ts";

const dot = () => ({ algorithm: "dot" }) as const;
const head = (N: number, H: number, W: number, C: number) => conv2dDims("conv2d", [N, H, W, C], [1, 1, C, 1]);

describe("dot products over channels", () => {
  it.each(arithmetics)("are right for any number of pixels, relaxed %s", (relaxed) => {
    for (let pixels = 4; pixels < 20; pixels++)
      for (const C of [4, 16, 32]) {
        const call = { d: head(1, 1, pixels, C), bias: pixels % 2 === 0 };
        expect(errorIn(forwardWith(dot), call, relaxed)).toBeLessThan(1e-5);
      }
    expect(errorIn(forwardWith(dot), { d: head(2, 131, 97, 16), bias: true }, relaxed)).toBeLessThan(1e-5);
  });

  it("are right as the adjoint into one channel", () => {
    const d = conv2dDims("conv2d", [1, 9, 7, 1], [1, 1, 1, 8]);
    expect(isDot(transposedCorrelation(d))).toBe(true);
    expect(errorIn(transposedWith(dot), { d, bias: true })).toBeLessThan(1e-5);
  });

  it("give the same bits for any number of threads", () => {
    expectPartitionIndependence(forwardWith(dot), { d: head(1, 131, 95, 16), bias: true });
  });

  it("are for nothing else", () => {
    const isForward = (x: number[], w: number[], options = {}) =>
      isDot(forwardCorrelation(conv2dDims("conv2d", x, w, options)));
    expect(isForward([1, 9, 9, 16], [1, 1, 16, 1])).toBe(true);
    expect(isForward([1, 9, 9, 16], [1, 1, 16, 2])).toBe(false);
    expect(isForward([1, 9, 9, 17], [1, 1, 17, 1])).toBe(false);
    expect(isForward([1, 9, 9, 16], [1, 1, 16, 1], { stride: 2 })).toBe(false);
    expect(isForward([1, 9, 9, 16], [1, 1, 16, 1], { padding: 1 })).toBe(false);
    expect(isForward([1, 9, 9, 16], [3, 3, 16, 1])).toBe(false);
    expect(isForward([1, 1, 3, 16], [1, 1, 16, 1])).toBe(false);
  });
});

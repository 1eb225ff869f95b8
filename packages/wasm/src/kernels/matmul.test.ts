import { type MatmulDims, matmulDims, matmulForward } from "@saunet/core/kernels";
import { describe, expect, it } from "vitest";
import { check, generatorFor, numbers, outputsOf } from "./testing.ts";
import { productCases, sizesOf } from "./testing-products.ts";

/** Arrays of random numbers, y filled with others. */
function arraysOf(d: MatmulDims) {
  const [sizeY, sizeA, sizeB] = sizesOf(d);
  return { y: numbers(sizeY, 3), a: numbers(sizeA, 1, 1), b: numbers(sizeB, 2, 1) };
}

const nameOf = ({ m, n, k, batch, transposeA, transposeB }: MatmulDims) =>
  `${batch} of ${m}x${k}${transposeA ? "ᵀ" : ""} by ${k}x${n}${transposeB ? "ᵀ" : ""}`;

describe("products", () => {
  it.each(productCases.map((d) => [nameOf(d), d] as const))("%s", (_, d) => {
    // Sums of 256 terms each round by less than 1e-6 of the largest element.
    expect(check(matmulForward, arraysOf(d), d)).toBeLessThan(3e-6);
  });

  it("of few rows and long sums are shared out no further than by a tile", () => {
    const d = matmulDims(12, 16, 60_000);
    expect(check(matmulForward, arraysOf(d), d)).toBeLessThan(3e-6);
  });

  it("of few elements stay with the portable form", () => {
    const d = matmulDims(15, 16, 17);
    expect(check(matmulForward, arraysOf(d), d)).toBeUndefined();
  });

  it.each([
    [40, 33, 300, 2],
    [5, 32, 300, 1],
  ])("hand on NaN and infinities where they lie in a row or column: %i x %i", (m, n, k, parts) => {
    const d = matmulDims(m, n, k);
    const { a, b } = arraysOf(d);
    a[2 * k + 299] = Number.NaN;
    a[3 * k] = Number.POSITIVE_INFINITY;
    // ∞ times 0 is no number.
    b[0] = 0;
    b[280 * n + 7] = Number.NEGATIVE_INFINITY;
    const y = new Float32Array(m * n);
    const wanted = y.slice();
    matmulForward.reference({ y: wanted, a, b }, d);
    const found = outputsOf(generatorFor(matmulForward), { y, a, b }, d, { parts })!.y;
    wanted.forEach((value, i) => {
      if (Number.isFinite(value)) expect(found[i]).toBeCloseTo(value, 3);
      else expect(found[i], `${i}`).toBe(value);
    });
    expect(wanted.filter((value) => !Number.isFinite(value)).length).toBe(2 * n + m - 2);
  });

  it("leave nothing of what lay in y", () => {
    const d = matmulDims(20, 20, 600);
    const arrays = arraysOf(d);
    const dirty = { ...arrays, y: arrays.y.map(() => Number.NaN) };
    expect(outputsOf(generatorFor(matmulForward), dirty, d)!.y.some(Number.isNaN)).toBe(false);
  });
});

import { type GeluDims, geluForward, geluGradient } from "@saunet/core/kernels";
import { describe, expect, test } from "vitest";
import { check, generatorFor, numbers, outputsOf } from "./testing.ts";

describe.each<GeluDims["approximate"]>(["none", "tanh"])("approximate %s", (approximate) => {
  const dims = { approximate };

  test("agrees with the reference at any length and size", () => {
    for (const length of [512, 515, 1003, 20_000])
      for (const spread of [0.1, 3, 30, 1e4]) {
        const x = numbers(length, 1, spread);
        expect(check(geluForward, { y: x.slice(), x }, dims)).toBeLessThan(6e-7);
        const arrays = { gx: x.slice(), gy: numbers(length, 2), x };
        expect(check(geluGradient, arrays, dims)).toBeLessThan(2e-6);
      }
  });

  test("keeps the digits of small results", () => {
    const x = numbers(4000, 1, 5);
    const y = outputsOf(generatorFor(geluForward), { y: x.slice(), x }, dims)!.y;
    const wanted = x.slice();
    geluForward.reference({ y: wanted, x }, dims);
    for (const [i, value] of wanted.entries())
      expect(Math.abs(y[i] - value), `${x[i]}`).toBeLessThanOrEqual(3e-6 * Math.abs(value));
  });

  test("agrees with the reference at special values", () => {
    const special = [0, -0, Infinity, Number.NaN, 1e-40, 1e9, -1e9, 1e15, -1e15, 20, -20];
    const x = numbers(600);
    x.set(special);
    const y = outputsOf(generatorFor(geluForward), { y: x.slice(), x }, dims)!.y;
    const gy = numbers(600, 2);
    const gx = outputsOf(generatorFor(geluGradient), { gx: x.slice(), gy, x }, dims)!.gx;
    const [wantedY, wantedGx] = [x.slice(), x.slice()];
    geluForward.reference({ y: wantedY, x }, dims);
    geluGradient.reference({ gx: wantedGx, gy, x }, dims);
    for (const [i, at] of special.entries()) {
      if (Number.isFinite(wantedY[i])) expect(y[i], `${at}`).toBeCloseTo(wantedY[i], 30);
      else expect(y[i], `${at}`).toBe(wantedY[i]);
      if (Number.isFinite(at)) expect(gx[i], `${at}`).toBeCloseTo(wantedGx[i], 6);
    }
  });
});

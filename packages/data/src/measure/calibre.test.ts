import { describe, expect, it } from "vitest";
import { centralEquivalent } from "./calibre.ts";

const widths = [120, 110, 100, 95, 90, 80];

describe("central equivalents", () => {
  it("join by Knudtson's formula, the largest with the smallest", () => {
    for (const [kind, c] of [
      ["artery", 0.88],
      ["vein", 0.95],
    ] as const) {
      const join = (a: number, b: number) => c * Math.sqrt(a * a + b * b);
      // 120 with 80, 110 with 90, 100 with 95; these are 126.9, 125.1 and 121.4 of arteries: the middle one waits.
      const wanted = join(join(join(120, 80), join(100, 95)), join(110, 90));
      expect(centralEquivalent(widths, kind)).toBeCloseTo(wanted, 10);
      expect(centralEquivalent([...widths].reverse(), kind)).toBe(centralEquivalent(widths, kind));
    }
  });

  it("of six equal vessels follow from the coefficient alone", () => {
    // Two joins of equals, then one of a joined one with one that waited.
    const once = 0.88 * Math.SQRT2;
    const wanted = 0.88 * Math.hypot(once * once, once);
    expect(centralEquivalent(Array(6).fill(1), "artery")).toBeCloseTo(wanted, 12);
  });

  it("join by Hubbard's formulas, in micrometres", () => {
    const artery = (a: number, b: number) => Math.sqrt(0.87 * a * a + 1.01 * b * b - 0.22 * a * b - 10.76);
    const pairs = [artery(80, 120), artery(90, 110), artery(95, 100)].sort((a, b) => a - b);
    const twice = artery(pairs[0], pairs[2]);
    const wanted = artery(Math.min(twice, pairs[1]), Math.max(twice, pairs[1]));
    expect(centralEquivalent(widths, "artery", "hubbard")).toBeCloseTo(wanted, 10);
    const vein = (a: number, b: number) => Math.sqrt(0.72 * a * a + 0.91 * b * b + 450.05);
    const veins = [vein(80, 120), vein(90, 110), vein(95, 100)].sort((a, b) => a - b);
    const joined = vein(veins[0], veins[2]);
    expect(centralEquivalent(widths, "vein", "hubbard")).toBeCloseTo(
      vein(Math.min(joined, veins[1]), Math.max(joined, veins[1])),
      10,
    );
  });

  it("refuse what they are not defined for", () => {
    expect(() => centralEquivalent([1, 2, 3], "artery")).toThrow(/wants 6 widths but has 3/);
    expect(() => centralEquivalent([1, 2, 3, 4, 5, 0], "vein")).toThrow(/a width must be above 0 but is 0/);
    expect(() => centralEquivalent([1, 2, 3, 4, 5, Number.NaN], "vein")).toThrow(
      /must be above 0 but is NaN/,
    );
    expect(() => centralEquivalent(Array(6).fill(1), "artery", "hubbard")).toThrow(
      /no answer for widths of 1, 1/,
    );
  });
});

import { describe, expect, it } from "vitest";
import type { Mask } from "../image.ts";
import type { Curve } from "./curve.ts";
import { distanceToBackground } from "./distance.ts";
import { drawn, turned } from "./testing.ts";
import { distributionOf, freePart, widthsAlong } from "./width.ts";

/** A line of points a pixel apart to the right. */
const lineAt = (y: number, from: number, to: number): Curve =>
  Float64Array.from(Array.from({ length: to - from + 1 }, (_, i) => [from + i, y]).flat());
const all = (curve: Curve) => ({ first: 0, last: curve.length / 2 - 1 });
const widthsOf = (mask: Mask, curve: Curve, part = all(curve)) =>
  widthsAlong(mask, distanceToBackground(mask), curve, part);

describe("the width along a centre line", () => {
  const bar = drawn(60, 20, (x, y) => x >= 5 && x < 55 && y >= 8 && y < 13);

  it("is that of the bar, wherever the line runs within it, the very edge of a thin one included", () => {
    for (const y of [10, 9.25, 10.75])
      for (const width of widthsOf(bar, lineAt(y, 15, 45))) expect(width).toBeCloseTo(5, 9);
    const thin = drawn(60, 20, (_, y) => y >= 8 && y < 11);
    for (const width of widthsOf(thin, lineAt(7.5, 15, 45))) expect(width).toBeCloseTo(3, 9);
  });

  it("does not depend on where a closed line begins", () => {
    const ring = drawn(40, 40, (x, y) => Math.abs(Math.hypot(x - 19.5, y - 19.5) - 7) < 2.2);
    const count = 44;
    const from = (start: number): Curve =>
      Float64Array.from({ length: 2 * (count + 1) }, (_, i) => {
        const angle = (2 * Math.PI * ((Math.floor(i / 2) + start) % count)) / count;
        return 19.5 + 7 * (i % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
      });
    const [plain, later] = [0, 17].map((start) => widthsOf(ring, from(start)));
    for (let i = 0; i < count; i++) expect(later[i], `point ${i}`).toBeCloseTo(plain[(i + 17) % count], 9);
  });

  it("is none outside of the vessel, and where an end bends it", () => {
    for (const width of widthsOf(bar, lineAt(6, 15, 45))) expect(width).toBeNaN();
    const curve = lineAt(10, 5, 54);
    const part = freePart(bar, distanceToBackground(bar), curve);
    // Up to where the disc inscribed at a point no longer reaches the end: 1.5 times a radius of 3.
    expect(part).toEqual({ first: 5, last: 44 });
    const known = Array.from(widthsOf(bar, curve, part).entries()).filter(
      ([, width]) => !Number.isNaN(width),
    );
    expect(known.map(([i]) => i)).toEqual(Array.from({ length: 40 }, (_, i) => i + 5));
  });

  it("is none where the picture ends before the vessel does, at any side", () => {
    const curve = lineAt(2, 10, 30);
    let mask = drawn(40, 40, (_, y) => y < 5);
    let points = curve;
    for (let side = 0; side < 4; side++) {
      for (const width of widthsOf(mask, points)) expect(width, `side ${side}`).toBeNaN();
      // A quarter turn takes x, y to 39 - y, x.
      points = points.map((_, i) => (i % 2 === 0 ? 39 - points[i + 1] : points[i - 1]));
      mask = turned(mask);
    }
  });
});

describe("a distribution", () => {
  it("has quantiles between the numbers that stand next to them", () => {
    expect(distributionOf([4, 1, 3, 2])).toEqual({
      ...{ count: 4, mean: 2.5, deviation: Math.sqrt(1.25), median: 2.5 },
      ...{ p5: 1.15, p25: 1.75, p75: 3.25, p95: expect.closeTo(3.85, 12) },
    });
    expect(distributionOf([7])).toEqual({
      ...{ count: 1, mean: 7, deviation: 0, median: 7, p5: 7, p25: 7, p75: 7, p95: 7 },
    });
    expect(distributionOf([])).toBeUndefined();
  });
});

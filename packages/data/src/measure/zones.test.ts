// Zones around a disc against a count of pixels and points, one by one.

import fc from "fast-check";
import { expect, it } from "vitest";
import type { MeasuredSegment } from "./segments.ts";
import { drawn } from "./testing.ts";
import { calibresInZoneB, expectDisc, isInZone, measureZone, ZONES } from "./zones.ts";

const [width, height] = [70, 50];
const disc = { x: 30, y: 20, radius: 6 };
const vessels = drawn(width, height, (x, y) => (x + 2 * y) % 7 === 0);
const names = ["b", "c"] as const;

/** A segment of points a pixel apart, with these widths. */
const segmentOf = (
  points: readonly (readonly [number, number])[],
  widths: readonly number[],
): MeasuredSegment => ({
  ...{ curve: Float64Array.from(points.flat()), widths: Float64Array.from(widths) },
  length: points.length - 1,
});
/** A line to the right of the disc, from so many pixels of its centre to so many. */
const ray = (from: number, to: number, thickness: (at: number) => number) => {
  const at = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  return segmentOf(
    at.map((each) => [disc.x + each, disc.y] as const),
    at.map(thickness),
  );
};

it("reach from two radii to three or five: their inner edge belongs to them, their outer does not", () => {
  for (const [zone, inner, outer] of [
    ["b", 12, 18],
    ["c", 12, 30],
  ] as const) {
    const at = [inner - 0.001, inner, outer - 0.001, outer].map((reach) =>
      isInZone(disc, zone, disc.x, disc.y - reach),
    );
    expect(at, zone).toEqual([false, true, true, false]);
  }
});

it("count the pixels of their ring: seen, and marked of those", () => {
  fc.assert(
    fc.property(
      fc.record({
        x: fc.nat({ max: 69 }),
        y: fc.nat({ max: 49 }),
        radius: fc.double({ min: 0.5, max: 9, noNaN: true }),
      }),
      fc.nat({ max: 80 }),
      fc.constantFrom(...names),
      (own, edge, zone) => {
        const field = drawn(width, height, (x, y) => x + y > edge);
        const masked = { ...vessels, data: vessels.data.map((value, i) => value & field.data[i]) };
        let [ring, seen, marked] = [0, 0, 0];
        for (let y = -60; y < 120; y++)
          for (let x = -60; x < 140; x++) {
            const radii = Math.hypot(x - own.x, y - own.y) / own.radius;
            if (radii < ZONES[zone][0] || radii >= ZONES[zone][1]) continue;
            ring++;
            if (x < 0 || y < 0 || x >= width || y >= height) continue;
            seen += field.data[y * width + x];
            marked += masked.data[y * width + x];
          }
        const found = measureZone(zone, own, masked, field, []);
        if (seen === 0) expect(found).toEqual({ visible: 0 });
        else expect(found).toEqual({ visible: seen / ring, vesselDensity: marked / seen, lengthDensity: 0 });
      },
    ),
  );
});

it("hold of a segment the part that runs in them, and the widths that were measured there", () => {
  const all = drawn(width, height, () => true);
  const line = ray(0, 39, (at) => (at === 15 ? Number.NaN : at));
  const ring = (zone: (typeof names)[number]) => {
    let count = 0;
    for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) if (isInZone(disc, zone, x, y)) count++;
    return count;
  };
  const [b, c] = names.map((zone) => measureZone(zone, disc, vessels, all, [line, ray(0, 5, () => 99)]));
  // Points from 12 to 17 and from 12 to 29; the line has 40 points along 39 pixels.
  expect(b.width).toMatchObject({ count: 5, mean: (12 + 13 + 14 + 16 + 17) / 5 });
  expect(b.lengthDensity).toBeCloseTo((39 * 6) / 40 / ring("b"), 12);
  expect(c.width).toMatchObject({ count: 17, mean: (((12 + 29) * 18) / 2 - 15) / 17 });
  expect(c.lengthDensity).toBeCloseTo((39 * 18) / 40 / ring("c"), 12);
});

it("give a calibre of each vessel that runs through half of zone B, the widest first", () => {
  const through = ray(10, 20, () => 3);
  const wide = ray(12, 16, () => 5);
  const short = ray(12, 13, () => 9);
  const unmeasured = ray(10, 20, () => Number.NaN);
  const outside = ray(19, 39, () => 7);
  expect(calibresInZoneB([through, short, wide, unmeasured, outside], disc)).toEqual([5, 3]);
});

it("are around a disc in the picture", () => {
  const expectOne = (x: number, y: number, radius: number) =>
    expectDisc("measure", { x, y, radius }, vessels);
  expectOne(0, 0, 0.1);
  expectOne(69, 49, 100);
  expect(() => expectOne(70, 0, 1)).toThrow("measure: disc x must lie between 0 and 69 but is 70");
  expect(() => expectOne(0, -0.1, 1)).toThrow("measure: disc y must lie between 0 and 49 but is -0.1");
  for (const radius of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
    expect(() => expectOne(0, 0, radius)).toThrow(`measure: disc radius must be above 0 but is ${radius}`);
});

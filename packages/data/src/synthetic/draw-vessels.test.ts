// What a pen paints against every pixel's distance to the centre line.

import { randomState } from "@saunet/core";
import fc from "fast-check";
import { expect, it } from "vitest";
import { drawVessels } from "./draw-vessels.ts";
import type { Vessel, VesselKind } from "./vessel-tree.ts";

const [width, height] = [30, 24];
/** A line of a few steps in any direction, perhaps out of the picture. */
const lines = fc
  .record({
    x: fc.integer({ min: -4, max: width + 4 }),
    y: fc.integer({ min: -4, max: height + 4 }),
    steps: fc.array(fc.record({ turn: fc.nat({ max: 35 }), length: fc.integer({ min: 1, max: 9 }) }), {
      minLength: 1,
      maxLength: 3,
    }),
    thicknesses: fc.array(fc.integer({ min: 1, max: 14 }), { minLength: 4, maxLength: 4 }),
  })
  .map(({ x, y, steps, thicknesses }) => {
    const points = [{ x: x + 0.3, y: y + 0.2, thickness: thicknesses[0] / 2 }];
    for (const [i, { turn, length }] of steps.entries())
      points.push({
        x: points[i].x + length * Math.cos(turn / 5.7),
        y: points[i].y + length * Math.sin(turn / 5.7),
        thickness: thicknesses[i + 1] / 2,
      });
    return points;
  });
const vesselOf = (
  line: readonly { x: number; y: number; thickness: number }[],
  kind: VesselKind,
): Vessel => ({
  ...{ kind, parent: undefined, x: line.map(({ x }) => x), y: line.map(({ y }) => y) },
  width: line.map(({ thickness }) => thickness),
});

/** Whether the centre of a pixel lies in a vessel: undefined where rounding may decide. */
function isInside({ x, y, width: thickness }: Vessel, pixel: number): boolean | undefined {
  const [px, py] = [(pixel % width) + 0.5, Math.floor(pixel / width) + 0.5];
  let [nearest, own] = [Number.POSITIVE_INFINITY, 0];
  for (let i = 1; i < x.length; i++) {
    const [dx, dy] = [x[i] - x[i - 1], y[i] - y[i - 1]];
    const along = ((px - x[i - 1]) * dx + (py - y[i - 1]) * dy) / (dx * dx + dy * dy);
    const share = Math.min(1, Math.max(0, along));
    const gap = Math.hypot(px - x[i - 1] - share * dx, py - y[i - 1] - share * dy);
    const [from, to] = [thickness[i - 1], thickness[i]].map((each) => Math.max(0.55, each / 2));
    const radius = from + share * (to - from);
    if (Math.abs(gap - radius) < 1e-3 || Math.abs(gap - nearest) < 1e-3) return undefined;
    if (gap < radius + 0.5 && gap < nearest) [nearest, own] = [gap, radius];
  }
  return nearest < own;
}

it("marks the pixels whose centres lie within half the width of the centre line, for each vessel anew", () => {
  fc.assert(
    fc.property(lines, lines, (one, other) => {
      const [artery, vein] = [vesselOf(one, "artery"), vesselOf(other, "vein")];
      const { kinds, depth } = drawVessels([artery, vein], width, height, randomState(1));
      const wrong = [...kinds].flatMap((kind, pixel) => {
        const inside = [isInside(artery, pixel), isInside(vein, pixel)];
        if (inside.includes(undefined)) return [];
        const wanted = inside[0] && inside[1] ? [1, 2] : [inside[0] ? 1 : inside[1] ? 2 : 0];
        const isDeep = kind === 0 || depth[pixel] > 0;
        return wanted.includes(kind) && isDeep ? [] : [{ pixel, kind, wanted, depth: depth[pixel] }];
      });
      expect(wrong).toEqual([]);
    }),
    { numRuns: 60 },
  );
});

it("shows where an artery and a vein cross the deeper one, darkened by the other", () => {
  const line = (points: readonly (readonly [number, number])[], kind: VesselKind, thickness: number) =>
    vesselOf(
      points.map(([x, y]) => ({ x, y, thickness })),
      kind,
    );
  const [along, across] = [
    [
      [0, 12],
      [30, 12.01],
    ] as const,
    [
      [15, 0],
      [15.01, 24],
    ] as const,
  ];
  const deeper = drawVessels(
    [line(along, "vein", 6), line(across, "artery", 1.5)],
    width,
    height,
    randomState(1),
  );
  const alone = drawVessels([line(along, "vein", 6)], width, height, randomState(1));
  const crossing = 12 * width + 15;
  expect(deeper.kinds[crossing]).toBe(2);
  expect(deeper.depth[crossing]).toBeGreaterThan(1.05 * alone.depth[crossing]);
  expect(deeper.depth[crossing - 8]).toBeCloseTo(alone.depth[crossing - 8], 6);
  expect(deeper.kinds[4 * width + 15]).toBe(1);
});

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { brushOf, type Point } from "./brush.ts";

const empty = { width: 12, height: 9, data: new Uint8Array(108) };
const count = (data: Uint8Array) => data.reduce((sum, value) => sum + value, 0);

describe("brushOf", () => {
  it("marks what lies within its radius, up to the edge, and leaves the original alone", () => {
    const brush = brushOf(empty);
    brush.begin();
    // Pixels whose middle is within 1.5 of the middle of pixel (5, 4): 3 x 3.
    const changed = brush.line({ x: 5.5, y: 4.5 }, { x: 5.5, y: 4.5 }, 1.5, true);
    expect(count(brush.mask.data)).toBe(9);
    expect([3, 4, 5].map((y) => brush.mask.data[y * 12 + 4])).toEqual([1, 1, 1]);
    expect(changed.x).toBeLessThanOrEqual(4);
    expect(changed.x + changed.width).toBeGreaterThanOrEqual(7);
    brush.line({ x: -3, y: 0.5 }, { x: 20, y: 0.5 }, 0.5, true);
    expect([...brush.mask.data.subarray(0, 12)]).toEqual(Array(12).fill(1));
    expect(brush.line({ x: 40, y: 40 }, { x: 50, y: 50 }, 2, true).width).toBe(0);
    expect(count(empty.data)).toBe(0);
  });

  it.each([
    ["left of", -9, 4],
    ["right of", 25, 4],
    ["above", 5, -9],
    ["below", 5, 25],
  ])("changes nothing by a line %s the picture", (_, x, y) => {
    const brush = brushOf(empty);
    const nothing = { x: 0, y: 0, width: 0, height: 0 };
    expect(brush.line({ x, y }, { x: x + 1, y: y + 1 }, 2, true)).toEqual(nothing);
    expect(count(brush.mask.data)).toBe(0);
  });

  it("marks exactly the pixels whose middle lies within its radius of the line, and says where it changed them", () => {
    const places = fc.record({
      x: fc.double({ min: -3, max: 15, noNaN: true }),
      y: fc.double({ min: -3, max: 12, noNaN: true }),
    });
    const radii = fc.double({ min: 0.1, max: 4, noNaN: true });
    const nearestOf = (x: number, y: number, from: Point, to: Point) => {
      let nearest = Number.POSITIVE_INFINITY;
      for (let i = 0; i <= 2000; i++) {
        const along = (a: number, b: number) => a + (i / 2000) * (b - a);
        nearest = Math.min(nearest, Math.hypot(x - along(from.x, to.x), y - along(from.y, to.y)));
      }
      return nearest;
    };
    fc.assert(
      fc.property(places, places, radii, (from, to, radius) => {
        const brush = brushOf(empty);
        brush.begin();
        const changed = brush.line(from, to, radius, true);
        const marked = [...empty.data.keys()].filter((pixel) => brush.mask.data[pixel] === 1);
        for (const pixel of empty.data.keys()) {
          const nearest = nearestOf((pixel % 12) + 0.5, Math.floor(pixel / 12) + 0.5, from, to);
          // The line is looked at from point to point, so it may lie a little nearer.
          if (Math.abs(nearest - radius) > 0.01) expect(marked.includes(pixel)).toBe(nearest < radius);
        }
        const [columns, rows] = [
          marked.map((pixel) => pixel % 12),
          marked.map((pixel) => Math.floor(pixel / 12)),
        ];
        for (const x of columns) expect(x >= changed.x && x < changed.x + changed.width).toBe(true);
        for (const y of rows) expect(y >= changed.y && y < changed.y + changed.height).toBe(true);
        const [x, y] = [Math.min(...columns), Math.min(...rows)];
        // What is taken back is told exactly.
        const box = { x, y, width: Math.max(...columns) - x + 1, height: Math.max(...rows) - y + 1 };
        expect(brush.undo()).toEqual(marked.length === 0 ? { x: 0, y: 0, width: 0, height: 0 } : box);
        expect(count(brush.mask.data)).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it("takes strokes back one by one, with everything that was drawn and cleared in them", () => {
    const brush = brushOf(empty);
    const states = [brush.mask.data.slice()];
    for (const [from, to, isMarking] of [
      [{ x: 1, y: 1 }, { x: 10, y: 7 }, true],
      [{ x: 4, y: 2 }, { x: 6, y: 5 }, false],
      [{ x: 0, y: 8 }, { x: 11, y: 8 }, true],
    ] as const) {
      brush.begin();
      brush.line(from, to, 2, isMarking);
      // Over its own trace, the other way: a pixel may turn twice.
      brush.line(to, from, 0.8, !isMarking);
      states.push(brush.mask.data.slice());
    }
    expect(new Set(states.map(String)).size).toBe(4);
    for (let left = 3; left > 0; left--) {
      expect(brush.strokes()).toBe(left);
      brush.undo();
      expect([...brush.mask.data]).toEqual([...states[left - 1]]);
    }
    expect(brush.undo()).toEqual({ x: 0, y: 0, width: 0, height: 0 });
  });
});

import { describe, expect, it } from "vitest";
import { brushOf } from "./brush.ts";

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

// Drawing on a mask, stroke by stroke, and taking strokes back.

import type { Mask } from "@saunet/data";

/** A pixel of the photograph; fractions lie between pixels. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** The part of a mask that was changed; `width` is 0 where nothing was. */
export interface Changed {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A mask that is drawn on. */
export interface Brush {
  /** Changed in place. */
  readonly mask: Mask;
  /** Strokes that can be taken back. */
  strokes(): number;
  /** Begins a stroke. */
  begin(): void;
  /** Marks or clears everything within `radius` of the line between two points. */
  line(from: Point, to: Point, radius: number, isMarking: boolean): Changed;
  /** Takes the last stroke back. */
  undo(): Changed;
}

const NOTHING: Changed = { x: 0, y: 0, width: 0, height: 0 };

/** Draws on a copy of a mask. */
export function brushOf(original: Mask): Brush {
  const { width, height } = original;
  const mask: Mask = { width, height, data: Uint8Array.from(original.data) };
  /** The pixels that each stroke turned over. */
  const strokes: number[][] = [];
  return {
    mask,
    strokes: () => strokes.length,
    begin: () => void strokes.push([]),
    line(from, to, radius, isMarking) {
      const box = boxOf(mask, from, to, radius);
      const value = isMarking ? 1 : 0;
      const turned = strokes.at(-1) ?? [];
      for (let y = box.y; y < box.y + box.height; y++)
        for (let x = box.x; x < box.x + box.width; x++) {
          const pixel = y * width + x;
          // The middle of a pixel counts.
          if (mask.data[pixel] === value || distance({ x: x + 0.5, y: y + 0.5 }, from, to) > radius) continue;
          mask.data[pixel] = value;
          turned.push(pixel);
        }
      return box;
    },
    undo() {
      const turned = strokes.pop();
      if (turned === undefined || turned.length === 0) return NOTHING;
      let [left, top, right, bottom] = [width, height, -1, -1];
      for (const pixel of turned) {
        // One that was marked and cleared in one stroke was turned over twice.
        mask.data[pixel] = 1 - mask.data[pixel];
        const [x, y] = [pixel % width, Math.floor(pixel / width)];
        [left, right] = [Math.min(left, x), Math.max(right, x)];
        [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
      }
      return { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
    },
  };
}

/** The pixels that a line of this radius can touch. */
function boxOf({ width, height }: Mask, from: Point, to: Point, radius: number): Changed {
  const along = (a: number, b: number, size: number): readonly [first: number, count: number] => {
    const first = Math.max(0, Math.floor(Math.min(a, b) - radius));
    const end = Math.min(size, Math.ceil(Math.max(a, b) + radius) + 1);
    return [first, Math.max(0, end - first)];
  };
  const [[x, wide], [y, high]] = [along(from.x, to.x, width), along(from.y, to.y, height)];
  return wide === 0 || high === 0 ? NOTHING : { x, y, width: wide, height: high };
}

/** From a point to the nearest of a line. */
function distance({ x, y }: Point, from: Point, to: Point): number {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = dx * dx + dy * dy;
  const share = length === 0 ? 0 : ((x - from.x) * dx + (y - from.y) * dy) / length;
  const along = Math.min(1, Math.max(0, share));
  return Math.hypot(x - from.x - along * dx, y - from.y - along * dy);
}

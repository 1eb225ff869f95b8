// Shapes with known answers, and the same masks seen otherwise: what the tests of this folder share.

import type { Mask } from "../image.ts";

/** A mask of what `isInside` says. */
export function drawn(width: number, height: number, isInside: (x: number, y: number) => boolean): Mask {
  const data = new Uint8Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) data[y * width + x] = isInside(x, y) ? 1 : 0;
  return { width, height, data };
}

/** A point of a line: column and row. */
export type Point = readonly [x: number, y: number];

/** Draws a line of so many pixels' width through points. */
export function stroke(mask: Mask, points: readonly Point[], thickness: number): void {
  const radius = thickness / 2;
  for (let i = 1; i < points.length; i++) {
    const [[ax, ay], [bx, by]] = [points[i - 1], points[i]];
    const [dx, dy] = [bx - ax, by - ay];
    const square = dx * dx + dy * dy;
    const pad = Math.ceil(radius) + 1;
    for (let y = Math.floor(Math.min(ay, by)) - pad; y <= Math.max(ay, by) + pad; y++) {
      for (let x = Math.floor(Math.min(ax, bx)) - pad; x <= Math.max(ax, bx) + pad; x++) {
        if (x < 0 || y < 0 || x >= mask.width || y >= mask.height) continue;
        const share = square === 0 ? 0 : ((x - ax) * dx + (y - ay) * dy) / square;
        const near = Math.min(1, Math.max(0, share));
        if (Math.hypot(x - ax - near * dx, y - ay - near * dy) <= radius) mask.data[y * mask.width + x] = 1;
      }
    }
  }
}

/** An empty mask. */
export const blank = (width: number, height: number): Mask => ({
  width,
  height,
  data: new Uint8Array(width * height),
});

/** A quarter turn. */
export function turned(mask: Mask): Mask {
  const { width, height, data } = mask;
  return drawn(height, width, (x, y) => data[(height - 1 - x) * width + y] === 1);
}

/** Left and right exchanged. */
export function mirrored({ width, height, data }: Mask): Mask {
  return drawn(width, height, (x, y) => data[y * width + width - 1 - x] === 1);
}

/** Each pixel as a square of `factor` by `factor`. */
export function enlarged({ width, height, data }: Mask, factor: number): Mask {
  return drawn(
    factor * width,
    factor * height,
    (x, y) => data[Math.floor(y / factor) * width + Math.floor(x / factor)] === 1,
  );
}

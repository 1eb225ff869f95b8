// Fractal dimensions by counting boxes.
//
// With p the share of the marked pixels that lie in a box of side s, the generalised dimensions (Hentschel and Procaccia,
// Physica D 8, 1983) are slopes over log s: D0 (capacity) of -log of the number of boxes that hold any, D1 (information) of
// the sum of p log p, D2 (correlation) of log of the sum of p squared. Retinal vessels: Stosic and Stosic, IEEE Transactions on
// Medical Imaging 25(8), 2006. Where a grid of boxes begins is chance, so each sum is a mean over several beginnings.

import type { Mask } from "../image.ts";
import { expectMask } from "./expect-mask.ts";

/** A slope with what says how good it is. */
export interface FittedDimension {
  readonly value: number;
  /** Of the slope. Points of one picture are not independent of each other, so it flatters. */
  readonly standardError: number;
  /** The share of the variance that the line explains. */
  readonly r2: number;
}

/** The fractal dimensions of a set of pixels. */
export interface FractalDimensions {
  readonly d0: FittedDimension;
  readonly d1: FittedDimension;
  readonly d2: FittedDimension;
  /** Sides of the boxes, in pixels: the range of the fit. */
  readonly boxes: readonly number[];
  /** How many beginnings of the grid were averaged for each side. */
  readonly offsets: number;
}

/** The longer side of what is drawn over each side of the boxes, so that another resolution sees the same: 4 to 64. */
const SHARES = Array.from({ length: 9 }, (_, i) => 64 / 2 ** (i / 2));
/** Smaller boxes see pixels instead of what they draw. */
const SMALLEST_BOX = 4;
/** A line through fewer points says nothing. */
const FEWEST_BOXES = 5;
/** Beginnings of the grid along either axis. */
const OFFSETS = 4;

/**
 * The fractal dimensions D0, D1 and D2 of what a mask marks.
 *
 * @returns undefined where it is too small to be looked at through five sizes of boxes: less than 64 pixels across
 * @throws ShapeError where the array does not fill the picture; RangeError where it holds anything but 0 and 1
 * @example
 * const square = { width: 128, height: 128, data: new Uint8Array(128 * 128).fill(1) };
 * const { d0, d2, boxes } = fractalDimensions(square) ?? {};
 * console.log(d0?.value.toFixed(1), d2?.value.toFixed(1), boxes?.join(" ")); // 1.8 1.9 4 6 8 11 16 23 32
 */
export function fractalDimensions(mask: Mask): FractalDimensions | undefined {
  expectMask("fractalDimensions", "mask", mask);
  const points = pointsOf(mask);
  const boxes = SHARES.map((share) => points.extent / share)
    .filter((side) => side >= SMALLEST_BOX)
    .map(Math.round);
  if (boxes.length < FEWEST_BOXES) return undefined;
  const sums = boxes.map((side) => countBoxes(points, side));
  const logs = boxes.map((side) => Math.log(side));
  return {
    d0: slope(
      logs,
      sums.map(({ boxes }) => -Math.log(boxes)),
    ),
    d1: slope(
      logs,
      sums.map(({ information }) => information),
    ),
    d2: slope(
      logs,
      sums.map(({ squares }) => Math.log(squares)),
    ),
    boxes,
    offsets: OFFSETS ** 2,
  };
}

interface Points {
  readonly x: Int32Array;
  readonly y: Int32Array;
  /** The longer side of the rectangle around them. */
  readonly extent: number;
}

/** The marked pixels, counted from the corner of the rectangle around them. */
function pointsOf({ width, data }: Mask): Points {
  const [xs, ys]: [number[], number[]] = [[], []];
  let [left, right, top, bottom] = [width, -1, Number.POSITIVE_INFINITY, -1];
  for (let pixel = 0; pixel < data.length; pixel++) {
    if (data[pixel] === 0) continue;
    const x = pixel % width;
    const y = (pixel - x) / width;
    xs.push(x);
    ys.push(y);
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  return {
    x: Int32Array.from(xs, (x) => x - left),
    y: Int32Array.from(ys, (y) => y - top),
    extent: Math.max(0, right - left + 1, bottom - top + 1),
  };
}

/** Means over the beginnings of the grid. */
function countBoxes({ x, y, extent }: Points, side: number) {
  const columns = Math.ceil(extent / side) + 1;
  const counts = new Uint32Array(columns * columns);
  const mean = { boxes: 0, information: 0, squares: 0 };
  for (let offset = 0; offset < OFFSETS ** 2; offset++) {
    const dx = Math.floor(((offset % OFFSETS) * side) / OFFSETS);
    const dy = Math.floor((Math.floor(offset / OFFSETS) * side) / OFFSETS);
    counts.fill(0);
    for (let i = 0; i < x.length; i++)
      counts[Math.floor((y[i] + dy) / side) * columns + Math.floor((x[i] + dx) / side)]++;
    for (const count of counts) {
      if (count === 0) continue;
      const share = count / x.length;
      mean.boxes += 1 / OFFSETS ** 2;
      mean.information += (share * Math.log(share)) / OFFSETS ** 2;
      mean.squares += share ** 2 / OFFSETS ** 2;
    }
  }
  return mean;
}

/** The line of least squares. */
function slope(x: readonly number[], y: readonly number[]): FittedDimension {
  const mean = (of: readonly number[]) => of.reduce((sum, value) => sum + value, 0) / of.length;
  const [mx, my] = [mean(x), mean(y)];
  let [xx, xy, yy] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    xx += (x[i] - mx) ** 2;
    xy += (x[i] - mx) * (y[i] - my);
    yy += (y[i] - my) ** 2;
  }
  const value = xy / xx;
  const residual = Math.max(0, yy - value * xy);
  return {
    value,
    standardError: Math.sqrt(residual / (x.length - 2) / xx),
    // Where nothing varies the line has nothing left to explain.
    r2: yy === 0 ? 1 : 1 - residual / yy,
  };
}

// How wide a vessel is: from edge to edge across its centre line, between pixels.
//
// Twice the distance to the background would be off by up to a pixel, since it is counted between the centres of pixels and a
// centre line of pixels cannot lie in the middle of an even number of them. So the mask is followed from the smooth centre
// line to either side, at right angles, until it is half left between two pixels.

import type { Mask } from "../image.ts";
import { type Curve, isClosedCurve } from "./curve.ts";

/** Between two looks along a profile, in pixels. */
const STEP = 0.25;
/** How far an edge is looked for: so many times the distance to the background, and so many pixels more. */
const REACH = 1.5;
const REACH_MORE = 2;
/** Points whose tangent a point takes, on either side: less follows the pixels, more cuts corners. */
const TANGENT = 3;
/** Within so many times the radius of the vessel from a branch point or an end these bend its edges and its centre line. */
export const FLARE = 1.5;

/** Places along a curve between which neither end bends it; `first` is above `last` where nothing is left. */
export interface FreePart {
  readonly first: number;
  readonly last: number;
}

/**
 * The part of a curve that its ends do not bend. At the tip of a vessel a centre line runs into a corner, at a branch point to
 * where others meet it: up to where the disc inscribed at a point does not reach the end any more.
 *
 * @param distance of the mask's pixels to the background
 */
export function freePart({ width }: Mask, distance: Float32Array, curve: Curve): FreePart {
  const count = curve.length / 2;
  if (isClosedCurve(curve)) return { first: 0, last: count - 1 };
  const flare = (i: number) =>
    FLARE * distance[Math.round(curve[2 * i + 1]) * width + Math.round(curve[2 * i])];
  let [first, last] = [0, count - 1];
  while (first < count && first < flare(first)) first++;
  while (last >= 0 && count - 1 - last < flare(last)) last--;
  return { first, last };
}

/**
 * The width at each point of a centre line, in pixels; NaN where no edge is found on one side, and where an end bends them.
 *
 * @param distance of the mask's pixels to the background
 */
export function widthsAlong(
  mask: Mask,
  distance: Float32Array,
  curve: Curve,
  { first, last }: FreePart,
): Float64Array {
  const count = curve.length / 2;
  return Float64Array.from({ length: count }, (_, i) => {
    if (i < first || i > last) return Number.NaN;
    const [x, y] = [curve[2 * i], curve[2 * i + 1]];
    const [before, after] = neighboursOf(curve, i);
    const [tx, ty] = [curve[2 * after] - curve[2 * before], curve[2 * after + 1] - curve[2 * before + 1]];
    const length = Math.hypot(tx, ty);
    const reach = REACH * distance[Math.round(y) * mask.width + Math.round(x)] + REACH_MORE;
    if (length === 0 || !(reach < Number.POSITIVE_INFINITY)) return Number.NaN;
    const [nx, ny] = [-ty / length, tx / length];
    return edge(mask, x, y, nx, ny, reach) + edge(mask, x, y, -nx, -ny, reach);
  });
}

/** Places of the points that the tangent at a point is taken from. */
function neighboursOf(curve: Curve, i: number): readonly [number, number] {
  const count = curve.length / 2;
  if (!isClosedCurve(curve)) return [Math.max(0, i - TANGENT), Math.min(count - 1, i + TANGENT)];
  const around = (place: number) => (place + count - 1) % (count - 1);
  return [around(i - TANGENT), around(i + TANGENT)];
}

/** How far a mask reaches from a point in one direction; NaN where it has not ended before `reach`, or has not begun. */
function edge(mask: Mask, x: number, y: number, dx: number, dy: number, reach: number): number {
  let before = valueAt(mask, x, y);
  if (!(before >= 0.5)) return Number.NaN;
  for (let at = STEP; at <= reach; at += STEP) {
    const value = valueAt(mask, x + at * dx, y + at * dy);
    if (Number.isNaN(value)) return Number.NaN;
    if (value < 0.5) return at - (STEP * (0.5 - value)) / (before - value);
    before = value;
  }
  return Number.NaN;
}

/** The mask between four pixels; NaN beyond the picture. */
function valueAt({ width, height, data }: Mask, x: number, y: number): number {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  if (left < 0 || top < 0 || x > width - 1 || y > height - 1) return Number.NaN;
  const [right, bottom] = [Math.min(left + 1, width - 1), Math.min(top + 1, height - 1)];
  const [fx, fy] = [x - left, y - top];
  const above = (1 - fx) * data[top * width + left] + fx * data[top * width + right];
  const below = (1 - fx) * data[bottom * width + left] + fx * data[bottom * width + right];
  return (1 - fy) * above + fy * below;
}

/** What a set of numbers is like. */
export interface Distribution {
  readonly count: number;
  readonly mean: number;
  /** The standard deviation. */
  readonly deviation: number;
  readonly p5: number;
  readonly p25: number;
  readonly median: number;
  readonly p75: number;
  readonly p95: number;
}

/** The distribution of numbers; undefined of none. Quantiles lie between the two numbers that stand next to them. */
export function distributionOf(values: readonly number[]): Distribution | undefined {
  if (values.length === 0) return undefined;
  const sorted = Float64Array.from(values).sort();
  const count = sorted.length;
  const mean = sorted.reduce((sum, value) => sum + value, 0) / count;
  const variance = sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count;
  const quantile = (share: number): number => {
    const place = share * (count - 1);
    const low = sorted[Math.floor(place)];
    return low + (sorted[Math.ceil(place)] - low) * (place % 1);
  };
  return {
    ...{ count, mean, deviation: Math.sqrt(variance) },
    ...{ p5: quantile(0.05), p25: quantile(0.25), median: quantile(0.5) },
    ...{ p75: quantile(0.75), p95: quantile(0.95) },
  };
}

// A chain of pixels as a smooth line of points one pixel apart, and what follows from such a line: length, chord, curvature.
//
// The steps of a chain are 1 or the root of 2, which makes a straight line up to 8 % too long and every line of pixels a
// zigzag. So points are set at equal distances along the chain and smoothed by a Gaussian whose width is known, which
// leaves little of either (measure.test.ts says how little).

/** Points one after the other: column, row, column, row ... in pixels. */
export type Curve = Float64Array;

/** Standard deviation of the Gaussian, in pixels. */
export const SMOOTHING = 4;
const REACH = 3 * SMOOTHING;

/** Half a Gaussian; its two halves together sum to 1. */
const WEIGHTS = (() => {
  const weights = Float64Array.from({ length: REACH + 1 }, (_, i) =>
    Math.exp(-(i * i) / (2 * SMOOTHING ** 2)),
  );
  const sum = weights.reduce((total, weight) => total + 2 * weight, -weights[0]);
  return weights.map((weight) => weight / sum);
})();

/** Smooths a chain of pixels. A closed one begins and ends with the same pixel, and so does what comes of it. */
export function smoothCurve(path: ArrayLike<number>, width: number): Curve {
  const points = Float64Array.from({ length: 2 * path.length }, (_, i) => {
    const pixel = path[i >> 1];
    return i % 2 === 0 ? pixel % width : Math.floor(pixel / width);
  });
  return evenly(smoothed(evenly(points)));
}

/** Points at equal distances of about one pixel along a line. */
function evenly(points: Curve): Curve {
  const length = lengthOf(points);
  const steps = Math.max(1, Math.round(length));
  const even = new Float64Array(2 * (steps + 1));
  even.set(points.subarray(-2), 2 * steps);
  for (let [i, at, done] = [0, 2, 0]; i < steps; i++) {
    const place = (length * i) / steps;
    let step = Math.hypot(points[at] - points[at - 2], points[at + 1] - points[at - 1]);
    while (done + step < place && at + 2 < points.length) {
      done += step;
      at += 2;
      step = Math.hypot(points[at] - points[at - 2], points[at + 1] - points[at - 1]);
    }
    const share = step === 0 ? 0 : Math.min(1, (place - done) / step);
    for (let c = 0; c < 2; c++)
      even[2 * i + c] = points[at - 2 + c] + share * (points[at + c] - points[at - 2 + c]);
  }
  return even;
}

/** Beyond an end the line goes on as its own reflection in that point, so that ends stay; a closed line goes round. */
function smoothed(points: Curve): Curve {
  const count = points.length / 2;
  const isClosed = isClosedCurve(points);
  const at = (i: number, c: number): number => {
    if (isClosed) return points[2 * (((i % (count - 1)) + count - 1) % (count - 1)) + c];
    const end = i < 0 ? 0 : count - 1;
    if (i >= 0 && i < count) return points[2 * i + c];
    // A line shorter than the Gaussian reaches has nothing to reflect there: its other end serves.
    const mirrored = Math.min(count - 1, Math.max(0, 2 * end - i));
    return 2 * points[2 * end + c] - points[2 * mirrored + c];
  };
  return Float64Array.from(points, (_, place) => {
    const [i, c] = [place >> 1, place % 2];
    let sum = WEIGHTS[0] * at(i, c);
    for (let k = 1; k <= REACH; k++) sum += WEIGHTS[k] * (at(i - k, c) + at(i + k, c));
    return sum;
  });
}

export function isClosedCurve(points: Curve): boolean {
  return points.length > 6 && points[0] === points.at(-2) && points[1] === points.at(-1);
}

/** Length along a line, in pixels. */
export function lengthOf(points: Curve): number {
  let length = 0;
  for (let i = 2; i < points.length; i += 2)
    length += Math.hypot(points[i] - points[i - 2], points[i + 1] - points[i - 1]);
  return length;
}

/** From one end of a line straight to the other, in pixels. */
export function chordOf(points: Curve): number {
  return Math.hypot(points[points.length - 2] - points[0], points[points.length - 1] - points[1]);
}

/** Integrals along a line: of the curvature's size, in radians, and of its square, in radians per pixel. */
export function curvatureOf(points: Curve): { readonly total: number; readonly totalSquared: number } {
  let [total, totalSquared] = [0, 0];
  const turn = (before: number, at: number, after: number): void => {
    const [ux, uy] = [points[at] - points[before], points[at + 1] - points[before + 1]];
    const [vx, vy] = [points[after] - points[at], points[after + 1] - points[at + 1]];
    const angle = Math.abs(Math.atan2(ux * vy - uy * vx, ux * vx + uy * vy));
    const step = (Math.hypot(ux, uy) + Math.hypot(vx, vy)) / 2;
    total += angle;
    if (step > 0) totalSquared += angle ** 2 / step;
  };
  for (let at = 2; at + 2 < points.length; at += 2) turn(at - 2, at, at + 2);
  if (isClosedCurve(points)) turn(points.length - 4, 0, 2);
  return { total, totalSquared };
}

// How far each pixel of a mask is from the background: exact, in two passes (Felzenszwalb and Huttenlocher, Theory of
// Computing 8, 2012). The first finds the distance along each column; the second the lower envelope of the parabolas that
// these distances stand on along each row.

import type { Mask } from "../image.ts";
import { expectMask } from "./expect-mask.ts";

/**
 * The distance from the centre of each pixel to that of the nearest background pixel, in pixels; 0 in the background itself. A
 * mask without background, and beyond the picture, has none: there it is `Infinity`. As `distance_transform_edt` of SciPy.
 *
 * @throws ShapeError where the array does not fill the picture; RangeError where it holds anything but 0 and 1
 * @example
 * console.log(distanceToBackground({ width: 4, height: 1, data: Uint8Array.of(0, 1, 1, 1) }).join(" ")); // 0 1 2 3
 */
export function distanceToBackground(mask: Mask): Float32Array {
  expectMask("distanceToBackground", "mask", mask);
  const { width, height, data } = mask;
  const distance = new Float32Array(width * height);
  alongColumns(data, distance, width);
  const envelope = {
    squares: new Float64Array(width),
    centres: new Int32Array(width),
    starts: new Float64Array(width + 1),
  };
  for (let y = 0; y < height; y++) {
    // Beyond the background at its ends nothing is nearer to a run of marked pixels than these ends are.
    for (let end = 0, start = 0; start < width; start = end + 1) {
      while (start < width && data[y * width + start] === 0) start++;
      for (end = start; end < width && data[y * width + end] === 1; ) end++;
      const left = Math.max(0, start - 1);
      if (start < width)
        alongRun(distance.subarray(y * width + left, y * width + Math.min(width, end + 1)), envelope);
    }
  }
  return distance;
}

/** Row by row for all columns at once, down and up again. */
function alongColumns(data: Mask["data"], distance: Float32Array, width: number): void {
  for (let pixel = 0; pixel < data.length; pixel++) {
    const above = pixel < width ? Number.POSITIVE_INFINITY : distance[pixel - width];
    distance[pixel] = data[pixel] === 0 ? 0 : above + 1;
  }
  for (let pixel = data.length - 1 - width; pixel >= 0; pixel--) {
    distance[pixel] = Math.min(distance[pixel], distance[pixel + width] + 1);
  }
}

interface Envelope {
  /** Of the distances along the columns. */
  readonly squares: Float64Array;
  /** Where the parabolas of the envelope have their lowest points, and from where on each is the lowest. */
  readonly centres: Int32Array;
  readonly starts: Float64Array;
}

/** @param run distances along the columns, which become those to the nearest background */
function alongRun(run: Float32Array, { squares, centres, starts }: Envelope): void {
  let last = -1;
  for (let x = 0; x < run.length; x++) {
    squares[x] = run[x] ** 2;
    // A column without background has no parabola.
    if (squares[x] === Number.POSITIVE_INFINITY) continue;
    let from = Number.NEGATIVE_INFINITY;
    while (last >= 0) {
      const centre = centres[last];
      from = (squares[x] + x * x - (squares[centre] + centre * centre)) / (2 * (x - centre));
      if (from > starts[last]) break;
      last--;
    }
    last++;
    centres[last] = x;
    starts[last] = last === 0 ? Number.NEGATIVE_INFINITY : from;
  }
  if (last < 0) return;
  starts[last + 1] = Number.POSITIVE_INFINITY;
  for (let x = 0, at = 0; x < run.length; x++) {
    while (starts[at + 1] < x) at++;
    run[x] = Math.sqrt((x - centres[at]) ** 2 + squares[centres[at]]);
  }
}

// Pictures in another size. Where a picture shrinks, each new pixel is the mean of the area that it covers, so nothing
// fine turns into something coarse that is not there; where it grows, values are interpolated between the centres of
// pixels (as core's `resize` does, which has a gradient, and skips pixels when it shrinks).

import { ShapeError } from "@saunet/core";
import { expectInteger } from "@saunet/core/kernels";

/** Rows and columns of a picture, and values a pixel. */
export interface Extent {
  readonly width: number;
  readonly height: number;
  /** Values a pixel, side by side; default 1. */
  readonly channels?: number;
}

/** What the positions of a new axis are made of: each of the same count of old ones, from its `first` on. */
interface Taps {
  readonly count: number;
  readonly first: Int32Array;
  /** `[positions, count]` */
  readonly weights: Float64Array;
}

/**
 * Resizes a flat array of pixels.
 *
 * @param values `[height, width, channels]`
 * @param from the size it has
 * @param to the size it is to have
 * @returns `[height, width, channels]` of the new size
 * @throws ShapeError where `values` does not fill `from`; RangeError on an invalid size
 * @example
 * console.log(resizeValues([1, 3, 5, 7], { width: 4, height: 1 }, { width: 2, height: 1 })); // Float32Array(2) [ 2, 6 ]
 */
export function resizeValues(
  values: ArrayLike<number>,
  from: Extent,
  to: { readonly width: number; readonly height: number },
): Float32Array {
  const { width, height, channels = 1 } = from;
  for (const [name, size] of Object.entries({ width, height, channels, ...prefixed(to) })) {
    expectInteger("resizeValues", name, size, 1);
  }
  if (values.length !== width * height * channels) {
    throw new ShapeError(
      `resizeValues: values must be [${height},${width},${channels}] but has ${values.length} numbers`,
    );
  }
  const narrow = resizeRows(values, { width, height, channels }, tapsAlong(width, to.width));
  return resizeColumns(narrow, to.width * channels, tapsAlong(height, to.height));
}

/** Along the rows. What is the same in each of them stands in tables: a quarter of the time of finding it anew. */
function resizeRows(
  values: ArrayLike<number>,
  { width, height, channels }: Required<Extent>,
  { count, first, weights }: Taps,
): Float32Array {
  const numbers = first.length * channels;
  const places = new Int32Array(numbers);
  for (let i = 0; i < numbers; i++) places[i] = first[Math.floor(i / channels)] * channels + (i % channels);
  const shares = new Float64Array(numbers * count);
  for (let i = 0; i < shares.length; i++)
    shares[i] = weights[Math.floor(i / (channels * count)) * count + (i % count)];
  const out = new Float32Array(height * numbers);
  for (let y = 0, o = 0; y < height; y++) {
    const row = y * width * channels;
    if (count === 2) {
      for (let x = 0; x < numbers; x++, o++) {
        const at = row + places[x];
        out[o] = shares[2 * x] * values[at] + shares[2 * x + 1] * values[at + channels];
      }
      continue;
    }
    for (let x = 0, share = 0; x < numbers; x++, o++) {
      let sum = 0;
      for (let i = 0, at = row + places[x]; i < count; i++, at += channels)
        sum += shares[share++] * values[at];
      out[o] = sum;
    }
  }
  return out;
}

/** @param row how many numbers a row has */
function resizeColumns(values: Float32Array, row: number, { count, first, weights }: Taps): Float32Array {
  const out = new Float32Array(first.length * row);
  for (let y = 0; y < first.length; y++) {
    const end = (y + 1) * row;
    if (count === 2) {
      const [near, far] = [weights[2 * y], weights[2 * y + 1]];
      for (let o = y * row, at = first[y] * row; o < end; o++, at++)
        out[o] = near * values[at] + far * values[at + row];
      continue;
    }
    for (let i = 0; i < count; i++) {
      const weight = weights[y * count + i];
      for (let o = y * row, at = (first[y] + i) * row; o < end; o++, at++) out[o] += weight * values[at];
    }
  }
  return out;
}

const prefixed = ({ width, height }: { width: number; height: number }) => ({
  "width to have": width,
  "height to have": height,
});

function tapsAlong(size: number, newSize: number): Taps {
  const step = size / newSize;
  const shrinks = step > 1;
  // An area as long as `step` may begin and end within a pixel.
  const count = Math.min(size, shrinks ? Math.ceil(step) + 1 : 2);
  const first = new Int32Array(newSize);
  const weights = new Float64Array(newSize * count);
  for (let o = 0; o < newSize; o++) {
    const place = shrinks ? o * step : Math.min(Math.max((o + 0.5) * step - 0.5, 0), size - 1);
    first[o] = Math.min(Math.floor(place), size - count);
    for (let i = 0; i < count; i++) {
      const pixel = first[o] + i;
      weights[o * count + i] = shrinks
        ? areaShare(place, step, pixel)
        : i === 0
          ? 1 - (place - pixel)
          : place - first[o];
    }
  }
  return { count, first, weights };
}

/** How much of a stretch of the axis lies in a pixel. */
function areaShare(start: number, length: number, pixel: number): number {
  const overlap = Math.min(start + length, pixel + 1) - Math.max(start, pixel);
  return Math.max(0, overlap) / length;
}

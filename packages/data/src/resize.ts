// Pictures in another size. Where a picture shrinks, each new pixel is the mean of the area that it covers, so nothing
// fine turns into something coarse that is not there; where it grows, values are interpolated between the centres of
// pixels (as core's `resize` does, which has a gradient, and skips pixels when it shrinks).

import { ShapeError } from "@saunet/core";
import { expectInteger } from "@saunet/core/kernels";
import { channelsOf, type Photograph } from "./image.ts";
import { rowReader } from "./row-reader.ts";

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
  const row = width * channels;
  const rowAt = (y: number) =>
    ArrayBuffer.isView(values)
      ? (values as Float32Array).subarray(y * row, (y + 1) * row)
      : Array.prototype.slice.call(values, y * row, (y + 1) * row);
  const out = new Float32Array(to.width * to.height * channels);
  resizeRows(rowAt, { width, height, channels }, to, out, to.width * channels);
  return out;
}

/**
 * A photograph as a network reads it (see {@link floatsOf}), in another size, in the top left corner of a black image.
 *
 * @returns `[height, width, 3]` of the black image
 * @throws ShapeError where the array does not fill the picture; RangeError on an invalid size, or one that the black image
 *   does not hold
 * @example
 * const photograph = { width: 1, height: 1, data: new Uint8Array([255, 0, 255]) };
 * console.log(floatsAtSize(photograph, { width: 1, height: 1 }, { width: 2, height: 1 })); // Float32Array(6) [ 1, 0, 1, 0, 0, 0 ]
 */
export function floatsAtSize(
  photograph: Photograph,
  size: { readonly width: number; readonly height: number },
  canvas: { readonly width: number; readonly height: number } = size,
): Float32Array {
  const { width, height } = photograph;
  const readRow = rowReader(photograph, channelsOf("floatsAtSize", photograph));
  for (const side of ["width", "height"] as const) {
    expectInteger("floatsAtSize", side, size[side], 1);
    expectInteger("floatsAtSize", `${side} of the canvas`, canvas[side], size[side]);
  }
  const out = new Float32Array(canvas.width * canvas.height * RGB);
  const outRow = canvas.width * RGB;
  if (width === size.width && height === size.height) {
    for (let y = 0; y < height; y++) readRow(y, out.subarray(y * outRow, y * outRow + width * RGB));
    return out;
  }
  const row = new Float32Array(width * RGB);
  const rowAt = (y: number) => {
    readRow(y, row);
    return row;
  };
  resizeRows(rowAt, { width, height, channels: RGB }, size, out, outRow);
  return out;
}

const RGB = 3;

/**
 * Resizes row by row: what is between the two axes stays in the first cache. Of a photograph of 999x960 that grows to
 * 1140x1095 whole arrays between took 46 ms instead of 28, and tables of the places of all numbers of a row 32.
 *
 * @param rowAt a row's numbers, which are used before the next is asked for
 * @param out where the first new row begins with the first number, and each next `outRow` numbers further
 */
function resizeRows(
  rowAt: (y: number) => ArrayLike<number>,
  { width, height, channels }: Required<Extent>,
  to: { readonly width: number; readonly height: number },
  out: Float32Array,
  outRow: number,
): void {
  const across = tapsAlong(width, to.width);
  const down = tapsAlong(height, to.height);
  /** The last old rows in their new width, at their number modulo the count. */
  const narrow = Array.from({ length: down.count }, () => new Float32Array(to.width * channels));
  let known = 0;
  for (let y = 0; y < to.height; y++) {
    const first = down.first[y];
    for (known = Math.max(known, first); known < first + down.count; known++)
      resizeRow(narrow[known % down.count], rowAt(known), across, channels);
    const taps = Array.from({ length: down.count }, (_, i) => ({
      row: narrow[(first + i) % down.count],
      weight: down.weights[y * down.count + i],
    }));
    addRows(out, y * outRow, taps);
  }
}

/** A row in its new width. */
function resizeRow(
  out: Float32Array,
  values: ArrayLike<number>,
  { count, first, weights }: Taps,
  channels: number,
): void {
  if (count === 2) {
    for (let x = 0, o = 0; x < first.length; x++) {
      const near = weights[2 * x];
      const far = weights[2 * x + 1];
      for (let at = channels * first[x], end = at + channels; at < end; at++, o++)
        out[o] = near * values[at] + far * values[at + channels];
    }
    return;
  }
  for (let x = 0, o = 0; x < first.length; x++) {
    for (let c = 0; c < channels; c++, o++) {
      let sum = 0;
      for (let i = 0, at = first[x] * channels + c; i < count; i++, at += channels)
        sum += weights[x * count + i] * values[at];
      out[o] = sum;
    }
  }
}

/** A new row of old ones. */
function addRows(
  out: Float32Array,
  start: number,
  taps: readonly { readonly row: Float32Array; readonly weight: number }[],
): void {
  const [{ row: near, weight: a }] = taps;
  if (taps.length === 2) {
    const [, { row: far, weight: b }] = taps;
    for (let i = 0; i < near.length; i++) out[start + i] = a * near[i] + b * far[i];
    return;
  }
  for (const { row, weight } of taps) for (let i = 0; i < row.length; i++) out[start + i] += weight * row[i];
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

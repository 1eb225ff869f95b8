// Pictures in another size. Where a picture shrinks, each new pixel is the mean of the area that it covers, so nothing
// fine turns into something coarse that is not there; where it grows, values are interpolated between the centres of
// pixels (as core's `resize` does, which has a gradient, and skips pixels when it shrinks).

import { ShapeError } from "@saunet/core";
import { expectInteger } from "@saunet/core/kernels";

/** Rows and columns of a picture, and values a pixel. */
export interface Extent {
  readonly width: number;
  readonly height: number;
  /** Values a pixel, side by side; 1 when left out. */
  readonly channels?: number;
}

/** What one new position on an axis is made of: `weights` of the old positions from `first` on. */
interface Taps {
  readonly first: number;
  readonly weights: readonly number[];
}

/**
 * Resizes a flat array of pixels.
 *
 * @param values `[height, width, channels]`
 * @param from the size it has
 * @param to the size it is to have
 * @returns `[height, width, channels]` of the new size
 * @throws ShapeError where `values` does not fill `from`; RangeError on a size that is no count
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
  const columns = tapsAlong(width, to.width);
  const narrow = new Float32Array(height * to.width * channels);
  for (let y = 0, out = 0; y < height; y++)
    for (const { first, weights } of columns)
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        let at = (y * width + first) * channels + c;
        for (let i = 0; i < weights.length; i++, at += channels) sum += weights[i] * values[at];
        narrow[out++] = sum;
      }
  const row = to.width * channels;
  const resized = new Float32Array(to.height * row);
  tapsAlong(height, to.height).forEach(({ first, weights }, y) => {
    const out = resized.subarray(y * row, (y + 1) * row);
    weights.forEach((weight, i) => {
      const line = narrow.subarray((first + i) * row, (first + i + 1) * row);
      for (let x = 0; x < row; x++) out[x] += weight * line[x];
    });
  });
  return resized;
}

const prefixed = ({ width, height }: { width: number; height: number }) => ({
  "width to have": width,
  "height to have": height,
});

function tapsAlong(size: number, newSize: number): Taps[] {
  const step = size / newSize;
  return Array.from({ length: newSize }, (_, o) =>
    step > 1 ? area(size, o * step, step) : between(size, (o + 0.5) * step - 0.5),
  );
}

/** Shares of the pixels that lie between two places. */
function area(size: number, start: number, length: number): Taps {
  const first = Math.floor(start);
  const end = Math.min(size, Math.ceil(start + length));
  const weights = Array.from({ length: end - first }, (_, i) => {
    const overlap = Math.min(start + length, first + i + 1) - Math.max(start, first + i);
    return Math.max(0, overlap) / length;
  });
  return { first, weights };
}

/** Shares of the two pixels around a place; at the edge the last one counts alone. */
function between(size: number, place: number): Taps {
  const at = Math.min(Math.max(place, 0), size - 1);
  const first = Math.min(Math.floor(at), Math.max(0, size - 2));
  const share = at - first;
  return share === 0 || size === 1 ? { first, weights: [1] } : { first, weights: [1 - share, share] };
}

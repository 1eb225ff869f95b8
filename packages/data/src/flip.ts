// Mirroring pictures.

import { ShapeError } from "@saunet/core";
import type { Extent } from "./resize.ts";

/** Which sides are exchanged. */
export interface Flip {
  /** Left and right. */
  readonly horizontal?: boolean;
  /** Top and bottom. */
  readonly vertical?: boolean;
}

/**
 * Mirrors a flat array of pixels into another one.
 *
 * @param values `[height, width, channels]`
 * @param into an array of the same length, none of whose memory is that of `values`
 * @returns `into`
 * @throws ShapeError where one of the arrays does not fill the picture
 * @example
 * console.log(flipValues([1, 2, 3, 4], new Uint8Array(4), { width: 2, height: 2 }, { vertical: true })); // Uint8Array(4) [ 3, 4, 1, 2 ]
 */
export function flipValues<T extends Uint8Array | Uint8ClampedArray | Float32Array>(
  values: ArrayLike<number>,
  into: T,
  { width, height, channels = 1 }: Extent,
  { horizontal = false, vertical = false }: Flip,
): T {
  for (const [name, { length }] of Object.entries({ values, into })) {
    if (length === width * height * channels) continue;
    throw new ShapeError(
      `flipValues: ${name} must be [${height},${width},${channels}] but has ${length} numbers`,
    );
  }
  for (let y = 0, to = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const from = ((vertical ? height - 1 - y : y) * width + (horizontal ? width - 1 - x : x)) * channels;
      for (let c = 0; c < channels; c++) into[to++] = values[from + c];
    }
  return into;
}

// The photograph that the whole book looks at: the synthetic eye of `npm start`, 592 x 592, whose vessels are known exactly.

import { type Photograph, resizeValues, syntheticFundus } from "@saunet/data";
import type { GreyPicture } from "@saunet/data/files";

export const eye = syntheticFundus({ seed: 1 });

/** The square of pixels that the chapters compute with: a thin vessel runs down through it. */
export const PATCH = { row: 396, column: 306, size: 5 };

/** A square of one channel, 0 to 255, row by row; green by default. */
export function patch(row = PATCH.row, column = PATCH.column, size = PATCH.size, channel = 1): number[][] {
  const { data, width } = eye.image;
  return Array.from({ length: size }, (_, y) =>
    Array.from({ length: size }, (_, x) => data[((row + y) * width + column + x) * 3 + channel]),
  );
}

/** Side of the pictures in figures: sharp on a screen of two pixels a unit, and 40 kB at most. */
const SHOWN = 300;

/** A photograph small enough to be put into a page. */
export function smallPhotograph({ width, height, data }: Photograph): Photograph {
  const small = resizeValues(data, { width, height, channels: 3 }, { width: SHOWN, height: SHOWN });
  return { width: SHOWN, height: SHOWN, data: Uint8ClampedArray.from(small) };
}

/** Numbers from 0 to 1 as a grey picture that is small enough for a page. */
export function smallGrey(values: ArrayLike<number>, width: number, height: number): GreyPicture {
  const size = { width: Math.min(SHOWN, width), height: Math.min(SHOWN, height) };
  const small = resizeValues(values, { width, height }, size);
  return { ...size, levels: Uint8ClampedArray.from(small, (value) => 255 * value) };
}

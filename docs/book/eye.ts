// The photograph that the whole book looks at: the synthetic eye of `npm start`, 592 x 592, whose vessels are known exactly.

import { syntheticFundus } from "@saunet/data";

export const eye = syntheticFundus({ seed: 1 });

/** Red, green or blue, from 0 to 255, of one pixel. */
export function colour(row: number, column: number, channel: number): number {
  return eye.image.data[(row * eye.image.width + column) * 3 + channel];
}

/** A square of one channel, row by row. */
export function patch(row: number, column: number, size: number, channel = 1): number[][] {
  return Array.from({ length: size }, (_, y) =>
    Array.from({ length: size }, (_, x) => colour(row + y, column + x, channel)),
  );
}

// The one check of every mask that this folder is given.

import { ShapeError } from "@saunet/core";
import { expectInteger } from "@saunet/core/kernels";
import type { Mask } from "../image.ts";

/**
 * Checks that the array fills the picture and marks pixels with 1.
 *
 * @throws ShapeError where it does not fill it; RangeError where a side is no count, or a pixel is neither 0 nor 1
 */
export function expectMask(op: string, name: string, { width, height, data }: Mask): void {
  expectInteger(op, "width", width, 1);
  expectInteger(op, "height", height, 1);
  if (data.length !== width * height) {
    throw new ShapeError(
      `${op}: ${name} of ${width} x ${height} wants ${width * height} bytes but has ${data.length}`,
    );
  }
  for (let pixel = 0; pixel < data.length; pixel++) {
    if (data[pixel] > 1) throw new RangeError(`${op}: ${name} must hold 0 and 1 but holds ${data[pixel]}`);
  }
}

// Drawing a mask over a photograph.

import { channelsOf, expectSameSize, type Mask, type Photograph } from "./image.ts";

/** How an overlay looks. */
export interface OverlayOptions {
  /** Red, green, blue from 0 to 255; default: a green that no fundus has. */
  readonly colour?: readonly [number, number, number];
  /** How much of the colour covers the photograph, 0 to 1; default 0.6. */
  readonly opacity?: number;
}

/**
 * The photograph with the mask's pixels coloured.
 *
 * @throws ShapeError where the sizes differ
 * @example
 * const photograph = { width: 2, height: 1, data: new Uint8Array([200, 100, 0, 200, 100, 0]) };
 * const mask = { width: 2, height: 1, data: new Uint8Array([0, 1]) };
 * const drawn = overlay(photograph, mask, { colour: [0, 0, 255], opacity: 0.5 });
 * console.log(drawn.data.join(" ")); // 200 100 0 100 50 128
 */
export function overlay(
  photograph: Photograph,
  mask: Mask,
  { colour = [0, 255, 120], opacity = 0.6 }: OverlayOptions = {},
): Photograph {
  expectSameSize("overlay", "mask", mask, "the photograph", photograph);
  const channels = channelsOf("overlay", photograph);
  const data = new Uint8ClampedArray(photograph.data);
  for (let pixel = 0; pixel < mask.data.length; pixel++) {
    if (mask.data[pixel] === 0) continue;
    for (let c = 0, i = pixel * channels; c < 3; c++, i++) data[i] += opacity * (colour[c] - data[i]);
  }
  return { width: photograph.width, height: photograph.height, data };
}

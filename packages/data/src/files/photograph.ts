// From the samples of a file to 8 bits per channel. What cannot be scaled without a guess is refused, with what was found.

import type { Photograph } from "../image.ts";
import { ImageFileError } from "./errors.ts";
import { opacityOf, type Samples } from "./samples.ts";

/**
 * More than 8 bits whose brightest sample is at most this share of white are numbers of 10, 12 or 14 bits in a wider
 * type: a photograph of an eye has a bright disc, or at least a reflection.
 */
const DIM = 1 / 4;

/** See-through pixels that leave less than this share of a picture's brightness empty it. */
const VEILED = 1 / 16;

/**
 * The photograph that samples show: see-through pixels over black, every sample scaled so that white becomes 255.
 *
 * @param path names the picture in errors
 * @returns RGB
 * @throws ImageFileError where nobody can say what is black and white, or where only its transparency empties it
 * @example
 * const data = new Uint16Array([65535, 0]);
 * const grey = { width: 2, height: 1, data, stride: 1, colours: 1, type: "16 bits", white: 65535 } as const;
 * console.log(photographFrom("a.tif", grey).data); // Uint8Array(6) [ 255, 255, 255, 0, 0, 0 ]
 */
export function photographFrom(path: string, samples: Samples): Photograph {
  const { width, height, data, stride, colours, alpha, type, white } = samples;
  const refuse = (reason: string): never => {
    throw new ImageFileError(path, reason);
  };
  if (white === undefined) {
    return refuse(
      `holds ${type}, for which nobody has agreed on black and white; save it with unsigned ones of 8 or 16 bits`,
    );
  }
  const isBytes = data instanceof Uint8Array && white === 255;
  if (isBytes && stride === 3 && alpha === undefined) return { width, height, data };
  const { low, high } = range(samples);
  if (Number.isNaN(high)) return refuse("holds samples that are not finite numbers");
  if (low < 0 || high > white) {
    return refuse(
      `holds ${type} from ${round(low)} to ${round(high)}, but black is 0 and white ${white}; scale them`,
    );
  }
  const fillsItsType = data instanceof Float32Array || white >= 2 ** 16 - 1;
  if (fillsItsType && high > 0 && high <= DIM * white) {
    return refuse(
      `holds ${type} of which the brightest is ${round(high)}, where white is ${white}; scale them to the whole range`,
    );
  }
  const rgb = new Uint8ClampedArray(width * height * 3);
  const opacity = opacityOf(samples);
  const scale = 255 / white;
  let brightest = 0;
  for (let pixel = 0, out = 0; pixel < width * height; pixel++) {
    // Assignment to clamped bytes rounds.
    const factor = scale * opacity(pixel);
    for (let c = 0; c < 3; c++, out++) {
      rgb[out] = data[pixel * stride + (colours === 3 ? c : 0)] * factor;
      if (rgb[out] > brightest) brightest = rgb[out];
    }
  }
  if (brightest < VEILED * scale * high) {
    refuse("is emptied by its transparency alone: its colours lie under an alpha channel of next to nothing");
  }
  return { width, height, data: new Uint8Array(rgb.buffer) };
}

/** The lowest and the highest colour; NaN where one is no finite number. */
export function range({ width, height, data, stride, colours }: Samples): { low: number; high: number } {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let pixel = 0; pixel < width * height; pixel++)
    for (let c = 0; c < colours; c++) {
      const value = data[pixel * stride + c];
      if (!Number.isFinite(value)) return { low: Number.NaN, high: Number.NaN };
      if (value < low) low = value;
      if (value > high) high = value;
    }
  return { low, high };
}

/** At most six digits. */
export const round = (value: number): string => String(Number(value.toPrecision(6)));

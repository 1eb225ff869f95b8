// Numbers as pictures.

import { type Colour, mix, RAMP_COLOURS } from "../pictures/ramp.ts";

/** A signed number against the largest of its kind: blue below zero, red above, pale at it. */
function signedMix(value: number, largest: number): Colour {
  const share = largest === 0 ? 0 : Math.min(Math.abs(value) / largest, 1);
  return mix([[244, 241, 236], value < 0 ? [44, 98, 190] : [196, 52, 40]], share);
}

/** {@link signedMix} as CSS writes it. */
export const signedColour = (value: number, largest: number): string =>
  `rgb(${signedMix(value, largest).join(" ")})`;

/** Whether black reads better than white on {@link signedColour}: one of them always has a contrast above 4.5. */
export function isPale(value: number, largest: number): boolean {
  // The relative luminance of WCAG 2, at which both contrasts are equal. No level is so dark that another formula counts.
  const [red, green, blue] = signedMix(value, largest).map((level) => ((level / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179;
}

/** One number a pixel, made of the channels of an activation. */
export interface Plane {
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
}

/** One channel of `[height, width, channels]`, or the mean of all, averaged over squares until it fits `side`. */
export function planeOf(
  { width, height, channels, activation }: PlaneSource,
  channel: number | "mean",
  side: number,
): Plane {
  const step = Math.max(1, Math.ceil(Math.max(width, height) / side));
  const small = { width: Math.ceil(width / step), height: Math.ceil(height / step) };
  const values = new Float32Array(small.width * small.height);
  const [first, last] = channel === "mean" ? [0, channels - 1] : [channel, channel];
  for (let y = 0; y < small.height; y++)
    for (let x = 0; x < small.width; x++) {
      let sum = 0;
      let count = 0;
      for (let iy = y * step; iy < Math.min((y + 1) * step, height); iy++)
        for (let ix = x * step; ix < Math.min((x + 1) * step, width); ix++)
          for (let c = first; c <= last; c++, count++) sum += activation[(iy * width + ix) * channels + c];
      values[y * small.width + x] = sum / count;
    }
  return { ...small, values };
}

/** What {@link planeOf} reads. */
export interface PlaneSource {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly activation: Float32Array;
}

/** The values between which 98 % of the pixels lie: a single bright pixel must not darken all others. */
export function rangeOf({ values }: Plane): { readonly low: number; readonly high: number } {
  const sorted = Float32Array.from(values).sort();
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))];
  return { low: at(0.01), high: at(0.99) };
}

/** A plane in colour. */
export function imageOf(plane: Plane, { low, high } = rangeOf(plane)): ImageData {
  const image = new ImageData(plane.width, plane.height);
  const factor = high > low ? 255 / (high - low) : 0;
  plane.values.forEach((value, pixel) => {
    const level = Math.min(255, Math.max(0, Math.round((value - low) * factor)));
    const [red, green, blue] = RAMP_COLOURS[level];
    image.data.set([red, green, blue, 255], 4 * pixel);
  });
  return image;
}

/** The photograph where a map is high, darkness where it is low. Map and photograph are equally large. */
export function spotlight(photograph: ImageData, plane: Plane): ImageData {
  const { low, high } = rangeOf(plane);
  const image = new ImageData(photograph.width, photograph.height);
  for (let y = 0; y < image.height; y++)
    for (let x = 0; x < image.width; x++) {
      const pixel = y * image.width + x;
      const from =
        Math.floor((y * plane.height) / image.height) * plane.width +
        Math.floor((x * plane.width) / image.width);
      const share = high > low ? Math.min(1, Math.max(0, (plane.values[from] - low) / (high - low))) : 1;
      for (let c = 0; c < 3; c++)
        image.data[4 * pixel + c] = photograph.data[4 * pixel + c] * (0.12 + 1.1 * share);
      image.data[4 * pixel + 3] = 255;
    }
  return image;
}

/** Squares of a filter in a row, and pixels of a tap; one pixel lies between two squares. */
const SQUARES = 16;
const TAP = 5;

/** A filter `[height, width, inputs]`, one square for each input channel. */
export function filterImage({
  filterHeight,
  filterWidth,
  inputChannels,
  filter,
}: {
  readonly filterHeight: number;
  readonly filterWidth: number;
  readonly inputChannels: number;
  readonly filter: Float32Array;
}): ImageData {
  const [high, wide] = [filterHeight * TAP + 2, filterWidth * TAP + 2];
  const image = new ImageData(SQUARES * wide, Math.ceil(inputChannels / SQUARES) * high);
  const largest = filter.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  filter.forEach((value, i) => {
    const [tap, c] = [Math.floor(i / inputChannels), i % inputChannels];
    const top = Math.floor(c / SQUARES) * high + Math.floor(tap / filterWidth) * TAP;
    const left = (c % SQUARES) * wide + (tap % filterWidth) * TAP;
    const [red, green, blue] = signedMix(value, largest);
    for (let y = top; y < top + TAP; y++)
      for (let x = left; x < left + TAP; x++)
        image.data.set([red, green, blue, 255], 4 * (y * image.width + x));
  });
  return image;
}

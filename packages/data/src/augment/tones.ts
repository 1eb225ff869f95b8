// How a camera may show the same eye: other colours, light, focus and grain. Applied to a crop in place, in the order
// in which they come about in a camera: light, colour of the film, its curve, focus, grain.

import { draw, type RandomState } from "@saunet/core";
import { type AugmentOptions, type Crop, factor, offset } from "./options.ts";

/** Everything drawn about tones. */
export interface Tones {
  /** Row by row: what of red, green and blue makes the new red, green and blue. */
  readonly colours: readonly number[];
  readonly gamma: number;
  readonly contrast: number;
  /** Exponents of the light's slope to the right, downwards, and towards the rim. */
  readonly light: readonly [number, number, number];
  /** Share of a pixel that goes to the two neighbours in each direction; below 0 sharpens. */
  readonly blur: number;
  readonly noise: number;
  readonly seed: number;
}

/** Draws tones; the number of draws does not depend on the options. */
export function drawTones(options: AugmentOptions, state: RandomState): Tones {
  const { gamma, contrast, brightness, colour, mixing, illumination, blur, noise } = options;
  const gain = factor(brightness, state);
  const grey = offset(mixing, state);
  const colours = [0, 1, 2].flatMap((row) => {
    const own = gain * factor(colour, state);
    const mixed = [0, 1, 2].map((column) => (column === row ? 0 : (grey + offset(mixing, state)) / 4));
    const rest = 1 - mixed[0] - mixed[1] - mixed[2];
    return mixed.map((share, column) => own * (column === row ? rest : share));
  });
  const strength = draw(state) ** 2;
  return {
    colours,
    gamma: factor(gamma, state),
    contrast: factor(contrast, state),
    light: [offset(illumination, state), offset(illumination, state), offset(illumination, state)],
    // Twice as much blurring as sharpening.
    blur: (blur ?? 0) * (1.5 * draw(state) - 0.5),
    noise: (noise ?? 0) * strength,
    seed: Math.floor(draw(state) * 2 ** 24),
  };
}

/** Changes the tones of a crop in place. */
export function recolour(crop: Crop, tones: Tones): void {
  mixAndBend(crop, tones);
  if (tones.contrast !== 1) scaleContrast(crop, tones.contrast);
  if (tones.blur !== 0) blurRows(crop, tones.blur);
  if (tones.noise > 0) addNoise(crop, tones);
  const { image } = crop;
  for (let i = 0; i < image.length; i++) image[i] = Math.min(1, Math.max(0, image[i]));
}

/** Entries of a table of powers; between two of them lies less than a level of 8 bits. */
const CURVE = 2048;

function mixAndBend({ width, height, image }: Crop, { colours, gamma, light }: Tones): void {
  const changes = colours.some((share, i) => share !== (i % 4 === 0 ? 1 : 0));
  const lit = light.some((slope) => slope !== 0);
  if (!changes && !lit && gamma === 1) return;
  // Brighter than 1 is cut off later; until 2 the curve goes on.
  const curve = Float32Array.from({ length: 2 * CURVE + 1 }, (_, i) => (i / CURVE) ** gamma);
  const bend = (value: number): number => curve[(Math.min(2 * CURVE, Math.max(0, value * CURVE)) + 0.5) | 0];
  // The light is a product of one factor a column and one a row.
  const along = (size: number, slope: number) =>
    Float64Array.from({ length: size }, (_, i) => {
      const u = (2 * i) / size - 1;
      return lit ? Math.exp(slope * u + light[2] * (u * u - 0.35)) : 1;
    });
  const [columns, rows] = [along(width, light[0]), along(height, light[1])];
  const [rr, rg, rb, gr, gg, gb, br, bg, bb] = colours;
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++, i += 3) {
      const gain = rows[y] * columns[x];
      const [r, g, b] = [gain * image[i], gain * image[i + 1], gain * image[i + 2]];
      image[i] = rr * r + rg * g + rb * b;
      image[i + 1] = gr * r + gg * g + gb * b;
      image[i + 2] = br * r + bg * g + bb * b;
    }
  if (gamma !== 1) for (let i = 0; i < image.length; i++) image[i] = bend(image[i]);
}

/** Scales distances from the mean within the field of view; the surround stays as dark as it is. */
function scaleContrast({ image, fieldOfView }: Crop, contrast: number): void {
  let [red, green, blue, count] = [0, 0, 0, 0];
  for (let pixel = 0, i = 0; pixel < fieldOfView.length; pixel++, i += 3) {
    const seen = fieldOfView[pixel];
    red += image[i] * seen;
    green += image[i + 1] * seen;
    blue += image[i + 2] * seen;
    count += seen;
  }
  if (count === 0) return;
  const shift = (1 - contrast) / count;
  for (let pixel = 0, i = 0; pixel < fieldOfView.length; pixel++, i += 3) {
    const seen = fieldOfView[pixel];
    const gain = 1 + seen * (contrast - 1);
    image[i] = gain * image[i] + seen * shift * red;
    image[i + 1] = gain * image[i + 1] + seen * shift * green;
    image[i + 2] = gain * image[i + 2] + seen * shift * blue;
  }
}

/** `(1 - share) · pixel + share / 2 · (one neighbour + the other)`, along rows and then along columns. */
function blurRows({ width, height, image }: Crop, share: number): void {
  const row = 3 * width;
  const [own, beside] = [1 - share, share / 2];
  // A row with its first and last pixel once more beyond its ends.
  const line = new Float32Array(row + 6);
  for (let start = 0; start < image.length; start += row) {
    line.set(image.subarray(start, start + row), 3);
    line.copyWithin(0, 3, 6);
    line.copyWithin(row + 3, row, row + 3);
    for (let i = 0; i < row; i++) image[start + i] = own * line[i + 3] + beside * (line[i] + line[i + 6]);
  }
  // Row by row here too: a walk down the columns misses the cache at every step.
  let above = image.slice(0, row);
  for (let y = 0; y < height; y++) {
    const here = image.slice(y * row, (y + 1) * row);
    const below = y + 1 < height ? image.subarray((y + 1) * row, (y + 2) * row) : here;
    for (let i = 0; i < row; i++) image[y * row + i] = own * here[i] + beside * (above[i] + below[i]);
    above = here;
  }
}

/**
 * Adds the sum of three even draws of 10 bits to every value: nearly normal, and from one step of a 32-bit xorshift
 * (Marsaglia 2003), since grain needs speed more than it needs a good generator.
 */
function addNoise({ image, fieldOfView }: Crop, { noise, seed }: Tones): void {
  const scale = (2 * noise) / 1023;
  let word = (seed * 2 + 1) | 0;
  for (let i = 0; i < image.length; i++) {
    word ^= word << 13;
    word ^= word >>> 17;
    word ^= word << 5;
    const sum = (word & 1023) + ((word >>> 10) & 1023) + ((word >>> 20) & 1023);
    image[i] += scale * (sum - 1534.5) * fieldOfView[(i / 3) | 0];
  }
}

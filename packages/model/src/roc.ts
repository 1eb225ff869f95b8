// The area under the ROC curve, exact for any number of pixels.
//
// It is the chance that a vessel pixel gets a higher probability than a background pixel, ties counting half (the
// Mann-Whitney statistic), so all that it needs is how many pixels of either kind have each probability. A pixel becomes
// one integer of 32 bits: the bits of its probability, which are in numerical order for floats that are not negative
// and fit 30 bits up to 1.0; then its truth; then whether it lies in the field of view, so that one sort serves both
// regions. A radix sort of two passes orders 8 million of them in a quarter of a second.
//
// Many pictures together are never sorted as one. Those whose integers share their upper half form a bucket, and within a
// bucket the lower half is a place in a table of 65,536 counts. The keys may lie anywhere, on a disk too.

import type { ByRegion, Prediction } from "./metrics.ts";

/** The pixels of a picture, ordered by probability. */
export interface RankedPixels {
  /** Those of bucket `b` are from `starts[b]` to `starts[b + 1]`; 65,537 numbers. */
  readonly starts: Uint32Array;
  /** The keys from one place to another. */
  read(from: number, to: number): Uint32Array;
}

/** Half of a key. */
const HALF = 16;
const BUCKETS = 1 << HALF;
const LOWER = BUCKETS - 1;
const IS_VESSEL = 2;
const IS_INSIDE = 1;
/** A bit for the truth and one for the field of view. */
const FLAGS = 2;

/**
 * Orders the pixels of a picture.
 *
 * @throws RangeError where a probability does not lie between 0 and 1
 * @example
 * const ranked = rankPixels({ probability: Float32Array.of(0.9, 0.2), truth: Uint8Array.of(1, 0) });
 * console.log(rankedRocAuc(ranked).full); // 1
 */
export function rankPixels({ probability, truth, fieldOfView }: Prediction): RankedPixels {
  const bits = new Uint32Array(probability.buffer, probability.byteOffset, probability.length);
  const keys = new Uint32Array(probability.length);
  for (let i = 0; i < keys.length; i++) {
    const p = probability[i];
    if (!(p >= 0 && p <= 1)) {
      throw new RangeError(`rankPixels: probability must lie between 0 and 1 but is ${p} at pixel ${i}`);
    }
    const isVessel = truth[i] === 0 ? 0 : IS_VESSEL;
    const isInside = fieldOfView !== undefined && fieldOfView[i] === 0 ? 0 : IS_INSIDE;
    // The bits of -0 are not those of 0.
    keys[i] = ((p === 0 ? 0 : bits[i]) << FLAGS) | isVessel | isInside;
  }
  const spare = new Uint32Array(keys.length);
  sortByHalf(keys, spare, 0);
  const starts = sortByHalf(spare, keys, HALF);
  return { starts, read: (from, to) => keys.subarray(from, to) };
}

/** One pass of a radix sort; returns where the keys of each value begin. */
function sortByHalf(from: Uint32Array, to: Uint32Array, shift: number): Uint32Array {
  const starts = new Uint32Array(BUCKETS + 1);
  for (let i = 0; i < from.length; i++) starts[((from[i] >>> shift) & LOWER) + 1]++;
  for (let bucket = 0; bucket < BUCKETS; bucket++) starts[bucket + 1] += starts[bucket];
  const next = starts.slice();
  for (let i = 0; i < from.length; i++) to[next[(from[i] >>> shift) & LOWER]++] = from[i];
  return starts;
}

/**
 * The area of one picture, over the full frame and inside the field of view; `NaN` where a region has pixels of one kind
 * only.
 *
 * @example
 * const ranked = rankPixels({ probability: Float32Array.of(0.3, 0.8), truth: Uint8Array.of(1, 0) });
 * console.log(rankedRocAuc(ranked).full); // 0
 */
export function rankedRocAuc({ starts, read }: RankedPixels): ByRegion<number> {
  const keys = read(0, starts[BUCKETS]);
  const area = areaByRegion();
  const counts = new Uint32Array(1 << FLAGS);
  let score = -1;
  const addTies = () => area.add(counts[0], counts[1], counts[2], counts[3]);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i];
    if (key >>> FLAGS !== score) {
      addTies();
      counts.fill(0);
      score = key >>> FLAGS;
    }
    counts[key & (IS_VESSEL | IS_INSIDE)]++;
  }
  addTies();
  return area.result();
}

/** So many keys are read at a time: 16 MB. */
const KEYS_AT_A_TIME = 1 << 22;

/**
 * The area over all pixels of all pictures, in the memory of 4 million keys.
 *
 * @example
 * const ranked = [0.3, 0.6].map((p) => rankPixels({ probability: new Float32Array([p, 0.5]), truth: [0, 1] }));
 * console.log(pooledRocAuc(ranked).full); // 0.5
 */
export function pooledRocAuc(pictures: readonly RankedPixels[]): ByRegion<number> {
  const area = areaByRegion();
  const table = new Uint32Array(BUCKETS);
  const inBuckets = (first: number, end: number) =>
    pictures.reduce((sum, { starts }) => sum + starts[end] - starts[first], 0);
  for (let first = 0, end = 1; first < BUCKETS; first = end, end = first + 1) {
    while (end < BUCKETS && inBuckets(first, end + 1) <= KEYS_AT_A_TIME) end++;
    const slices = pictures.map(({ starts, read }) => read(starts[first], starts[end]));
    for (let bucket = first; bucket < end; bucket++) {
      if (inBuckets(bucket, bucket + 1) === 0) continue;
      table.fill(0);
      pictures.forEach(({ starts }, i) => {
        const offset = starts[first];
        for (let at = starts[bucket] - offset; at < starts[bucket + 1] - offset; at++)
          table[slices[i][at] & LOWER]++;
      });
      for (let at = 0; at < BUCKETS; at += 4)
        area.add(table[at], table[at + 1], table[at + 2], table[at + 3]);
    }
  }
  return area.result();
}

/** Adds up both areas, from low probabilities to high ones. */
function areaByRegion() {
  const full = areaUnderRoc();
  const fov = areaUnderRoc();
  return {
    /** Pixels of one probability: background outside and inside the field of view, then vessel. */
    add(background: number, backgroundInside: number, vessel: number, vesselInside: number): void {
      if (background + backgroundInside + vessel + vesselInside === 0) return;
      full.add(background + backgroundInside, vessel + vesselInside);
      fov.add(backgroundInside, vesselInside);
    },
    result: (): ByRegion<number> => ({ full: full.result(), fov: fov.result() }),
  };
}

/** Beyond this a sum of integers in a double might round. */
const EXACT = 2 ** 52;

function areaUnderRoc() {
  let negatives = 0;
  let positives = 0;
  // Twice the number of (positive, negative) pairs in the right order: ties count 1. For hundreds of millions of pixels
  // it passes 2^53, so what a double holds exactly is put by in time.
  let twiceOrdered = 0;
  let putBy = 0n;
  return {
    add(tiedNegatives: number, tiedPositives: number): void {
      const pairs = tiedPositives * (2 * negatives + tiedNegatives);
      if (twiceOrdered + pairs > EXACT) {
        putBy += BigInt(twiceOrdered) + BigInt(pairs);
        twiceOrdered = 0;
      } else twiceOrdered += pairs;
      negatives += tiedNegatives;
      positives += tiedPositives;
    },
    result: (): number => Number(putBy + BigInt(twiceOrdered)) / (2 * positives * negatives),
  };
}

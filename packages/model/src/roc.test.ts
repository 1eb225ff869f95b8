import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { evaluate, type Prediction } from "./metrics.ts";
import { pooledRocAuc, rankedRocAuc, rankPixels } from "./roc.ts";

/** The share of rightly ordered pairs, ties half, counted pair by pair. */
function byPairs(pixels: readonly { p: number; t: number }[]): number {
  const vessels = pixels.filter(({ t }) => t === 1);
  const background = pixels.filter(({ t }) => t === 0);
  let ordered = 0;
  for (const vessel of vessels)
    for (const other of background) {
      if (vessel.p > other.p) ordered++;
      if (vessel.p === other.p) ordered += 0.5;
    }
  return ordered / (vessels.length * background.length);
}

/** Values that tie, values of one bucket and values far apart. */
const pixel = fc.record({
  p: fc.oneof(
    fc.constantFrom(0, -0, 1e-40, 0.5, 0.50000006, 0.5000001, 1),
    fc.double({ min: 0, max: 1, noNaN: true }).map(Math.fround),
  ),
  t: fc.nat(1),
  f: fc.nat(1),
});
const pictures = fc.array(fc.array(pixel, { minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 5 });

const predictionOf = (pixels: readonly { p: number; t: number; f: number }[]): Prediction => ({
  probability: new Float32Array(pixels.map(({ p }) => p)),
  truth: pixels.map(({ t }) => t),
  fieldOfView: pixels.map(({ f }) => f),
});

/** NaN equals NaN, and the last digit is left to the division. */
function expectArea(area: number, wanted: number): void {
  if (Number.isNaN(wanted)) expect(area).toBeNaN();
  else expect(Math.abs(area - wanted)).toBeLessThan(1e-14);
}

describe("the area under the ROC curve", () => {
  it("is that of the pairs, for one picture and for all pixels of several, in both regions", () => {
    fc.assert(
      fc.property(pictures, (all) => {
        const ranked = all.map((pixels) => rankPixels(predictionOf(pixels)));
        const inside = all.map((pixels) => pixels.filter(({ f }) => f === 1));
        for (const [i, pixels] of all.entries()) {
          expectArea(rankedRocAuc(ranked[i]).full, byPairs(pixels));
          expectArea(rankedRocAuc(ranked[i]).fov, byPairs(inside[i]));
        }
        expectArea(pooledRocAuc(ranked).full, byPairs(all.flat()));
        expectArea(pooledRocAuc(ranked).fov, byPairs(inside.flat()));
      }),
    );
  });

  it("of a picture without a field of view is one for both regions", () => {
    const ranked = rankPixels({ probability: new Float32Array([0.1, 0.4, 0.4, 0.8]), truth: [0, 1, 0, 1] });
    expect(rankedRocAuc(ranked)).toEqual({ full: 0.875, fov: 0.875 });
  });

  it("reads no more than 4 million keys of different buckets at a time, and one bucket whole", () => {
    const [side, spread] = [1 << 21, (i: number) => (i % 1000) / 1000];
    const probability = Float32Array.from({ length: side }, (_, i) => spread(i));
    const truth = Uint8Array.from({ length: side }, (_, i) => (spread(i) > 0.3 && i % 3 === 0 ? 1 : 0));
    const ranked = rankPixels({ probability, truth });
    const reads: number[] = [];
    const watched = {
      starts: ranked.starts,
      read(from: number, to: number) {
        reads.push(to - from);
        return ranked.read(from, to);
      },
    };
    const area = pooledRocAuc([watched, watched, watched, watched, watched]);
    expect(area.full).toBe(rankedRocAuc(ranked).full);
    expect(Math.max(...reads)).toBeLessThanOrEqual((1 << 22) / 5);
    // Nor fewer than it might: any two in a row would be too many.
    const rounds = reads.filter((_, i) => i % 5 === 0);
    for (let i = 1; i < rounds.length; i++) expect(5 * (rounds[i - 1] + rounds[i])).toBeGreaterThan(1 << 22);
    expect(reads.reduce((sum, count) => sum + count, 0)).toBe(5 * side);
  });

  it("stays exact where twice the ordered pairs pass 2^54, and a double rounds to fours", () => {
    // One picture read fifty times over: a hundred million of either kind.
    const half = 2_000_000;
    const large = rankPixels({
      probability: Float32Array.from({ length: 2 * half }, (_, i) => (i < half ? 0.125 : 0.25)),
      truth: Uint8Array.from({ length: 2 * half }, (_, i) => (i < half ? 0 : 1)),
    });
    // Above it a vessel pixel at each of many probabilities, tied with one background pixel or three in turn: each adds one more
    // than a multiple of four, which a double would lose.
    const steps = 50_000;
    const at = (step: number) => Math.fround(0.5 + step / 2 ** 18);
    const [p, t]: [number[], number[]] = [[], []];
    for (let step = 0; step < steps; step++)
      for (let i = 0; i < (step % 2 === 0 ? 2 : 4); i++) {
        p.push(at(step));
        t.push(i === 0 ? 1 : 0);
      }
    const small = rankPixels({ probability: Float32Array.from(p), truth: t });
    let [negatives, positives] = [BigInt(50 * half), BigInt(50 * half)];
    let twice = 2n * negatives * positives;
    expect(twice).toBeGreaterThan(2n ** 54n);
    for (let step = 0; step < steps; step++) {
      const tied = step % 2 === 0 ? 1n : 3n;
      if ((2n * negatives + tied) % 4n !== 1n)
        throw new Error(`step ${step} adds no more than a multiple of four`);
      twice += 2n * negatives + tied;
      negatives += tied;
      positives++;
    }
    const wanted = Number(twice) / Number(2n * negatives * positives);
    const area = pooledRocAuc([...Array.from({ length: 50 }, () => large), small]).full;
    expect(Math.abs(area - wanted)).toBeLessThan(1e-15);
  });

  it("is what evaluate gives for the field of view", () => {
    const prediction = predictionOf([
      { p: 0.2, t: 0, f: 1 },
      { p: 0.6, t: 1, f: 1 },
      { p: 0.9, t: 0, f: 0 },
    ]);
    expect(evaluate(prediction).auc).toBe(1);
    expect(rankedRocAuc(rankPixels(prediction))).toEqual({ full: 0.5, fov: 1 });
  });
});

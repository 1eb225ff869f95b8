import { draw, randomState } from "@saunet/core";
import { describe, expect, it } from "vitest";
import { bootstrapIntervals, bootstrapMean, type ImageSummary, levelsOf } from "./bootstrap.ts";
import { confusion, evaluate, type Metrics, type Prediction, rocAuc } from "./metrics.ts";

/** A picture whose vessels stand out by `contrast`, in the log of the odds. */
function picture(seed: number, contrast: number, size = 4000): Prediction {
  const random = randomState(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - draw(random))) * Math.cos(2 * Math.PI * draw(random));
  const truth = Uint8Array.from({ length: size }, () => (draw(random) < 0.1 ? 1 : 0));
  const probability = Float32Array.from(truth, (t) => 1 / (1 + Math.exp(2 - contrast * t - normal())));
  return { probability, truth };
}

const summary = (prediction: Prediction): ImageSummary => ({
  metrics: evaluate(prediction),
  counts: confusion(prediction),
  levels: levelsOf(prediction).full,
});

const withF1 = (f1: number): ImageSummary => {
  const image = summary(picture(1, 3));
  return { ...image, metrics: { ...image.metrics, f1 } };
};

describe("levelsOf", () => {
  it("counts every pixel once, those of the field of view apart", () => {
    const { full, fov } = levelsOf({
      probability: new Float32Array([0, 1, 0.5, 0.5]),
      truth: [0, 1, 0, 1],
      fieldOfView: [1, 1, 1, 0],
    });
    expect([full[0], full[full.length - 1], full[1024], full[1025]]).toEqual([1, 1, 1, 1]);
    expect([fov[0], fov[fov.length - 1], fov[1024], fov[1025]]).toEqual([1, 1, 1, 0]);
  });
});

describe("bootstrapIntervals", () => {
  it("holds the average, and is that of the mean of a known sample", () => {
    // The mean of 100 draws of values with deviation s has deviation s / 10.
    const values = Array.from({ length: 100 }, (_, i) => 0.5 + 0.3 * Math.sin(i));
    const mean = values.reduce((sum, value) => sum + value, 0) / 100;
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 100) / 10;
    const [low, high] = bootstrapIntervals(values.map(withF1), { resamples: 4000 })!.macro.f1;
    expect(Math.abs(low - (mean - 1.96 * deviation))).toBeLessThan(0.15 * deviation);
    expect(Math.abs(high - (mean + 1.96 * deviation))).toBeLessThan(0.15 * deviation);
  });

  it("is repeated by its seed and grows with its level", () => {
    const images = [0.2, 0.4, 0.9, 0.7, 0.8].map(withF1);
    const width = (options: object) => {
      const [low, high] = bootstrapIntervals(images, options)!.macro.f1;
      return high - low;
    };
    expect(bootstrapIntervals(images)).toEqual(bootstrapIntervals(images, { seed: 1, resamples: 1000 }));
    expect(bootstrapIntervals(images, { seed: 2 })).not.toEqual(bootstrapIntervals(images));
    expect(width({ level: 0.5 })).toBeLessThan(width({ level: 0.99 }));
  });

  it("takes the AUC of pooled pixels far more closely than an interval is wide", () => {
    // Both images are one, so that every draw has the same AUC.
    const prediction = picture(5, 2, 200_000);
    const [low, high] = bootstrapIntervals([summary(prediction), summary(prediction)])!.micro.auc;
    expect(low).toBe(high);
    expect(Math.abs(low - rocAuc(prediction))).toBeLessThan(5e-5);
  });

  it("leaves out figures that an image does not have, and has none of its own for masks and single images", () => {
    const images = [withF1(0.5), withF1(0.5), withF1(Number.NaN)];
    expect(bootstrapIntervals(images)!.macro.f1).toEqual([0.5, 0.5]);
    const mask = (image: ImageSummary): ImageSummary => ({
      counts: image.counts,
      metrics: { ...image.metrics, auc: Number.NaN } satisfies Metrics,
    });
    const { macro, micro } = bootstrapIntervals(images.map(mask))!;
    expect([macro.auc, micro.auc]).toEqual([
      [Number.NaN, Number.NaN],
      [Number.NaN, Number.NaN],
    ]);
    expect(bootstrapIntervals([images[0]])).toBeUndefined();
    // Of a mask and a map of probabilities, the pixels of the map count: only two masks have no curve, a draw of four.
    const mixed = [images[0], mask(images[0])];
    const drawn = Array.from({ length: 40 }, (_, seed) => bootstrapIntervals(mixed, { resamples: 1, seed })!);
    const known = drawn.filter(({ micro }) => !Number.isNaN(micro.auc[0]));
    expect(known.length).toBeGreaterThan(20);
    const both = bootstrapIntervals([images[0], images[0]])!.micro.auc;
    for (const { micro } of known) expect(micro.auc).toEqual(both);
  });
});

describe("bootstrapMean", () => {
  it("holds the mean of a known sample, leaves out what is not defined, and has none of a single value", () => {
    const values = Array.from({ length: 100 }, (_, i) => 0.3 * Math.sin(i));
    const mean = values.reduce((sum, value) => sum + value, 0) / 100;
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 100) / 10;
    const [low, high] = bootstrapMean(values, { resamples: 4000 })!;
    expect(Math.abs(low - (mean - 1.96 * deviation))).toBeLessThan(0.15 * deviation);
    expect(Math.abs(high - (mean + 1.96 * deviation))).toBeLessThan(0.15 * deviation);
    expect(bootstrapMean([...values, Number.NaN], { resamples: 4000 })).toEqual([low, high]);
    expect([bootstrapMean([]), bootstrapMean([0.5, Number.NaN])]).toEqual([undefined, undefined]);
    // Every draw of equal values has their mean.
    expect(bootstrapMean([2, 2, 2])).toEqual([2, 2]);
  });
});

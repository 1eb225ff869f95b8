// Comparisons over pictures of a few pixels whose figures are counted here in the plainest way.

import type { Mask, Photograph } from "@saunet/data";
import type { Sample } from "@saunet/data/files";
import type { Segmentation } from "@saunet/model";
import { expect, it, onTestFinished } from "vitest";
import { fitThresholdOn, startEvaluation } from "./evaluation.ts";

const size = { width: 6, height: 4 };
const PIXELS = size.width * size.height;
const maskFrom = (isSet: (i: number) => boolean): Mask => ({
  ...size,
  data: Uint8Array.from({ length: PIXELS }, (_, i) => (isSet(i) ? 1 : 0)),
});
/** The outermost columns are none of the eye. */
const fieldOfView = maskFrom((i) => i % 6 > 0 && i % 6 < 5);
const photograph: Photograph = { ...size, data: new Uint8Array(3 * PIXELS) };
/** Equal ones among them, and in the second picture higher ones throughout. */
const probabilities = [1, 2].map((picture) =>
  Float32Array.from({ length: PIXELS }, (_, i) => (((i * 7 * picture) % 11) + picture) / 16),
);
const drawn: readonly Readonly<Record<string, Mask>>[] = [
  { "1st": maskFrom((i) => i % 3 === 1), "2nd": maskFrom((i) => i % 4 === 1) },
  { "1st": maskFrom((i) => i % 5 < 2), "2nd": maskFrom((i) => i % 7 < 3) },
];
const samples = drawn.map((masks, at): Sample => {
  const observers = Object.keys(masks);
  return {
    ...{ id: `${at}`, observers, files: { id: `${at}`, image: `${at}.png`, vessels: {} } },
    size: async () => size,
    image: async () => photograph,
    vessels: async (observer = "1st") => masks[observer],
    fieldOfView: async () => fieldOfView,
  };
});

/** The share of pairs of a vessel and another pixel whose order is right; equal ones count half. */
function areaOf(pixels: readonly { p: number; isVessel: boolean }[]): number {
  const [vessels, others] = [true, false].map((kind) => pixels.filter(({ isVessel }) => isVessel === kind));
  let right = 0;
  for (const vessel of vessels)
    for (const other of others) right += vessel.p > other.p ? 1 : vessel.p === other.p ? 0.5 : 0;
  return right / (vessels.length * others.length);
}

const f1Of = (pixels: readonly { p: number; isVessel: boolean }[], threshold: number) => {
  const count = (of: (pixel: (typeof pixels)[number]) => boolean) => pixels.filter(of).length;
  const both = count(({ p, isVessel }) => p >= threshold && isVessel);
  return (2 * both) / (count(({ p }) => p >= threshold) + count(({ isVessel }) => isVessel));
};
const mean = ([a, b]: readonly number[]) => (a + b) / 2;

it("the network is held against each observer at each threshold, and people against the first", async () => {
  let at = 0;
  const segment = async (): Promise<Segmentation> => {
    const probability = probabilities[at++];
    return { ...size, scale: 1, probability, mask: maskFrom((i) => probability[i] >= 0.5) };
  };
  const evaluator = startEvaluation(segment, [0.5, 0.25]);
  onTestFinished(() => evaluator.close());
  for (const sample of samples) await evaluator.add(sample);
  const { comparisons } = evaluator.finish();
  expect(comparisons.map(({ prediction, truth, threshold }) => [prediction, truth, threshold])).toEqual([
    ["network", "1st", 0.5],
    ["network", "1st", 0.25],
    ["network", "2nd", 0.5],
    ["network", "2nd", 0.25],
    ["2nd", "1st", null],
  ]);
  for (const { prediction, truth, threshold, images, macro, micro } of comparisons)
    for (const region of ["full", "fov"] as const) {
      const pixels = drawn.map((masks, picture) =>
        Array.from({ length: PIXELS }, (_, i) => ({
          i,
          p: threshold === null ? masks[prediction].data[i] : probabilities[picture][i],
          isVessel: masks[truth].data[i] === 1,
        })).filter(({ i }) => region === "full" || fieldOfView.data[i] === 1),
      );
      const f1 = pixels.map((some) => f1Of(some, threshold ?? 1));
      expect(images.map((image) => image[region].f1)).toEqual(f1);
      expect(macro[region].f1).toBeCloseTo(mean(f1), 12);
      expect(micro[region].f1).toBeCloseTo(f1Of(pixels.flat(), threshold ?? 1), 12);
      const areas = [...images.map((image) => image[region].auc), micro[region].auc];
      const wanted = [...pixels, pixels.flat()].map(areaOf);
      areas.forEach((area, n) => {
        // A mask has no order.
        if (threshold === null) expect(area).toBeNaN();
        else expect(area).toBeCloseTo(wanted[n], 12);
      });
    }
});

it("a threshold is fitted to all pictures at once", async () => {
  /** Vessels of the reference have the one probability, all else the other. */
  const levels = [
    [0.75, 0.25],
    [0.5, 0.125],
  ];
  const looked: string[] = [];
  const segment = async (): Promise<Segmentation> => {
    const picture = looked.length - 1;
    const [high, low] = levels[picture];
    const { data } = drawn[picture]["1st"];
    const probability = Float32Array.from(data, (isVessel) => (isVessel ? high : low));
    return { ...size, scale: 1, probability, mask: maskFrom(() => false) };
  };
  const fitted = await fitThresholdOn(samples, segment, ({ id }) => looked.push(id));
  expect([looked, fitted?.f1]).toEqual([["0", "1"], 1]);
  expect(fitted?.threshold).toBeGreaterThan(0.25);
  expect(fitted?.threshold).toBeLessThanOrEqual(0.5);
  expect(await fitThresholdOn([], segment, () => {})).toBeUndefined();
});

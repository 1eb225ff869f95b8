import { randomState } from "@saunet/core";
import { labelledImage, SYNTHETIC_CLASSES, syntheticFundus } from "@saunet/data";
import { describe, expect, it } from "vitest";
import { batchStream } from "./batch-stream.ts";
import {
  type BatchPlan,
  batchMaker,
  classMapOf,
  sourceOf,
  stateOfStep,
  syntheticPictures,
  syntheticSeed,
} from "./batches.ts";
import { smallFundus } from "./testing.ts";

const fundus = (seed: number) => {
  const { image, vessels, fieldOfView } = smallFundus(seed);
  return [image, vessels, fieldOfView] as const;
};
const plans: Record<BatchPlan["kind"], BatchPlan> = {
  crops: {
    kind: "crops",
    seed: 3,
    sets: [[1, 2, 3].map((seed) => sourceOf(...fundus(seed))), [sourceOf(...fundus(4))]],
  },
  synthetic: { kind: "synthetic", seed: 3, size: 48 },
  whole: {
    kind: "whole",
    seed: 3,
    side: 56,
    pictures: [1, 2, 3, 4, 5].map((seed) => labelledImage(...fundus(seed))),
  },
};
const request = (step: number) => ({ step, batch: 2, side: 16 });

describe.each(Object.entries(plans))("batches of a plan of kind %s", (kind, plan) => {
  it("depend on the seed and the step alone, in whatever order they are made", () => {
    const [forwards, backwards] = [batchMaker(plan), batchMaker(plan)];
    const made = [0, 1, 2, 3].map((step) => forwards(request(step)));
    for (const step of [3, 1, 2, 0]) expect(backwards(request(step))).toEqual(made[step]);
    expect(batchMaker({ ...plan, seed: 4 })(request(0)).x).not.toEqual(made[0].x);
    expect(made[1].x).not.toEqual(made[0].x);
  });

  it("hold photographs and shares of vessel from 0 to 1", () => {
    const make = batchMaker(plan);
    let vessel = 0;
    for (let step = 0; step < 6; step++) {
      const { x, target, count, side } = make(request(step));
      expect([x.length, target.length]).toEqual([count * side * side * 3, count * side * side]);
      expect([...x, ...target].filter((value) => !(value >= 0 && value <= 1))).toEqual([]);
      vessel += target.reduce((sum, share) => sum + share, 0);
    }
    expect(vessel).toBeGreaterThan(100);
  });

  if (kind !== "whole")
    it("vary in scale by the factors that are asked for", () => {
      /** The mean length of runs of pixels with the same label: it grows with the scale. */
      const run = (scale: readonly [number, number]) => {
        const make = batchMaker(plan);
        let [changes, pixels] = [0, 0];
        for (let step = 0; step < 12; step++) {
          const { target } = make({ step, batch: 2, side: 32, scale });
          for (let i = 1; i < target.length; i++) if (target[i] > 0.5 !== target[i - 1] > 0.5) changes++;
          pixels += target.length;
        }
        return pixels / changes;
      };
      expect(run([2, 2])).toBeGreaterThan(1.25 * run([1, 1]));
      expect(run([1, 1])).toBeGreaterThan(1.15 * run([0.6, 0.6]));
    });

  it("come as tensors, one after the other", async () => {
    const make = batchMaker(plan);
    const stream = batchStream(plan, request);
    for (let step = 5; step < 8; step++) {
      const { x, target } = await stream.next(step);
      const flat = make(request(step));
      expect(x.shape).toEqual([flat.count, flat.side, flat.side, 3]);
      expect(target.shape).toEqual([flat.count, flat.side, flat.side, 1]);
      expect([x.data, target.data]).toEqual([flat.x, flat.target]);
    }
    await stream.stop();
    expect(kind).toBe(plan.kind);
  });
});

it("whole pictures come once an epoch each, as they are, in an order of the epoch's own", () => {
  const make = batchMaker(plans.whole);
  const corner = 25 * 56 + 24;
  const orders = [0, 1].map((epoch) =>
    [0, 1, 2].flatMap((i) => {
      const { x, count, side } = make({ step: 3 * epoch + i, batch: 2 });
      expect(count).toBe(i === 2 ? 1 : 2);
      return Array.from({ length: count }, (_, n) => x[3 * (n * side * side + corner)]);
    }),
  );
  const expected = [1, 2, 3, 4, 5].map((seed) =>
    Math.fround(smallFundus(seed).image.data[3 * (25 * 48 + 24)] / 255),
  );
  for (const order of orders) expect([...order].sort()).toEqual([...expected].sort());
  expect(orders[0]).not.toEqual(orders[1]);
});

it("crops of which classes are told apart keep the colours of the picture, which others do not", () => {
  /** Red over green in the mean of each crop; the synthetic retina is orange. */
  const ratios = (classes?: readonly string[]): number[] => {
    const make = batchMaker({ kind: "synthetic", seed: 3, size: 48, classes });
    return Array.from({ length: 12 }, (_, step) => make({ step, batch: 2, side: 32 }).x).flatMap((x) =>
      [x.subarray(0, x.length / 2), x.subarray(x.length / 2)].map((crop) => {
        const sum = (channel: number) =>
          crop.reduce((sum, value, i) => sum + (i % 3 === channel ? value : 0), 0);
        return sum(0) / sum(1);
      }),
    );
  };
  expect(Math.min(...ratios(["background", "artery", "vein"]))).toBeGreaterThan(1.2);
  expect(Math.min(...ratios())).toBeLessThan(1);
});

it("a pixel's classes share it, the background first, which vessels of all classes leave", () => {
  const classes = ["background", "artery", "vein"];
  const { target, count, side } = batchMaker({ kind: "synthetic", seed: 3, size: 48, classes })({
    ...{ step: 0, batch: 4, side: 32 },
  });
  const sums = [0, 0, 0];
  for (let pixel = 0; pixel < count * side * side; pixel++) {
    const shares = [...target.subarray(3 * pixel, 3 * pixel + 3)];
    // Each is kept as a byte.
    expect(Math.abs(shares[0] + shares[1] + shares[2] - 1)).toBeLessThan(0.01);
    for (const [kind, share] of shares.entries()) sums[kind] += share;
  }
  expect(sums[0]).toBeGreaterThan(sums[1] + sums[2]);
  expect(Math.min(sums[1], sums[2])).toBeGreaterThan(10);
});

it("a picture that would take too much memory is kept smaller, and shown at the same scale", () => {
  const [plain, small] = [Number.POSITIVE_INFINITY, 4000].map((bytes) => sourceOf(...fundus(1), bytes));
  expect([plain.labelled.width, small.labelled.width]).toEqual([48, 24]);
  expect(small.scale).toBe(2 * plain.scale);
});

it("a picture far finer than the network ever sees it is kept at half its size", () => {
  const coarse = sourceOf(...fundus(1));
  expect([coarse.labelled.width, coarse.scale]).toEqual([48, 4]);
  const size = { width: 4800, height: 480 };
  const mask = { ...size, data: new Uint8Array(4800 * 480).fill(1) };
  const fine = sourceOf({ ...size, data: new Uint8Array(3 * 4800 * 480).fill(99) }, mask, mask);
  expect(fine.labelled.width).toBe(2400);
  expect(fine.scale).toBeCloseTo(2 * (720 / 4800 + 1 / 3), 6);
});

it("a synthetic crop comes from one of eight pictures, the oldest of which gives way every four crops", () => {
  const size = 32;
  const pixelsOf = (number: number) => {
    const { image } = syntheticFundus({ seed: syntheticSeed(3, number), width: size, height: size });
    return String(image.data);
  };
  const numbers = new Map(Array.from({ length: 20 }, (_, number) => [pixelsOf(number), number]));
  const pick = syntheticPictures({ seed: 3, size });
  const random = randomState(5);
  const seen = (crop: number) => {
    const found = Array.from({ length: 120 }, () => {
      const { width, pixels } = pick(crop, random).labelled.levels[0];
      // Three colours and the labels of each pixel.
      const perPixel = pixels.length / (width * width);
      return numbers.get(String(pixels.filter((_, i) => i % perPixel < 3)));
    });
    return [...new Set(found)].sort((a = -1, b = -1) => a - b);
  };
  const from = (first: number) => Array.from({ length: 8 }, (_, i) => first + i);
  expect([0, 3, 4, 39].map(seen)).toEqual([from(0), from(0), from(1), from(9)]);
});

it("synthetic pictures to learn from have seeds of their own, other than those of built-in ones", () => {
  const of = (seed: number) => Array.from({ length: 400 }, (_, i) => syntheticSeed(seed, i - 200));
  const seeds = [...of(1), ...of(2)];
  expect(new Set(seeds).size).toBe(800);
  for (const seed of seeds) expect(Number.isInteger(seed) && seed >= 1000).toBe(true);
  // Spread over all that there are, so that two runs hardly share one.
  expect(Math.max(...seeds)).toBeGreaterThan(0.98 * 2 ** 24);
  expect(Math.max(...seeds)).toBeLessThan(1000 + 2 ** 24);
});

it("each step has numbers of its own", () => {
  const states = [0, 1, 2].flatMap((step) => [0, 1].map((stream) => String(stateOfStep(7, stream, step))));
  expect(new Set(states).size).toBe(6);
  expect(stateOfStep(7, 1, 2)).toEqual(stateOfStep(7, 1, 2));
});

it("true classes are counted as a network names them; those that it does not name are background", () => {
  const fundus = syntheticFundus({ seed: 5, width: 48, height: 48 });
  const names = ["background", "vein", "artery"];
  const { width, height, data } = classMapOf(fundus, names);
  expect([width, height]).toEqual([48, 48]);
  const told = [...data].map((kind) => names[kind]);
  expect(told).toEqual([...fundus.classes.data].map((kind) => SYNTHETIC_CLASSES[kind]));
  const [veins] = [classMapOf(fundus, ["background", "vein"]).data];
  expect([...veins]).toEqual(told.map((name) => (name === "vein" ? 1 : 0)));
});

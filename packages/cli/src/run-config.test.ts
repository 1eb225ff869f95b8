// config.json up to its limits and just beyond: people edit it, and what no run has must be named, not trained with.

import { saUNetV2 } from "@saunet/model";
import { describe, expect, it } from "vitest";
import { WorkError } from "./errors.ts";
import { checkConfig } from "./run-config.ts";
import { shortRun } from "./testing.ts";

const CONFIG = {
  ...shortRun,
  sets: [{ dataset: "folder", data: "/somewhere" }],
  network: saUNetV2,
  ...{ training: ["a"], validation: ["b"] },
};

/** The settings with one place changed; `undefined` leaves it out. */
function changed(place: string, value: unknown): unknown {
  const config = structuredClone(CONFIG) as unknown as Record<string, unknown>;
  const path = place.split(".");
  const last = path.pop()!;
  const holder = path.reduce((record, key) => record[key] as Record<string, unknown>, config);
  if (value === undefined) delete holder[last];
  else holder[last] = value;
  return config;
}

const COUNT = { accepted: [1, 7], refused: [0, -1, 1.5, "7", null, undefined] };
const POSITIVE = { accepted: [1e-9, 3], refused: [0, -1, "3", null] };
const SHARE = { accepted: [0, 0.99, undefined], refused: [-0.1, 1, "0.5", null] };
const SMALL = { accepted: [1, 4096], refused: [0, 4097, 1.5, null, undefined] };
const HASH = "0123456789abcdef".repeat(4);

const PLACES: Readonly<
  Record<string, { readonly accepted: readonly unknown[]; readonly refused: readonly unknown[] }>
> = {
  recipe: { accepted: ["best", "paper", "adapt"], refused: ["other", null, undefined] },
  epochs: COUNT,
  steps: COUNT,
  batch: COUNT,
  validateEvery: COUNT,
  maxPixels: COUNT,
  microBatch: { accepted: [1, undefined], refused: [0, 1.5, null] },
  learningRate: { ...POSITIVE, refused: [...POSITIVE.refused, undefined] },
  clipNorm: { ...POSITIVE, accepted: [...POSITIVE.accepted, undefined] },
  minutes: { ...POSITIVE, accepted: [...POSITIVE.accepted, undefined] },
  dropBlockRate: SHARE,
  averageDecay: SHARE,
  schedule: { accepted: ["cosine", "plateau"], refused: ["linear", null, undefined] },
  scale: { accepted: ["auto", 1], refused: [2, "1", null, undefined] },
  select: { accepted: ["f1", "accuracy"], refused: ["auc", null, undefined] },
  crops: { accepted: [undefined], refused: [[], null, {}] },
  "crops.0.until": { accepted: [0, 1], refused: [-0.1, 1.1, "1", null, undefined] },
  "crops.0.side": { accepted: [8, 8192], refused: [0, 8200, 60, 64.5, null, undefined] },
  "crops.0.batch": COUNT,
  "crops.0.scale": { accepted: [[1, 1]], refused: [[1], [0, 1], [1, -1], [1, 1, 1], 1, null, undefined] },
  sets: { accepted: [[]], refused: [{}, null, undefined] },
  "sets.0.dataset": {
    accepted: ["folder", "drive", "chase", "stare", "hrf", "fives"],
    refused: ["other", null, undefined],
  },
  "sets.0.data": { accepted: ["x"], refused: [1, null, undefined] },
  "sets.0.limit": { accepted: [1, undefined], refused: [0, 1.5, null] },
  "sets.0.observer": { accepted: ["2nd", undefined], refused: [2, null] },
  weights: { accepted: ["a.safetensors", undefined], refused: [1, null] },
  keepBack: { accepted: [0, 3, undefined], refused: [-1, 0.5, null] },
  pictureSize: { accepted: [32, 1000], refused: [31, 32.5, null, undefined] },
  seed: { accepted: [0, 5], refused: [-1, 0.5, null, undefined] },
  judgeStart: { accepted: [true, undefined], refused: [false, 1, null] },
  report: { accepted: [true, false, undefined], refused: [1, null] },
  training: { accepted: [[], ["a", "b"]], refused: ["a", [1], null, undefined] },
  validation: { accepted: [[], ["a"]], refused: ["a", [1], null, undefined] },
  contents: {
    accepted: [
      undefined,
      { training: [HASH], validation: [] },
      { training: [], validation: [HASH], weights: "w" },
    ],
    refused: [
      null,
      {},
      { training: [HASH] },
      { training: [HASH.slice(1)], validation: [] },
      { training: [`${HASH}0`], validation: [] },
    ],
  },
  "network.name": { accepted: ["x"], refused: [1, null, undefined] },
  "network.inputChannels": SMALL,
  "network.groups": SMALL,
  "network.channels": {
    accepted: [[1, 4096], Array(4).fill(8)],
    refused: [[8], Array(9).fill(8), [8, 0], [8, 4097], "8", null, undefined],
  },
  "network.normalization": { accepted: ["none", "batch", "group"], refused: ["layer", null, undefined] },
  "network.activation": { accepted: ["relu", "silu"], refused: ["gelu", null, undefined] },
  "network.dropBlock.rate": { accepted: [0, 0.99], refused: [-0.1, 1, null, undefined] },
  "network.dropBlock.size": SMALL,
  "network.bottleneckAttention": { accepted: [true, false], refused: [1, null, undefined] },
  "network.skipAttention": {
    accepted: ["none", "spatial", "cross-scale"],
    refused: ["both", null, undefined],
  },
  "network.epsilon": { accepted: [0, 1e-3, undefined], refused: [-1e-9, "0", null] },
  "network.transposedPadding": { accepted: [0, 1, undefined], refused: [2, "0", null] },
  "network.classes": {
    accepted: [undefined],
    refused: [[], ["background"], ["artery", "background"], [1, 2], null],
  },
};

describe.each(Object.entries(PLACES))("%s", (place, { accepted, refused }) => {
  it("may be up to its limits", () => {
    for (const value of accepted) {
      const config = changed(place, value);
      expect(checkConfig(config)).toEqual(
        expect.objectContaining({ epochs: expect.anything(), recipe: expect.anything() }),
      );
    }
  });

  it("is named where it is none", () => {
    const [first] = place.split(".");
    for (const value of refused) {
      const check = () => checkConfig(changed(place, value));
      expect(check, JSON.stringify(value)).toThrow(WorkError);
      expect(check).toThrow(value === undefined ? `${place}: is missing` : new RegExp(`^${first}[.\\w]*: `));
    }
  });
});

it("knows what does not go together", () => {
  const wrong = (changes: object) => () => checkConfig({ ...CONFIG, ...changes });
  const [crop] = CONFIG.crops;
  expect(wrong({ crops: [crop, { ...crop, side: 68 }] })).toThrow("crops: 68 is no multiple of 8");
  const classes = ["background", "artery"];
  expect(wrong({ network: { ...saUNetV2, classes } })).toThrow(
    "network.classes: only a run on synthetic pictures tells classes apart",
  );
  expect(checkConfig({ ...CONFIG, sets: [], network: { ...saUNetV2, classes } }).network.classes).toEqual(
    classes,
  );
  expect(wrong({ network: { ...saUNetV2, classes: ["artery", "background"] } })).toThrow(
    "network.classes: Invalid input: expected different names, background first",
  );
  const { crops: _, ...whole } = CONFIG;
  expect(() => checkConfig({ ...whole, sets: [] })).toThrow("sets: a run without crops needs one");
  expect(wrong({ schedule: "plateau", validation: [] })).toThrow(
    "schedule: plateau follows the loss on pictures kept back, and there are none",
  );
});

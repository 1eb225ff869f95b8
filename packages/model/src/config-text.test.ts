import { describe, expect, it } from "vitest";
import { ablation, type NetworkConfig, saUNetV2, uNet, withClasses } from "./config.ts";
import { parseConfig } from "./config-text.ts";

/** A description in which one place, such as `dropBlock.rate`, has another value; `undefined` leaves it out. */
function changed(place: string, value: unknown): string {
  const config = structuredClone(saUNetV2) as unknown as Record<string, unknown>;
  const path = place.split(".");
  const last = path.pop()!;
  const holder = path.reduce((record, key) => record[key] as Record<string, unknown>, config);
  holder[last] = value;
  return JSON.stringify(config);
}

const names = (count: number) => ["background", ...Array.from({ length: count - 1 }, (_, i) => `class ${i}`)];

const COUNTS = { accepted: [1, 4096], refused: [0, -1, 4097, 1.5, "8", null, undefined] };

/** What each entry may be up to its limits, and what lies just beyond them or is of another kind. */
const ENTRIES: Readonly<Record<string, { readonly accepted: unknown[]; readonly refused: unknown[] }>> = {
  name: {
    accepted: ["x", "é", "n".repeat(100)],
    refused: ["", "n".repeat(101), "two\nlines", "\u202e", 7, null, undefined],
  },
  inputChannels: COUNTS,
  channels: {
    accepted: [[1, 4096], Array(8).fill(8)],
    refused: [[8], Array(9).fill(8), [8, 0], [8, 4097], [8, "8"], "16", { length: 2 }, null, undefined],
  },
  normalization: { accepted: ["none", "batch", "group"], refused: ["layer", "", null, undefined] },
  groups: COUNTS,
  activation: { accepted: ["relu", "silu"], refused: ["gelu", "", null, undefined] },
  dropBlock: { accepted: [{ rate: 0, size: 1 }], refused: [{}, { rate: 0 }, { size: 1 }, 0, undefined] },
  "dropBlock.rate": { accepted: [0, 0.999], refused: [1, -0.001, "0.1", null, undefined] },
  "dropBlock.size": COUNTS,
  bottleneckAttention: { accepted: [true, false], refused: [0, "true", null, undefined] },
  skipAttention: { accepted: ["none", "spatial", "cross-scale"], refused: ["both", "", null, undefined] },
  transposedPadding: { accepted: [0, 1, undefined], refused: [2, -1, "0", null] },
  initializers: {
    accepted: [undefined, { convolution: "he-normal", transposed: "glorot-uniform" }],
    refused: [null, {}, "he-normal", { convolution: "he-normal" }, { transposed: "he-normal" }],
  },
  classes: {
    accepted: [undefined, ["background", "artery"], names(256)],
    refused: [
      ...[null, [], ["background"], ["artery", "background"], ["background", "a", "a"], ["background", 1]],
      names(257),
    ],
  },
  epsilon: { accepted: [0, 1e-5, 1, undefined], refused: [-1e-9, "1e-3", null] },
};

describe.each(Object.entries(ENTRIES))("a network's %s", (place, { accepted, refused }) => {
  it.each(accepted.map((value) => [JSON.stringify(value)?.slice(0, 60), value]))("may be %s", (_, value) => {
    const text = changed(place, value);
    expect(parseConfig(text)).toEqual(JSON.parse(text));
  });
  it.each(refused.map((value) => [JSON.stringify(value)?.slice(0, 60), value]))(
    "may not be %s",
    (_, value) => {
      expect(parseConfig(changed(place, value))).toBeUndefined();
    },
  );
});

it.each<NetworkConfig>([...ablation, uNet, withClasses(saUNetV2, ["artery", "vein"])])(
  "reads what is written of $name",
  (config) => {
    expect(parseConfig(JSON.stringify(config))).toEqual(config);
  },
);

it.each(["", "{", "null", "7", '"sa-unet-v2"', "[]", "true"])("finds no network in %j", (text) => {
  expect(parseConfig(text)).toBeUndefined();
});

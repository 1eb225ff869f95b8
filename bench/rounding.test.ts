// What rounding does to photographs, with a data set, a network and algorithms that are played.

import type { evaluate } from "@saunet/model";
import { beforeEach, expect, it, vi } from "vitest";
import { openRounding } from "./rounding.ts";
import { USUAL } from "./settings.ts";
import { onSign } from "./watch.ts";

const played = vi.hoisted(() => ({
  asked: [] as unknown[],
  algorithm: "none",
  clock: 0,
  open: 0,
}));
const truth = [Uint8Array.of(1, 1, 0, 0), Uint8Array.of(1, 0, 0, 0)];
/** What the network says of the photographs by each algorithm. */
const probabilities: Readonly<Record<string, readonly (readonly number[])[]>> = {
  direct: [
    [0.9, 0.75, 0.25, 0],
    [0.75, 0.25, 0.25, 0],
  ],
  winograd4: [
    [0.9, 0.75, 0.375, 0],
    [0.75, 0.3125, 0.25, 0],
  ],
  // A pixel of the second photograph is on the other side of 0.5.
  winograd6: [
    [0.9, 0.75, 0.25, 0],
    [0.75, 0.5625, 0.25, 0],
  ],
  fastest: [
    [0.9, 0.75, 0.25, 0.0625],
    [0.75, 0.25, 0.25, 0],
  ],
};

vi.mock("@saunet/data/files", () => ({
  readDataset: async (what: unknown) => {
    played.asked.push(what);
    return [0, 1].map((index) => ({
      image: async () => index,
      vessels: async () => ({ data: truth[index] }),
      fieldOfView: async () => ({ data: Uint8Array.of(1, 1, 1, 1) }),
    }));
  },
}));
vi.mock("@saunet/wasm", () => ({
  accelerate: async ({ threads, convolutions }: { threads: number; convolutions: string }) => {
    played.algorithm = convolutions;
    return { threads };
  },
  restore: () => {
    played.algorithm = "none";
  },
}));
vi.mock("@saunet/model", async (original) => ({
  ...(await original<{ evaluate: typeof evaluate }>()),
  loadSegmenter: async () => {
    let runs = 0;
    played.open++;
    return {
      segment: async (index: number) => {
        // The first run is the one that compiles.
        played.clock += runs++ === 0 ? 1000 : 10 * (index + 1);
        return { probability: Float32Array.from(probabilities[played.algorithm][index]) };
      },
      release: () => void played.open--,
    };
  },
}));

beforeEach(() => {
  vi.spyOn(performance, "now").mockImplementation(() => played.clock);
  vi.spyOn(process.stderr, "write").mockReturnValue(true);
});

it("holds each algorithm against direct products, photograph by photograph", async () => {
  const signs: string[] = [];
  onSign((doing) => signs.push(doing));
  const settings = { ...USUAL, threads: [2], operands: ["a folder"] };
  const { units, measure, end } = await openRounding(settings);
  expect(played.asked).toEqual([{ kind: "chase", directory: "a folder", split: "test" }]);
  expect(units).toEqual(["2 photographs"]);
  const rows = await measure(0, new Set());
  onSign(() => {});
  const common = { threads: 2, shape: "2 photographs", runs: 2, median_ms: 15, settled: true };
  // F1 of one vessel that is found beside one false pixel.
  const f1 = 2 / 3;
  expect(rows).toMatchObject([
    { ...common, name: "direct", max_abs_diff: 0, f1: 1, max_f1_diff: 0 },
    { ...common, name: "winograd4", max_abs_diff: 0.125, f1: 1, max_f1_diff: 0 },
    { ...common, name: "winograd6", max_abs_diff: 0.3125, f1: (1 + f1) / 2, max_f1_diff: 0.3333 },
    { ...common, name: "fastest", max_abs_diff: 0.0625, f1: 1, max_f1_diff: 0 },
  ]);
  expect(signs).toEqual(rows.flatMap(() => ["photograph 1", "photograph 2"]));
  expect([played.open, played.algorithm]).toEqual([0, "none"]);
  end();
});

import type * as Data from "@saunet/data";
import { syntheticFundus } from "@saunet/data";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { syntheticBatches } from "./training-pictures.ts";

vi.mock("@saunet/data", async (original) => {
  const data = await original<typeof Data>();
  return { ...data, syntheticFundus: vi.fn(data.syntheticFundus) };
});
const drawn = vi.mocked(syntheticFundus);
beforeEach(() => void drawn.mockClear());

const SEED = 3;
const sample = ({ x, target }: { x: Float32Array; target: Float32Array }) => [
  x.length,
  ...x.filter((_, i) => i % 997 === 0),
  ...target.filter((_, i) => i % 97 === 0),
];

describe("syntheticBatches", () => {
  it("gives a step the same batch, whatever came before", () => {
    const inOrder = syntheticBatches(SEED, 4, 32);
    const batches = Array.from({ length: 9 }, (_, step) => sample(inOrder(step)));
    const jumping = syntheticBatches(SEED, 4, 32);
    for (const step of [8, 3, 4]) expect(sample(jumping(step))).toEqual(batches[step]);
    expect(batches[1]).not.toEqual(batches[0]);
  });

  it("lays the crops of a step one behind the other, each with light and with vessels", () => {
    const [side, count] = [32, 5];
    const { x, target } = syntheticBatches(SEED, count, side)(2);
    for (let n = 0; n < count; n++) {
      const pixels = x.subarray(n * side * side * 3, (n + 1) * side * side * 3);
      // With this seed most of each crop lies in the field of view.
      expect(pixels.filter((value) => value > 0).length).toBeGreaterThan(pixels.length / 2);
      expect(Math.max(...target.subarray(n * side * side, (n + 1) * side * side))).toBeGreaterThan(0.5);
    }
  });

  it("draws a photograph for every sixteen crops", () => {
    const batchOf = syntheticBatches(SEED, 4, 16);
    const counts = Array.from({ length: 8 }, (_, step) => {
      batchOf(step);
      return drawn.mock.calls.length;
    });
    expect(counts).toEqual([1, 1, 1, 1, 2, 2, 2, 2]);
    expect(new Set(drawn.mock.calls.map(([options]) => options.seed)).size).toBe(2);
  });
});

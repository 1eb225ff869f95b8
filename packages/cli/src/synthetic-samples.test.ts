import { SYNTHETIC_CLASSES, syntheticFundus } from "@saunet/data";
import { expect, it } from "vitest";
import { syntheticSeed } from "./batches.ts";
import { syntheticSamples } from "./synthetic-samples.ts";

it("synthetic samples know everything of their pictures exactly, in whatever order they are looked at", async () => {
  const samples = syntheticSamples(3, 48);
  expect(samples.map(({ id, observers }) => [id, observers])).toEqual(
    [100, 101, 102].map((seed) => [`synthetic-${seed}`, ["exact"]]),
  );
  for (const i of [2, 0, 0, 1]) {
    const fundus = syntheticFundus({ seed: 100 + i, width: 48, height: 48 });
    const sample = samples[i];
    expect(await sample.size()).toEqual({ width: 48, height: 48 });
    expect(await sample.image()).toEqual(fundus.image);
    expect(await sample.vessels()).toEqual(fundus.vessels);
    expect(await sample.fieldOfView()).toEqual(fundus.fieldOfView);
    expect(sample.classes(SYNTHETIC_CLASSES)).toEqual(fundus.classes);
  }
});

it("no run learns from them, however many there are", () => {
  const seeds = Array.from({ length: 200 }, (_, i) => syntheticSeed(i % 5, i - 100));
  expect(Math.min(...seeds)).toBeGreaterThanOrEqual(1000);
});

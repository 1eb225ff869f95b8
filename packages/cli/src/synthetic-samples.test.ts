import { syntheticFundus } from "@saunet/data";
import { expect, it } from "vitest";
import { classMapOf } from "./batches.ts";
import { syntheticSamples } from "./synthetic-samples.ts";

it("synthetic pictures to test with are those of the seeds from 100 on, in any order they are asked for", async () => {
  const samples = syntheticSamples(2, 48);
  expect(samples.map(({ id, observers }) => [id, observers])).toEqual([
    ["synthetic-100", ["exact"]],
    ["synthetic-101", ["exact"]],
  ]);
  for (const at of [0, 1, 0]) {
    const fundus = syntheticFundus({ seed: 100 + at, width: 48, height: 48 });
    const sample = samples[at];
    expect(await sample.size()).toEqual({ width: 48, height: 48 });
    expect(await sample.image()).toEqual(fundus.image);
    expect(await sample.vessels()).toEqual(fundus.vessels);
    expect(await sample.fieldOfView()).toEqual(fundus.fieldOfView);
    const names = ["background", "vein"];
    expect(sample.classes(names)).toEqual(classMapOf(fundus, names));
  }
});

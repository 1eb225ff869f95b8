import { randomState, tensor } from "@saunet/core";
import { expect, it } from "vitest";
import { averageWeights, movingAverage } from "./average.ts";
import { saUNetV2 } from "./config.ts";
import { initialize } from "./parameters.ts";
import type { Weights } from "./weights.ts";

it("follows the parameters, slowly in the end and faster in the beginning", () => {
  const w = tensor([0, 4]);
  const average = movingAverage({ w }, 0.9);
  expect(average.parameters.w.data).toEqual(w.data);
  w.data.set([1, 4]);
  average.update(0);
  expect(average.parameters.w.data[0]).toBeCloseTo(0.9, 6);
  expect(average.parameters.w.data[1]).toBe(4);
  let wanted = average.parameters.w.data[0];
  for (let step = 1; step < 200; step++) {
    w.data[0] = Math.sin(step);
    average.update(step);
    const decay = Math.min(0.9, (1 + step) / (10 + step));
    wanted = decay * wanted + (1 - decay) * Math.sin(step);
  }
  expect(average.parameters.w.data[0]).toBeCloseTo(wanted, 5);
  expect(w.data[0]).toBeCloseTo(Math.sin(199), 6);
});

it("is the parameters themselves at decay 0, to the bit, and refuses what is no share", () => {
  // From 1e30 to 0.1 by a difference would end at 0.
  const w = tensor([1e30]);
  const average = movingAverage({ w }, 0);
  w.data[0] = 0.1;
  average.update(5);
  expect(average.parameters.w.data).toEqual(w.data);
  const still = movingAverage({ w }, 1);
  w.data[0] = 9;
  for (let step = 0; step < 3; step++) still.update(step);
  expect(still.parameters.w.data[0]).toBeGreaterThan(0.1);
  expect(() => movingAverage({ w }, 1.5)).toThrow("movingAverage: decay must lie between 0 and 1");
});

const tiny = { ...saUNetV2, name: "tiny", channels: [8, 8] };
const fresh = (seed: number, metadata: Record<string, string> = {}): Weights => ({
  config: tiny,
  parameters: initialize(tiny, randomState(seed)),
  metadata,
});

it("averages weights value by value, leaves theirs alone, and keeps what their metadata agree on", () => {
  const members = [1, 2, 3].map((seed) => fresh(seed, { licence: "MIT", seed: String(seed) }));
  const before = members.map(({ parameters }) => parameters["encoder1.conv1.filter"].data.slice());
  const { config, parameters, metadata } = averageWeights(members);
  expect([config, metadata]).toEqual([tiny, { licence: "MIT" }]);
  expect(Object.keys(parameters)).toEqual(Object.keys(members[0].parameters));
  for (const [name, { data, shape, requiresGrad }] of Object.entries(parameters)) {
    const alike = members.map((member) => member.parameters[name]);
    expect([shape, requiresGrad]).toEqual([alike[0].shape, alike[0].requiresGrad]);
    expect(data).toEqual(
      Float32Array.from(data, (_, i) => alike.reduce((sum, tensor) => sum + tensor.data[i], 0) / 3),
    );
  }
  expect(members.map((member) => member.parameters["encoder1.conv1.filter"].data)).toEqual(before);
});

it("refuses to average nothing, and networks that differ", () => {
  expect(() => averageWeights([])).toThrow("averageWeights: wants at least one network's weights");
  const other = { ...fresh(1), config: { ...tiny, groups: 4 } };
  expect(() => averageWeights([fresh(1), other])).toThrow(
    "averageWeights: weights must belong to one network but are of tiny and of tiny with other settings",
  );
});

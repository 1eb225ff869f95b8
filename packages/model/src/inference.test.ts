import { prepare, randomState, type Tensor, tensor, zeros } from "@saunet/core";
import { describe, expect, it } from "vitest";
import { networks, saUNetV2, withClasses } from "./config.ts";
import { captureInference, layersOf, memoryOf, probabilitiesOf } from "./inference.ts";
import { inspectNetwork } from "./inspect.ts";
import { initialize } from "./parameters.ts";

const configs = [...Object.values(networks), withClasses(saUNetV2, ["artery", "vein"])].map((config) => ({
  ...config,
  channels: [8, 16],
}));

describe.each(configs)("$name", (config) => {
  const parameters = initialize(config, randomState(1));
  const program = captureInference({ config, parameters }, zeros([1, 16, 16, 3]));

  it("belongs to the layers of its parameters, call by call", () => {
    const layers = layersOf(program, parameters);
    expect(layers).toHaveLength(program.calls.length);
    program.calls.forEach(({ buffers }, call) => {
      const read = Object.values(buffers).map((buffer) =>
        buffer === undefined ? undefined : program.buffers[buffer].external,
      );
      const own = Object.entries(parameters).filter(([, { data }]) => read.includes(data));
      for (const [path] of own) expect(path.slice(0, path.lastIndexOf("."))).toBe(layers[call]);
      if (own.length === 0) expect(layers[call]).toBe(call === 0 ? "input" : layers[call - 1]);
    });
    const named = Object.keys(parameters).map((path) => path.slice(0, path.lastIndexOf(".")));
    expect(new Set(layers)).toEqual(new Set(named));
  });

  it("has, of what is alive at its peak, all the bytes that no plan does without, the largest first", () => {
    const { alive, lowerBound, peak, parts } = memoryOf(prepare(program), parameters);
    // Buffers of this size are whole lines of 64 bytes, which a plan counts in.
    expect(alive.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(lowerBound);
    const sizes = alive.map(({ bytes }) => bytes);
    expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
    expect(new Set(sizes).size).toBeGreaterThan(1);
    const layers = layersOf(program, parameters);
    const calls = program.calls.map(({ kernel }, call) => `${layers[call]} ${kernel.name}`);
    for (const { layer, kernel } of [peak, ...alive]) expect(calls).toContain(`${layer} ${kernel}`);
    expect(parts.temporaries).toBeGreaterThanOrEqual(lowerBound);
  });
});

it("makes probabilities of one logit by the sigmoid, of several by the softmax", () => {
  const logits = tensor([0, 0, Math.log(2)]);
  const close = ({ data }: Tensor) => [...data].map((value) => Number(value.toFixed(6)));
  expect(close(probabilitiesOf(saUNetV2, logits))).toEqual([0.5, 0.5, 0.666667]);
  expect(close(probabilitiesOf(withClasses(saUNetV2, ["artery", "vein"]), logits))).toEqual([
    0.25, 0.25, 0.5,
  ]);
});

it("lists an operator for what each layer computes, as the program does", () => {
  for (const config of configs) {
    const { layers } = inspectNetwork(config, { height: 16, width: 16 });
    const parameters = initialize(config, randomState(0));
    const convolutions = layers.filter(({ op }) => op.startsWith("conv")).map(({ layer }) => layer);
    const filters = Object.keys(parameters).filter((path) => path.endsWith(".filter"));
    expect(convolutions.toSorted()).toEqual(
      filters.map((path) => path.slice(0, path.lastIndexOf("."))).toSorted(),
    );
  }
});

import { noGrad, prepare, randomState, sigmoid, tensor, uniform } from "@saunet/core";
import { captureInference, forward, initialize, inspectNetwork, networks, saUNetV2 } from "@saunet/model";
import { describe, expect, it } from "vitest";
import { flopsByLayer, timesByLayer, traceNetwork } from "./trace.ts";

const network = { config: saUNetV2, parameters: initialize(saUNetV2, randomState(3)), metadata: {} };
const [H, W] = [24, 32];
const x = tensor(uniform([1, H, W, 3], randomState(4)).data, [1, H, W, 3]);
const layers = traceNetwork(network, x);

describe("traceNetwork", () => {
  it("finds every convolution in its order, and ends with the network's own result", () => {
    const stage = (name: string, ...parts: string[]) => parts.map((part) => `${name}.${part}`);
    expect([...layers.keys()]).toEqual([
      ...[1, 2, 3].flatMap((n) => stage(`encoder${n}`, "conv1", "conv2")),
      ...stage("bottleneck", "conv1", "attention", "conv2"),
      ...[3, 2, 1].flatMap((n) => stage(`decoder${n}`, "up", "attention", "conv1", "conv2")),
      "head",
    ]);
    const whole = noGrad(() => sigmoid(forward(saUNetV2, network.parameters, x)));
    expect(layers.get("head")!.activation).toEqual(whole.data);
  });

  it("gives shapes that fit the activations", () => {
    for (const { height, width, channels, activation } of layers.values())
      expect(activation).toHaveLength(height * width * channels);
    expect(layers.get("decoder1.attention")).toMatchObject({ height: H, width: W, channels: 1 });
  });
});

describe("by layer", () => {
  it.each(Object.entries(networks))("counts FLOPs and time of %s to its layers alone", (_, config) => {
    const parameters = initialize(config, randomState(3));
    const traced = traceNetwork({ config, parameters, metadata: {} }, x);
    const ids = [...traced.keys()].sort();
    const flops = flopsByLayer({ config, parameters, metadata: {} }, { height: H, width: W });
    expect([...flops.keys()].sort()).toEqual(ids);
    const { program } = prepare(captureInference({ config, parameters }, x));
    const times = timesByLayer(program, parameters, Array(program.calls.length).fill(1));
    expect([...times.keys()].sort()).toEqual(ids);
  });

  it("counts all FLOPs, each to one of the layers", () => {
    const flops = flopsByLayer(network, { height: H, width: W });
    const sum = [...flops.values()].reduce((a, b) => a + b);
    expect(sum).toBe(inspectNetwork(saUNetV2, { height: H, width: W }).flops);
    expect(flops.get("encoder1.conv1")).toBe(H * W * 16 * (2 * 27 + 1 + 7 + 1));
  });

  it("counts all time, each call to one of the layers", () => {
    const { program } = prepare(captureInference(network, x));
    const times = timesByLayer(
      program,
      network.parameters,
      program.calls.map(() => 1),
    );
    expect([...times.values()].reduce((a, b) => a + b)).toBe(program.calls.length);
  });
});

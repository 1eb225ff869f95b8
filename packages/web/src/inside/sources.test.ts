import { randomState } from "@saunet/core";
import { initialize, networks, parameterSpecs, saUNetV2 } from "@saunet/model";
import { describe, expect, it } from "vitest";
import { deedOf, inputName, nameOf } from "./names.ts";
import { layersBefore, layersBehind, sourceOf } from "./sources.ts";

const layersIn = (config: (typeof networks)[string]) =>
  Object.keys(parameterSpecs(config))
    .filter((path) => path.endsWith(".filter"))
    .map((path) => path.slice(0, -".filter".length));

describe.each(Object.values(networks))("the layers of $name", (config) => {
  const layers = layersIn(config);
  const parameters = initialize(config, randomState(1));
  /** Filters of transposed convolutions are stored the other way round. */
  const channelsOf = (id: string, which: "in" | "out"): number => {
    const { shape } = parameters[`${id}.filter`];
    return id.endsWith(".up") === (which === "in") ? shape[3] : shape[2];
  };

  it("read as many channels as their filters have inputs", () => {
    for (const id of layers) {
      const source = sourceOf(config, id);
      const of = (from: string) => channelsOf(from, "out");
      const wanted = {
        photograph: () => config.inputChannels,
        maps: () => (source.kind === "maps" ? source.maps.length : 0),
        joined: () => (source.kind === "joined" ? of(source.up) + of(source.skip) : 0),
        gated: () => (source.kind === "gated" ? of(source.from) : 0),
        layer: () => (source.kind === "layer" ? of(source.from) : 0),
        pooled: () => (source.kind === "pooled" ? of(source.from) : 0),
      }[source.kind]();
      expect(channelsOf(id, "in"), id).toBe(wanted);
    }
  });

  it("stand after what they read, and are read by what names them", () => {
    const used = new Set<string>();
    layers.forEach((id, at) => {
      const before = layersBefore(sourceOf(config, id));
      expect(new Set(before).size).toBe(before.length);
      for (const other of before) {
        used.add(other);
        expect(layers.indexOf(other), `${id} reads ${other}`).toBeGreaterThanOrEqual(0);
        expect(layers.indexOf(other), `${id} reads ${other}`).toBeLessThan(at);
        expect(layersBehind(config, other, layers)).toContain(id);
      }
    });
    // Nothing is calculated in vain but the last layer.
    expect(layers.filter((id) => !used.has(id))).toEqual(["head"]);
  });
});

it("says of a small network of each kind what every layer reads", () => {
  const v2 = { ...saUNetV2, channels: [8, 8, 8] };
  expect(
    Object.fromEntries(layersIn(v2).map((id) => [id, layersBefore(sourceOf(v2, id)).join(" ")])),
  ).toEqual({
    "encoder1.conv1": "",
    "encoder1.conv2": "encoder1.conv1",
    "encoder2.conv1": "encoder1.conv2",
    "encoder2.conv2": "encoder2.conv1",
    "bottleneck.conv1": "encoder2.conv2",
    "bottleneck.attention": "bottleneck.conv1",
    "bottleneck.conv2": "bottleneck.conv1 bottleneck.attention",
    "decoder2.up": "bottleneck.conv2",
    "decoder2.attention": "encoder2.conv2 decoder2.up",
    "decoder2.conv1": "decoder2.up encoder2.conv2 decoder2.attention",
    "decoder2.conv2": "decoder2.conv1",
    "decoder1.up": "decoder2.conv2",
    "decoder1.attention": "encoder1.conv2 decoder1.up",
    "decoder1.conv1": "decoder1.up encoder1.conv2 decoder1.attention",
    "decoder1.conv2": "decoder1.conv1",
    head: "decoder1.conv2",
  });
  const plain = { ...v2, skipAttention: "none", bottleneckAttention: false } as const;
  expect(sourceOf(plain, "decoder1.conv1")).toEqual({
    kind: "joined",
    up: "decoder1.up",
    skip: "encoder1.conv2",
  });
  expect(sourceOf(plain, "bottleneck.conv2")).toEqual({ kind: "layer", from: "bottleneck.conv1" });
  const spatial = { ...v2, skipAttention: "spatial" } as const;
  expect(sourceOf(spatial, "decoder1.attention")).toEqual({
    kind: "maps",
    maps: ["mean", "maximum"].map((of) => ({ of, from: "encoder1.conv2" })),
  });
});

it("says in words what a layer does, and what its inputs are called", () => {
  const unit = "3 × 3 convolution, group normalisation and SiLU.";
  const deed = (id: string, config = saUNetV2) => deedOf(config, id);
  expect(deed("encoder1.conv1")).toBe(`A ${unit}`);
  expect(deed("encoder2.conv1")).toBe(`After max pooling: a ${unit}`);
  expect(deed("decoder1.conv1")).toBe(`The enlarged channels, joined with those of the encoder: a ${unit}`);
  expect(deed("bottleneck.conv2")).toBe(`After the attention: a ${unit}`);
  expect(deed("encoder1.conv1", networks["sa-unet"])).toBe(
    "A 3 × 3 convolution, batch normalisation and ReLU.",
  );
  expect(deed("encoder1.conv1", { ...saUNetV2, normalization: "none" })).toBe(
    "A 3 × 3 convolution and SiLU.",
  );
  expect(deed("decoder1.up")).toContain("stride 2 doubles width and height");
  expect(deed("head")).toContain("the sigmoid of the sum is the probability");
  expect(deed("bottleneck.attention")).toContain("Mean and maximum over the channels");
  expect(deed("decoder2.attention")).toContain("The sigmoid is the gate");
  expect(["encoder2.conv1", "decoder3.up", "bottleneck.attention", "head"].map(nameOf)).toEqual([
    "Encoder 2, unit 1",
    "Decoder 3, enlarged",
    "Bottleneck, attention",
    "Head",
  ]);
  const input = (id: string, channel: number) => inputName(sourceOf(saUNetV2, id), channel, 16);
  expect([0, 1, 2, 3].map((channel) => input("encoder1.conv1", channel))).toEqual([
    "red",
    "green",
    "blue",
    "channel 3",
  ]);
  expect([0, 1].map((channel) => input("decoder1.attention", channel))).toEqual([
    "mean of encoder 1, unit 2",
    "mean of decoder 1, enlarged",
  ]);
  expect([0, 15, 16, 31].map((channel) => input("decoder1.conv1", channel))).toEqual([
    "enlarged 0",
    "enlarged 15",
    "encoder's 0",
    "encoder's 15",
  ]);
  expect(input("encoder1.conv2", 7)).toBe("channel 7");
});

import { randomState, tensor, uniform } from "@saunet/core";
import { initialize, type NetworkConfig, networks, saUNet, saUNetV2, uNet } from "@saunet/model";
import { describe, expect, it } from "vitest";
import { geometryOf, patchOf } from "./geometry.ts";
import { beforeOf, originOf, probe } from "./probe.ts";
import { layersBefore, layersBehind, sourceOf } from "./sources.ts";
import { type Layer, traceNetwork } from "./trace.ts";

const [H, W] = [24, 32];
const x = tensor(uniform([1, H, W, 3], randomState(4)).data, [1, H, W, 3]);

/** One of a person's own: no normalisation, two stages. */
const BARE: NetworkConfig = { ...uNet, name: "bare", normalization: "none", channels: [4, 6] };

/** Small, with numbers that no initialisation gives: scales and shifts of their own everywhere. */
function traced(name: string) {
  const config = {
    ...(networks[name] ?? BARE),
    ...(name in networks && { channels: [8, 16, 16, 24] }),
    ...(name === "sa-unet" && { transposedPadding: 1 as const }),
  };
  const parameters = initialize(config, randomState(3));
  for (const [path, { data }] of Object.entries(parameters))
    if (/gamma|beta|bias|mean|variance/.test(path))
      for (let i = 0; i < data.length; i++) data[i] = 0.5 + ((7 * i) % 5) / 5;
  return { config, layers: traceNetwork({ config, parameters, metadata: {} }, x) };
}

const placesOf = ({ height, width }: Layer) =>
  [
    [0, 0],
    [height - 1, width - 1],
    [Math.floor(height / 2), 1],
  ] as const;

describe.each([...Object.keys(networks), BARE.name])("%s", (name) => {
  const network = traced(name);

  it("has numbers that add up, from the patch to what the layer gives", () => {
    for (const [id, layer] of network.layers)
      for (const [row, column] of placesOf(layer)) {
        const own = probe(network, id, row, column, layer.channels - 1);
        expect(own.sum).toBeCloseTo(own.computed, 4);
        const before = own.normalized?.value ?? own.sum;
        if (own.normalized !== undefined && layer.normalization !== undefined) {
          const { first, last } = own.normalized;
          expect([last - first + 1, first % layer.normalization.channelsPerGroup]).toEqual([
            layer.normalization.channelsPerGroup,
            0,
          ]);
          expect(first <= layer.channels - 1 && layer.channels - 1 <= last).toBe(true);
        }
        const after = {
          none: before,
          relu: Math.max(0, before),
          silu: before / (1 + Math.exp(-before)),
          sigmoid: 1 / (1 + Math.exp(-before)),
        }[own.nonlinearity];
        expect([id, own.activation]).toEqual([id, expect.closeTo(after, 4)]);
      }
  });

  it("knows where every number of every patch comes from", () => {
    for (const [id, layer] of network.layers) {
      const { x: input, dims, transposed } = layer.convolution;
      const [rows, columns, channels] = transposed ? [dims.OH, dims.OW, dims.O] : [dims.H, dims.W, dims.C];
      for (const [row, column] of [
        [0, 0],
        [rows - 1, columns - 2],
      ] as const)
        for (let c = 0; c < channels; c++) {
          const { value } = originOf(network, id, [row, column], c);
          const there = input[(row * columns + column) * channels + c];
          expect([id, c, value]).toEqual([id, c, expect.closeTo(there, 5)]);
        }
    }
  });

  it("looks at where the number comes from that weighs most in the patch", () => {
    for (const [id, layer] of network.layers)
      for (const [row, column] of placesOf(layer)) {
        const { patch, filter, inputChannels, origin } = probe(network, id, row, column, 0);
        const weights = Array.from(patch, (value, i) =>
          Number.isNaN(value) ? -1 : Math.abs(value * filter[i]),
        );
        const heaviest = weights.indexOf(Math.max(...weights));
        const value = expect.closeTo(patch[heaviest], 5);
        expect([id, origin]).toMatchObject([id, { channel: heaviest % inputChannels, value }]);
      }
  });

  it("lights the pixels that the patch is made of", () => {
    for (const [id, layer] of network.layers)
      for (const [row, column] of placesOf(layer)) {
        const { patch, inputChannels } = probe(network, id, row, column, 0);
        const { dims, transposed } = layer.convolution;
        const geometry = geometryOf(dims, transposed);
        const { top, left, height, width } = patchOf(geometry, row, column);
        const inside = (first: number, count: number, size: number) =>
          Math.min(first + count, size) - Math.max(first, 0);
        const lit = inside(top, height, geometry.inputHeight) * inside(left, width, geometry.inputWidth);
        expect([id, lit]).toEqual([id, patch.filter((v) => !Number.isNaN(v)).length / inputChannels]);
      }
  });

  it("is read to its end from every layer", () => {
    const ids = [...network.layers.keys()];
    for (const id of ids) {
      for (const before of layersBefore(sourceOf(network.config, id))) expect(ids).toContain(before);
      if (id !== "head") expect(layersBehind(network.config, id, ids)).not.toEqual([]);
    }
  });
});

describe("what lies before a number", () => {
  it("is shown by the channel that weighs most, a map by its mean, a gate by its only channel", () => {
    const network = traced(saUNetV2.name);
    const weights = (count: number, heaviest: readonly number[]) =>
      Float32Array.from({ length: count }, (_, c) => (heaviest.includes(c) ? -9 : c / count));
    expect(beforeOf(network, "encoder1.conv1", weights(3, [1]))).toEqual([]);
    expect(beforeOf(network, "encoder1.conv2", weights(8, [3]))).toEqual([
      { id: "encoder1.conv1", channel: 3 },
    ]);
    expect(beforeOf(network, "encoder2.conv1", weights(8, [5]))).toEqual([
      { id: "encoder1.conv2", channel: 5 },
    ]);
    expect(beforeOf(network, "bottleneck.attention", weights(2, [1]))).toEqual([
      { id: "bottleneck.conv1", channel: "mean" },
    ]);
    expect(beforeOf(network, "bottleneck.conv2", weights(24, [7]))).toEqual([
      { id: "bottleneck.conv1", channel: 7 },
      { id: "bottleneck.attention", channel: 0 },
    ]);
    // The enlarged channels come first, and the encoder's after them.
    expect(beforeOf(network, "decoder1.conv1", weights(16, [2, 14]))).toEqual([
      { id: "decoder1.up", channel: 2 },
      { id: "encoder1.conv2", channel: 6 },
      { id: "decoder1.attention", channel: 0 },
    ]);
  });

  it("says what an origin is made of, in the words of its kind", () => {
    const network = traced(saUNetV2.name);
    const kindOf = (id: string, channel: number) => originOf(network, id, [1, 2], channel).made;
    expect(kindOf("encoder1.conv1", 2)).toEqual({ kind: "photograph" });
    expect(kindOf("head", 3)).toEqual({ kind: "layer", from: "decoder1.conv2", channel: 3 });
    expect(kindOf("encoder2.conv1", 3)).toMatchObject({ kind: "pooled", from: "encoder1.conv2", channel: 3 });
    expect(kindOf("bottleneck.conv2", 4)).toMatchObject({
      kind: "gated",
      from: "bottleneck.conv1",
      channel: 4,
    });
    expect(kindOf("decoder1.attention", 0)).toEqual({
      ...{ kind: "map", of: "mean", from: "encoder1.conv2", channels: 8 },
    });
    expect(kindOf("bottleneck.attention", 1)).toMatchObject({ of: "maximum", channels: 24 });
    expect(() => probe(network, "nowhere", 0, 0, 0)).toThrow("probe: there is no layer nowhere");
  });

  it("names of a gate the layer's channel that is largest there", () => {
    const network = traced(saUNetV2.name);
    for (const [row, column] of [
      [0, 0],
      [2, 3],
    ] as const) {
      const { next } = probe(network, "bottleneck.attention", row, column, 0);
      const { activation, width, channels } = network.layers.get("bottleneck.conv1")!;
      const features = activation.subarray(
        (row * width + column) * channels,
        (row * width + column + 1) * channels,
      );
      const largest = Math.max(...features);
      expect(next).toMatchObject({ channel: features.indexOf(largest), feature: largest });
    }
  });
});

describe("probe", () => {
  it("tells what pooling keeps, and what a gate multiplies", () => {
    const network = traced(saUNetV2.name);
    const { next, activation } = probe(network, "encoder1.conv2", 5, 7, 3);
    expect(next).toMatchObject({ kind: "pooled" });
    // Row 5 and column 7 are the last of the four.
    expect(next?.kind === "pooled" && next.four[3]).toBe(activation);
    expect(probe(network, "bottleneck.attention", 1, 1, 0).next).toMatchObject({
      kind: "gate",
      of: "bottleneck.conv1",
    });
    expect(probe(network, "decoder2.attention", 1, 1, 0).next).toMatchObject({ of: "encoder2.conv2" });
    expect(probe(traced(saUNet.name), "head", 0, 0, 0).next).toBeUndefined();
  });
});

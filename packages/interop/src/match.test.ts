import { randomState } from "@saunet/core";
import { initialize, type NetworkConfig, networks, saUNet, saUNetV2 } from "@saunet/model";
import { describe, expect, it } from "vitest";
import { inferConfig, matchLayers } from "./match.ts";
import { kindOf, type SourceArray, type SourceLayer } from "./source.ts";

const small: NetworkConfig = { ...saUNetV2, channels: [8, 16, 24] };

/** The layers of a network as a file would list them, named by number unless they are to keep their paths. */
function layersOf(config: NetworkConfig, { named = false, told = true } = {}): SourceLayer[] {
  const arrays = new Map<string, Record<string, SourceArray>>();
  for (const [name, { data, shape }] of Object.entries(initialize(config, randomState(1)))) {
    const dot = name.lastIndexOf(".");
    const path = name.slice(0, dot);
    const array = { shape, values: new Float32Array(data) };
    arrays.set(path, { ...arrays.get(path), [name.slice(dot + 1)]: array });
  }
  return [...arrays].map(([path, own], i) => ({
    name: named ? path : `layer${i}`,
    kind: kindOf(own, told ? path.endsWith(".up") : undefined),
    arrays: own,
  }));
}

const model = (layers: readonly SourceLayer[]) => ({ origin: "a test", layers, facts: {} });

describe("matchLayers", () => {
  const wanted = initialize(small, randomState(1));
  const expectAll = (layers: readonly SourceLayer[]) => {
    const { parameters, assignments } = matchLayers(small, layers);
    expect(assignments.map(({ entry }) => entry)).toEqual(Object.keys(wanted));
    for (const [name, { data }] of Object.entries(wanted)) expect(parameters[name].data).toEqual(data);
  };

  it("finds every layer by order, also where transposed convolutions are not told from others", () => {
    expectAll(layersOf(small));
    expectAll(layersOf(small, { told: false }));
  });

  it("finds them in a file that lists one kind after the other", () => {
    const layers = layersOf(small);
    expectAll(layers.toSorted((a, b) => a.kind.localeCompare(b.kind)));
  });

  it("finds them by this project's names in any order", () => {
    expectAll(layersOf(small, { named: true }).reverse());
  });

  it.each<[string, (layers: SourceLayer[]) => SourceLayer[], string]>([
    [
      "another shape",
      (layers) => layers.with(2, { ...layers[2], arrays: layers[4].arrays }),
      'encoder1.conv2.filter must be [3,3,8,8] but layer "layer2" has [3,3,8,16]',
    ],
    ["one layer less", (layers) => layers.slice(0, -1), "head [1,1,8,1] [1] is missing"],
    [
      "one layer more",
      (layers) => [
        ...layers,
        { name: "dense", kind: "other", arrays: { kernel: { shape: [4, 2], values: new Float32Array(8) } } },
      ],
      'layer "dense" [4,2] belongs to no layer of the network',
    ],
    [
      "an array less",
      (layers) => layers.with(1, { ...layers[1], arrays: { gamma: layers[1].arrays.gamma } }),
      'encoder1.norm1.beta [8] is missing in layer "layer1"',
    ],
    [
      "an array more",
      (layers) =>
        layers.with(1, { ...layers[1], arrays: { ...layers[1].arrays, mean: layers[1].arrays.beta } }),
      'layer "layer1" has a mean, which encoder1.norm1 has not',
    ],
  ])("tells %s", (_, change, message) => {
    expect(() => matchLayers(small, change(layersOf(small)))).toThrow(message);
  });

  it("tells the first layers that differ, with both shapes, and how many more there are", () => {
    expect(() => matchLayers({ ...small, channels: [8, 32, 24] }, layersOf(small))).toThrow(
      /^is not a sa-unet-v2: encoder2\.conv1\.filter must be \[3,3,8,32\] but layer "layer4" has \[3,3,8,16\]; .*; and \d+ more$/,
    );
  });

  it("refuses numbers that are none", () => {
    const layers = layersOf(small);
    layers[3].arrays.gamma.values[1] = Number.NaN;
    expect(() => matchLayers(small, layers)).toThrow(
      "holds numbers in encoder1.norm2.gamma that are not finite",
    );
  });
});

describe("inferConfig", () => {
  it.each([...new Set(Object.values(networks))])(
    "tells $name from its layers, as far as they tell it",
    (network) => {
      const { config, assumed } = inferConfig(model(layersOf(network)));
      const { skipAttention, activation } = network;
      const facts = { activation, ...(skipAttention !== "none" && { skipAttention }), groups: 8 };
      expect({ ...config, skipAttention, name: network.name, dropBlock: network.dropBlock }).toEqual(network);
      expect(assumed.length).toBe(skipAttention === "none" ? (network.normalization === "group" ? 2 : 1) : 3);
      // With what a description adds, there is nothing left to assume, and the published name comes out.
      const whole = inferConfig({ ...model(layersOf(network)), facts });
      expect(whole.assumed).toEqual([]);
      expect(whole.config.name).toBe(network.name);
    },
  );

  it("tells depth and channels", () => {
    for (const channels of [
      [4, 6],
      [4, 6, 8, 10, 12],
    ]) {
      const network = { ...saUNet, channels, inputChannels: 1 };
      expect(inferConfig(model(layersOf(network))).config).toMatchObject({ channels, inputChannels: 1 });
    }
  });

  it("takes what makes up no network for SA-UNetv2, so that the comparison says what is wrong", () => {
    expect(inferConfig(model([])).config).toBe(saUNetV2);
    expect(inferConfig(model(layersOf(small).slice(3))).config).toBe(saUNetV2);
  });
});

import { randomState } from "@saunet/core";
import { initialize, type NetworkConfig, networks, saUNet, saUNetV2, uNet } from "@saunet/model";
import { describe, expect, it } from "vitest";
import { inferConfig } from "./infer.ts";
import { matchLayers } from "./match.ts";
import type { SourceLayer } from "./source.ts";
import { layersOf, model, small } from "./testing-layers.ts";

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
      'layer "layer1" has a "mean", which encoder1.norm1 has not',
    ],
  ])("tells %s", (_, change, message) => {
    expect(() => matchLayers(small, change(layersOf(small)))).toThrow(message);
  });

  it("tells the first layers that differ, with both shapes, and how many more there are", () => {
    expect(() => matchLayers({ ...small, channels: [8, 32, 24] }, layersOf(small))).toThrow(
      /^is not a sa-unet-v2: its stages have 8, 16, 24 channels, not 8, 32, 24; encoder2\.conv1\.filter must be \[3,3,8,32\] but layer "layer4" has \[3,3,8,16\]; .*; and 17 more$/,
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
      const { config, assumed } = inferConfig(model(layersOf(network)))!;
      const { skipAttention, activation } = network;
      const facts = { activation, ...(skipAttention !== "none" && { skipAttention }), groups: 8 };
      // What concerns training alone is not told.
      const { name, dropBlock, initializers } = network;
      expect({ ...config, skipAttention, name, dropBlock, initializers }).toEqual({
        initializers,
        ...network,
      });
      expect(assumed).toHaveLength(skipAttention === "none" ? 1 : 2);
      // With what a description adds, there is nothing left to assume, and the published name comes out.
      const whole = inferConfig({ ...model(layersOf(network)), facts })!;
      expect(whole.assumed).toEqual([]);
      expect(whole.config.name).toBe(network.name);
    },
  );

  it("tells attention and normalisation by whatever few layers have them", () => {
    const config = (layers: readonly SourceLayer[], facts = {}) =>
      inferConfig({ ...model(layers), facts })!.config;
    expect(config(layersOf(uNet)).bottleneckAttention).toBe(false);
    expect(config(layersOf(saUNet)).bottleneckAttention).toBe(true);
    expect(config(layersOf({ ...small, bottleneckAttention: false })).bottleneckAttention).toBe(false);
    // Statistics of one normalisation are enough, and groups say nothing of a network without any.
    const [first, ...others] = layersOf(saUNet).filter(({ kind }) => kind === "normalization");
    const bare = others.map(({ arrays: { gamma, beta }, ...layer }) => ({
      ...layer,
      arrays: { gamma, beta },
    }));
    const rest = layersOf(saUNet).filter(({ kind }) => kind !== "normalization");
    expect(config([...rest, first, ...bare]).normalization).toBe("batch");
    const plain = layersOf({ ...uNet, normalization: "none" });
    expect(config(plain, { groups: 4 })).toMatchObject({ normalization: "none", groups: uNet.groups });
    expect(config(layersOf(saUNet), { groups: 4 }).groups).toBe(saUNet.groups);
  });

  it("tells depth and channels", () => {
    for (const channels of [
      [4, 6],
      [4, 6, 8, 10, 12],
      [1, 2, 3, 4, 5, 6, 7, 8],
    ]) {
      const network = { ...saUNet, channels, inputChannels: 1 };
      expect(inferConfig(model(layersOf(network)))!.config).toMatchObject({ channels, inputChannels: 1 });
    }
    const tooDeep = { ...saUNet, channels: [1, 2, 3, 4, 5, 6, 7, 8, 9] };
    expect(inferConfig(model(layersOf(tooDeep)))).toBeUndefined();
  });

  it("makes no network of what is none", () => {
    expect(inferConfig(model([]))).toBeUndefined();
    expect(inferConfig(model(layersOf(small).slice(3)))).toBeUndefined();
    const turned = layersOf(small).map((layer) =>
      layer.kind === "convolution" ? { ...layer, kind: "transposed" as const } : layer,
    );
    expect(inferConfig(model(turned))).toBeUndefined();
    // As many filters as a U-Net has, of which none is a plain convolution.
    const allTransposed = layersOf(uNet).map((layer) =>
      layer.kind === "convolution" ? { ...layer, kind: "transposed" as const } : layer,
    );
    expect(inferConfig(model(allTransposed))).toBeUndefined();
  });

  it("wants a plain convolution at the bottom", () => {
    const layers = layersOf({ ...uNet, channels: [4, 6] });
    const withPlain = (count: number) => {
      let plain = 0;
      return layers.map((layer) =>
        layer.kind === "convolution" && ++plain > count ? { ...layer, kind: "transposed" as const } : layer,
      );
    };
    expect(inferConfig(model(withPlain(2)))).toBeUndefined();
    expect(inferConfig(model(withPlain(3)))?.config.channels).toEqual([4, 6]);
  });

  it.each<[string, number, number, boolean]>([
    ["the most", 4096, 4096, true],
    ["too many", 3, 4097, false],
    ["no", 3, 0, false],
    ["too many input", 4097, 4, false],
    ["no input", 0, 4, false],
  ])("takes %s channels for what a weights file can hold, or for no network", (_, inputs, outputs, fits) => {
    const [first, ...others] = layersOf({ ...uNet, channels: [4, 6] });
    const filter = { shape: [3, 3, inputs, outputs], values: new Float32Array(0) };
    const found = inferConfig(model([{ ...first, arrays: { filter } }, ...others]));
    expect(found?.config).toEqual(
      fits ? expect.objectContaining({ inputChannels: inputs, channels: [outputs, 6] }) : undefined,
    );
  });
});

describe("what a file is said to differ in", () => {
  const messageOf = (config: NetworkConfig, layers: readonly SourceLayer[]): string => {
    try {
      matchLayers(config, layers);
    } catch (error) {
      return (error as Error).message;
    }
    throw new Error("it fits");
  };
  const beyond = layersOf(saUNetV2);
  const [encoder, decoder] = [beyond.slice(0, 12), beyond.slice(12)];
  const beyondSmall = layersOf(small);
  const halfUp = layersOf(small, { named: true }).map(({ name, kind, arrays }, i) => ({
    name: `layer${i}`,
    kind,
    arrays: name.endsWith(".up")
      ? { ...arrays, filter: { ...arrays.filter, shape: [2, 2, ...arrays.filter.shape.slice(2)] } }
      : arrays,
  }));

  it.each<[string, NetworkConfig, readonly SourceLayer[], RegExp]>([
    [
      "another order of layers",
      saUNetV2,
      [...decoder, ...encoder],
      /^has the layers of a sa-unet-v2 with 16, 32, 48, 64 channels in another order: encoder1\.conv1\.filter must be/,
    ],
    [
      "another order of layers, at the file's own widths",
      { ...saUNet, name: "sa-unet-as-told", channels: [64, 32, 16] },
      [...beyondSmall.slice(17), ...beyondSmall.slice(0, 17)],
      /^has the layers of a sa-unet-v2 with 8, 16, 24 channels in another order: /,
    ],
    [
      "another width",
      saUNetV2,
      layersOf({ ...saUNetV2, channels: [32, 64, 96, 128] }),
      /^is not a sa-unet-v2: its stages have 32, 64, 96, 128 channels, not 16, 32, 48, 64; encoder1/,
    ],
    [
      "another depth",
      saUNetV2,
      layersOf(small),
      /^is not a sa-unet-v2: it has 11 convolutions, not 15; it has 2 transposed convolutions, not 3; .*its stages have 8, 16, 24 channels, not 16, 32, 48, 64; /,
    ],
    [
      "the nearest network",
      saUNetV2,
      layersOf(saUNet),
      /^is not a sa-unet-v2: it has 1 attention filter, not 4; its stages have 16, 32, 64, 128 channels, not 16, 32, 48, 64; it is nearest to a sa-unet with 16, 32, 64, 128 channels; /,
    ],
    [
      "the nearest network, at the file's own widths",
      saUNetV2,
      layersOf({ ...uNet, channels: [4, 6, 8] }),
      /it is nearest to a u-net with 4, 6, 8 channels; /,
    ],
    [
      "another number of colours",
      small,
      layersOf({ ...small, inputChannels: 1 }),
      /^is not a sa-unet-v2: it takes 1 channels, not 3; encoder1\.conv1\.filter must be \[3,3,3,8\] but layer "layer0" has \[3,3,1,8\]$/,
    ],
    [
      "filters of another size, where no network is nearer",
      small,
      halfUp,
      /^is not a sa-unet-v2: decoder2\.up\.filter must be \[3,3,16,24\] but layer "layer\d+" has \[2,2,16,24\]; decoder1/,
    ],
    [
      "one normalisation",
      small,
      layersOf(small).filter(({ kind }, i) => kind !== "normalization" || i === 1),
      /^is not a sa-unet-v2: it has 1 normalisation, not 10; encoder1\.norm2/,
    ],
    ["nothing", saUNetV2, [], /^is not a sa-unet-v2: it has 0 convolutions, not 18; .*and \d+ more$/],
  ])("%s", (_, config, layers, message) => {
    expect(messageOf(config, layers)).toMatch(message);
  });

  /** A file of too many convolutions to be any network, with transposed ones of these shapes. */
  const withUps = (...shapes: readonly (readonly number[])[]): SourceLayer[] => [
    ...layersOf(small)
      // Those of attention end in one channel.
      .filter(({ kind, arrays }) => kind === "convolution" && arrays.filter.shape[3] > 1)
      .slice(0, 9),
    ...shapes.map((shape, i) => {
      const filter = { shape, values: new Float32Array(shape.reduce((size, count) => size * count)) };
      return { name: `up${i}`, kind: "transposed", arrays: { filter } } as const;
    }),
  ];

  it("tells the widths of a file by its transposed convolutions, whichever is listed first", () => {
    const ups = [
      [3, 3, 16, 24],
      [3, 3, 8, 16],
    ];
    const widths = "its stages have 8, 16, 24 channels, not 16, 32, 48, 64";
    expect(messageOf(saUNetV2, withUps(...ups))).toContain(widths);
    expect(messageOf(saUNetV2, withUps(...ups.toReversed()))).toContain(widths);
    expect(messageOf(saUNetV2, withUps([3, 3, 8, 16]))).toContain("its stages have 8, 16 channels, not 16");
  });

  it.each<[string, readonly (readonly number[])[]]>([
    ["none of them", []],
    ["more of them than any network has", Array.from({ length: 8 }, () => [3, 3, 8, 8])],
    ["one of no channels", [[3, 3, 0, 8]]],
    ["one that reads none", [[3, 3, 8, 0]]],
  ])("tells no widths by %s", (_, shapes) => {
    const message = messageOf(saUNetV2, withUps(...shapes));
    expect(message).toMatch(/^is not a sa-unet-v2: it has 9 convolutions, not 1[58]/);
    expect(message).not.toMatch(/its stages have (8, 8(,| ch)|0|8, 0)/);
  });

  it("tells no widths where a convolution reads no channels", () => {
    const [first, ...others] = withUps([3, 3, 8, 16]);
    const filter = { shape: [3, 3, 0, 8], values: new Float32Array(0) };
    const message = messageOf(saUNetV2, [{ ...first, arrays: { filter } }, ...others]);
    expect(message).not.toContain("it takes 0 channels");
    expect(message).not.toContain("its stages have 8, 16 channels");
  });

  it.each<[number, RegExp]>([
    [3, /^is not a sa-unet-v2: it has 7 normalisations, not 10; (decoder|head)[^;]*;[^;]*;[^;]*$/],
    [
      4,
      /^is not a sa-unet-v2: it has 6 normalisations, not 10; (decoder|head)[^;]*;[^;]*;[^;]*; and 1 more$/,
    ],
  ])("tells three of %i faults", (count, message) => {
    const norms = layersOf(small).filter(({ kind }) => kind === "normalization");
    const left = norms.slice(0, norms.length - count).map(({ name }) => name);
    const layers = layersOf(small).filter(
      ({ kind, name }) => kind !== "normalization" || left.includes(name),
    );
    expect(messageOf(small, layers)).toMatch(message);
  });

  it("stays short where names are long", () => {
    const layers = layersOf(small).map((layer) => ({ ...layer, name: layer.name.repeat(1e5) }));
    expect(messageOf(saUNetV2, layers).length).toBeLessThan(1000);
  });
});

import { randomState } from "@saunet/core";
import { initialize, type NetworkConfig, saUNet } from "@saunet/model";
import { describe, expect, it } from "vitest";
import { ImportError } from "./errors.ts";
import { type ImportOptions, importModel } from "./imported.ts";
import type { SourceLayer } from "./source.ts";
import { layersOf, model, small } from "./testing-layers.ts";

describe("importModel", () => {
  const take = (layers: readonly SourceLayer[], options: ImportOptions = {}, facts = {}) =>
    importModel({ ...model(layers), facts }, options);

  it("assumes no number of groups", () => {
    expect(() => take(layersOf(small))).toThrow(ImportError);
    expect(() => take(layersOf(small))).toThrow(
      "does not say how many groups its normalisation has, and its weights do not tell: state them (--groups; published networks of the family have 8)",
    );
    expect(take(layersOf(small), {}, { groups: 4 }).config.groups).toBe(4);
    expect(take(layersOf(small), { config: small }).config.groups).toBe(8);
    expect(take(layersOf(saUNet)).config.normalization).toBe("batch");
  });

  it("takes the groups that are stated, and does not call them assumed", () => {
    const { config, assumed } = take(layersOf(small), { groups: 4 });
    expect(config.groups).toBe(4);
    expect(assumed).toEqual(["activation silu", "cross-scale attention in the skips"]);
    expect(take(layersOf(small), { config: small, groups: 2 }).config.groups).toBe(2);
    expect(() => take(layersOf(small), { groups: 4 }, { groups: 8 })).toThrow("it has 8 groups, not 4");
    expect(() => take(layersOf(small), { config: small }, { groups: 4, activation: "relu" })).toThrow(
      "is not a sa-unet-v2: it has 4 groups, not 8; the activation relu, not silu",
    );
    expect(() => take(layersOf(small), { groups: 5 })).toThrow(
      "has 8 channels, which do not make up 5 groups",
    );
  });

  it("tells weights where they are from, in one line of what can be shown", () => {
    const { metadata, origin } = importModel({ ...model(layersOf(saUNet)), origin: "Keras\u001b[2J 3" }, {});
    expect(origin).toMatch(/^Keras.* 3$/);
    expect(origin).not.toMatch(/\p{C}/u);
    expect(metadata).toEqual({ source: origin });
  });

  it("takes options that are undefined for options that are left out", () => {
    const options = { config: undefined, groups: undefined };
    expect(take(layersOf(saUNet), options)).toEqual(take(layersOf(saUNet)));
  });

  /** Layers without the biases of those whose path matches. */
  const bare = (config: NetworkConfig, which: RegExp) =>
    layersOf(config, { named: true }).map((layer, i) => {
      const { bias: _, ...rest } = layer.arrays;
      return { ...layer, arrays: which.test(layer.name) ? rest : layer.arrays, name: `layer${i}` };
    });

  it.each<[string, RegExp]>([
    ["before a normalisation", /\.conv\d$/],
    ["anywhere", /\.conv\d$|\.up$|^head$/],
    ["on the way up", /\.up$/],
  ])("takes convolutions that have no bias %s: a bias of zero is the same network", (_, which) => {
    const { parameters, assignments } = take(bare(small, which), { groups: 8 });
    const zero = Object.keys(parameters).filter(
      (name) => name.endsWith(".bias") && which.test(name.slice(0, -".bias".length)),
    );
    expect(zero.length).toBeGreaterThan(1);
    for (const name of zero) expect(parameters[name].data.every((value) => value === 0)).toBe(true);
    expect(assignments.map(({ entry }) => entry)).toEqual(
      Object.keys(parameters).filter((name) => !zero.includes(name)),
    );
    const wanted = initialize(small, randomState(1));
    for (const name of Object.keys(wanted)) expect(parameters[name].data).toEqual(wanted[name].data);
  });

  it.each(["encoder1.conv1", "bottleneck.conv2", "decoder1.up", "head"])(
    "takes a single bias that is missing for damage: %s",
    (path) => {
      const layers = bare(small, new RegExp(`^${path}$`));
      expect(() => take(layers, { groups: 8 })).toThrow(`${path}.bias [`);
    },
  );
});

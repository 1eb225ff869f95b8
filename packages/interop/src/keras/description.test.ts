import { describe, expect, it } from "vitest";
import { ImportError } from "../errors.ts";
import { readDescription } from "./description.ts";

describe("readDescription", () => {
  it("takes a layer's name from its settings, or from beside them", () => {
    const layers = [
      { class_name: "Conv2D", config: { name: "a" }, name: "ignored" },
      { class_name: "custom>Conv2DTranspose", config: {}, name: "b" },
      { class_name: "ReLU", config: { name: 3 }, name: 4 },
    ];
    const { classes } = readDescription(JSON.stringify({ config: { layers } }));
    expect([...classes]).toEqual([
      ["a", "Conv2D"],
      ["b", "Conv2DTranspose"],
      ["", "ReLU"],
    ]);
  });

  const described = (...layers: readonly object[]) => readDescription(JSON.stringify({ config: { layers } }));

  it("takes a layer of its own for an activation", () => {
    expect(described({ class_name: "ReLU", config: {} }).facts).toEqual({ activation: "relu" });
    expect(described({ class_name: "Custom>ReLU", config: {} }).facts).toEqual({ activation: "relu" });
    expect(described({ class_name: "Silu", config: {} }).facts).toEqual({ activation: "silu" });
    expect(described({ class_name: "Swish", config: {} }).facts).toEqual({ activation: "silu" });
    expect(described({ class_name: "Dropout", config: {} }).facts).toEqual({});
  });

  it.each(["LeakyReLU", "PReLU", "ELU"])("refuses a layer of %s", (className) => {
    expect(() => described({ class_name: className, config: {} })).toThrow(
      `has the activation ${className.toLowerCase()}; networks of this family have relu or silu`,
    );
  });

  it("refuses inputs that are nested without end", () => {
    const nested = (depth: number) => JSON.parse("[".repeat(depth) + "]".repeat(depth));
    const layer = (depth: number) => ({
      class_name: "Conv2D",
      config: { name: "a" },
      inbound_nodes: nested(depth),
    });
    expect([...described(layer(50)).classes]).toEqual([["a", "Conv2D"]]);
    expect(() => described(layer(200))).toThrow(
      new ImportError("describes a model that is nested too deeply"),
    );
  });

  /** A filter of attention with the maps that it reads, each of one of these layers. */
  const attention = (name: string, ...sources: readonly string[]) => [
    ...sources.map((source, i) => ({
      class_name: "Lambda",
      config: { name: `${name}.map${i}` },
      inbound_nodes: [source],
    })),
    {
      class_name: "Concatenate",
      config: { name: `${name}.maps` },
      inbound_nodes: sources.map((_, i) => `${name}.map${i}`),
    },
    {
      class_name: "Conv2D",
      config: { name, filters: 1, use_bias: false },
      inbound_nodes: [`${name}.maps`],
    },
  ];
  const features = ["a", "b", "c"].map((name) => ({ class_name: "Conv2D", config: { name, filters: 8 } }));
  const bottom = attention("bottom", "b", "b");

  it.each<[string, readonly object[], object]>([
    ["none by one filter, that of the bottom", bottom, {}],
    ["spatial by two", [...bottom, ...attention("skip", "a", "a")], { skipAttention: "spatial" }],
    ["cross-scale by two", [...bottom, ...attention("skip", "a", "c")], { skipAttention: "cross-scale" }],
    [
      "spatial by three",
      [...bottom, ...attention("skip", "a", "a"), ...attention("other", "c", "c")],
      { skipAttention: "spatial" },
    ],
    ["none where one reads a single map", [...bottom, ...attention("skip", "a")], {}],
  ])("tells the attention of skips: %s", (_, filters, facts) => {
    expect(described(...features, ...filters).facts).toEqual(facts);
  });
});

import { describe, expect, it } from "vitest";
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
});

import { inspectNetwork, saUNetV2 } from "@saunet/model";
import { describe, expect, it, test } from "vitest";
import { parseShapeList, readShapeList, shapeListNames } from "./shapes.ts";

test.each(shapeListNames())("%s says convolutions", (name) => {
  const lines = readShapeList(name);
  expect(lines.length).toBeGreaterThan(2);
  expect(new Set(lines.map((line) => line.name)).size).toBe(lines.length);
});

test.each([592, 704])("the list of the network at %i has the network's own FLOPs", (size) => {
  const listed = readShapeList(`sa-unet-v2-${size}`);
  const isConvolution = (op: string) => op === "conv2d" || op === "convTranspose2d";
  const { layers } = inspectNetwork(saUNetV2, { height: size, width: size });
  const convolutions = layers.filter(({ op }) => isConvolution(op));
  expect(listed.map(({ name, op }) => `${op} ${name}`)).toEqual(
    convolutions.map(({ layer, op }) => `${op} ${layer}`),
  );
  listed.forEach(({ dims, op }, i) => {
    const [, H, W, C] = convolutions[i].shape;
    expect(op === "conv2d" ? [dims.OH, dims.OW, dims.O] : [dims.H, dims.W, dims.C]).toEqual([H, W, C]);
  });
});

describe("a line", () => {
  it("has an operator, a name and nine numbers", () => {
    const [line] = parseShapeList("f", "# comment\n\nconv2d a 1 8 6 3  3 5 4  2 1 # more\n");
    expect(line).toMatchObject({ op: "conv2d", name: "a", dims: { OH: 4, OW: 3, O: 4, KH: 3, KW: 5 } });
  });

  it.each([
    ["conv2d a 1 8 8 3 3 3 4 1", 'f, line 1: wants "op name N H W C KH KW O stride dilation"'],
    ["conv2d a 1 8 8 3 3 3 x 1 1", "f, line 1: wants"],
    ["conv2d a 1 8 8 0 3 3 4 1 1", "f, line 1: wants"],
    ["pool a 1 8 8 3 3 3 4 1 1", "f, line 1: op wants conv2d"],
    ["convTranspose2d a 1 8 8 3 3 3 4 2 2", "f, line 1: op wants conv2d"],
  ])("is refused: %s", (text, message) => {
    expect(() => parseShapeList("f", text)).toThrow(message);
  });
});

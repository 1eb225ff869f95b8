import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspectNetwork, saUNetV2 } from "@saunet/model";
import { describe, expect, it, test } from "vitest";
import { dimsOf } from "./convolutions/convolution.ts";
import { USUAL } from "./settings.ts";
import { chosenShapes, readShapeList, shapeListNames } from "./shape-files.ts";
import { parseShape, parseShapeList } from "./shapes.ts";

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
  listed.forEach((spec, i) => {
    const [, H, W, C] = convolutions[i].shape;
    const dims = dimsOf(spec);
    expect(spec.op === "conv2d" ? [dims.OH, dims.OW, dims.O] : [dims.H, dims.W, dims.C]).toEqual([H, W, C]);
  });
});

describe("a list of a whole network sums to it", () => {
  const flopsOf = (name: string) =>
    readShapeList(name).reduce((sum, spec) => sum + spec.count * dimsOf(spec).flops, 0);
  const layersOf = (name: string) => readShapeList(name).reduce((sum, { count }) => sum + count, 0);

  // Multiply-adds as published, two FLOPs each, with the classifier's taken away: torchvision counts 4.089 billion for
  // ResNet-50 (2.05 million of them in the classifier), whose blocks have the stride in the 3x3 as here.
  it("ResNet-50", () => {
    expect(layersOf("resnet-50")).toBe(53);
    expect(flopsOf("resnet-50") / 2 / 1e9).toBeCloseTo(4.089 - 0.00205, 2);
  });

  // Howard et al., 2017, table 4: 569 million multiply-adds, 1.02 million of them in the classifier.
  it("MobileNet", () => {
    expect(layersOf("mobilenet")).toBe(27);
    expect(flopsOf("mobilenet") / 2 / 1e6).toBeCloseTo(568, -0.5);
  });

  // Ronneberger et al., 2015: 23 convolutional layers, four of them up-convolutions.
  it("U-Net", () => {
    expect(layersOf("u-net")).toBe(23);
    expect(readShapeList("u-net").filter(({ op }) => op === "convTranspose2d")).toHaveLength(4);
  });
});

describe("a line", () => {
  it("has an operator, a name and nine numbers, groups and a count where need be", () => {
    const text = "# comment\n\nconv2d a 1 8 6 3  3 5 4  2 1 # more\nconv2d b 1 8 6 4  3 3 4  1 1  4 2\n";
    const [line, depthwise] = parseShapeList("f", text);
    expect(line).toMatchObject({ op: "conv2d", name: "a", O: 4, KH: 3, KW: 5, groups: 1, count: 1 });
    expect(dimsOf(line)).toMatchObject({ OH: 4, OW: 3 });
    expect(depthwise).toMatchObject({ groups: 4, count: 2 });
    expect(dimsOf(depthwise)).toMatchObject({ groups: 4, flops: 2 * 8 * 6 * 4 * 9 });
  });

  const columns = '"op name N H W C KH KW O stride dilation [groups [count]]"';
  const operators = "conv2d, or convTranspose2d of dilation 1 without groups";
  it.each([
    ["conv2d a 1 8 8 3 3 3 4 1", `f, line 1: wants ${columns} but is "conv2d a 1 8 8 3 3 3 4 1"`],
    ["\nconv2d  a 1 8 8 3 3 3 x 1 1", `f, line 2: wants ${columns} but is "conv2d a 1 8 8 3 3 3 x 1 1"`],
    ["conv2d a 1 8 8 0 3 3 4 1 1", `f, line 1: wants ${columns} but is "conv2d a 1 8 8 0 3 3 4 1 1"`],
    ["conv2d a 1 8 8 3 3 3 4 1 1 1 1 1", `f, line 1: wants ${columns} but is`],
    ["pool a 1 8 8 3 3 3 4 1 1", `f, line 1: op wants ${operators}, but is pool`],
    ["convTranspose2d a 1 8 8 3 3 3 4 2 2", `f, line 1: op wants ${operators}, but is convTranspose2d`],
    ["convTranspose2d a 1 8 8 4 3 3 4 2 1 2", `f, line 1: op wants ${operators}, but is convTranspose2d`],
    ["conv2d a 1 8 8 3 3 3 4 1 1 2", "f, line 1: a: groups 2 must divide"],
    [
      "conv2d a 1 8 8 3 3 3 4 1 1\nconv2d a 1 9 9 3 3 3 4 1 1",
      "f, line 2: the name a is that of line 1 already",
    ],
  ])("is refused: %s", (text, message) => {
    expect(() => parseShapeList("f", text)).toThrow(message);
  });
});

describe("a convolution in words", () => {
  it("is read", () => {
    expect(parseShape("56x57x64 -> 32, 3x5, stride 2, batch 4")).toEqual({
      op: "conv2d",
      name: "56x57x64 -> 32, 3x5, stride 2, batch 4",
      ...{ N: 4, H: 56, W: 57, C: 64, KH: 3, KW: 5, O: 32, stride: 2, dilation: 1, groups: 1, count: 1 },
    });
    expect(parseShape("8x8x4->6, 2x2, stride 2, transposed")).toMatchObject({ op: "convTranspose2d", O: 6 });
    expect(parseShape("8x8x4 -> 4, 3x3, groups 4, dilation 2")).toMatchObject({ groups: 4, dilation: 2 });
  });

  it.each([
    ["56x56 -> 64, 3x3", "does not begin with rows, columns and channels"],
    ["1x56x56x64 -> 64, 3x3", "does not begin with rows, columns and channels"],
    ["56x56x64 -> 64x1, 3x3", "does not begin with rows, columns and channels"],
    ["56x56x64 -> 64", "has no filter"],
    ["56x56x64 -> 64, 3x3x3", "has no filter"],
    ["56x56x64 -> 64, 33x3x3", "has no filter"],
    ["56x56x64 -> 64, 3x3, strid 2", 'has "strid 2"'],
    ["56x56x64 -> 64, 3x3, the stride 2", 'has "the stride 2"'],
    ["56x56x64 -> 64, 3x3, stride 2px", 'has "stride 2px"'],
    ["56x56x64 -> 64, 3x3, stride 0", "has a 0"],
  ])("is refused: %s", (text, why) => {
    const wanted =
      '"56x56x64 -> 64, 3x3", and if need be ", stride 2, dilation 2, groups 64, batch 4, transposed"';
    expect(() => parseShape(text)).toThrow(`--shape: wants ${wanted}, but "${text}" ${why}`);
  });

  it.each([
    ["56x56x64 -> 64, 3x3, groups 3", "--shape: 56x56x64 -> 64, 3x3, groups 3: groups 3 must divide"],
    [
      "8x8x4 -> 4, 3x3, dilation 2, transposed",
      "--shape: op wants conv2d, or convTranspose2d of dilation 1 without groups, but is convTranspose2d",
    ],
  ])("is refused as what core cannot compute: %s", (text, message) => {
    expect(() => parseShape(text)).toThrow(message);
  });
});

describe("a list of one's own", () => {
  const folder = mkdtempSync(join(tmpdir(), "saunet-shapes-"));
  const path = join(folder, "mine.txt");

  it("is read by its path, beside single shapes", () => {
    writeFileSync(path, "conv2d mine 1 8 8 3 3 3 4 1 1\n");
    const found = chosenShapes({ ...USUAL, shapes: path, shape: ["8x8x4 -> 4, 1x1"] }, "awkward");
    expect(found.map(({ name }) => name)).toEqual(["8x8x4 -> 4, 1x1", "mine"]);
    expect(chosenShapes({ ...USUAL, shape: ["8x8x4 -> 4, 1x1"] }, "awkward")).toHaveLength(1);
  });

  it("is refused where it is none", () => {
    expect(() => readShapeList(join(folder, "none.txt"))).toThrow(
      /unknown shape list .*wants a path, or awkward/,
    );
    expect(() => readShapeList(folder)).toThrow("EISDIR");
    writeFileSync(path, "# nothing\n");
    expect(() => readShapeList(path)).toThrow("has no convolution");
  });
});

import { describe, expect, it } from "vitest";
import { ImportError } from "../errors.ts";
import type { Hdf5Dataset, Hdf5Tree } from "../hdf5/tree.js";
import { layersOf } from "./layers.ts";

const array = (path: string, shape: number[]): Hdf5Dataset => ({
  path,
  shape,
  values: new Float32Array(shape.reduce((product, length) => product * length, 1)),
});
const none = new Map<string, string>();
const told = (tree: Hdf5Tree, classes = none) =>
  layersOf(tree, classes).map(({ name, kind, arrays }) => [name, kind, Object.keys(arrays)]);

describe("layersOf", () => {
  it("reads a list of layers, also one that is cut into parts", () => {
    const group = (path: string, weights: string[]) => ({ path, attributes: { weight_names: weights } });
    const layers = [
      group("a", ["a/kernel:0", "a/bias:0"]),
      group("b", []),
      group("c", ["c/gamma:0", "c/beta:0", "c/moving_mean:0", "c/moving_variance:0"]),
    ];
    const datasets = [
      array("a/a/kernel:0", [3, 3, 2, 4]),
      array("a/a/bias:0", [4]),
      ...["gamma", "beta", "moving_mean", "moving_variance"].map((name) => array(`c/c/${name}:0`, [4])),
    ];
    const expected = [
      ["a", "filter", ["filter", "bias"]],
      ["c", "normalization", ["gamma", "beta", "mean", "variance"]],
    ];
    const whole = { path: "", attributes: { layer_names: ["a", "b", "c"] } };
    const parts = { path: "", attributes: { layer_names0: ["a", "b"], layer_names1: "c" } };
    expect(told({ groups: [whole, ...layers], datasets })).toEqual(expected);
    expect(told({ groups: [parts, ...layers], datasets })).toEqual(expected);
    const classes = new Map([["a", "Conv2DTranspose"]]);
    expect(told({ groups: [whole, ...layers], datasets }, classes)[0][1]).toBe("transposed");
  });

  it("tells the layers inside a block apart", () => {
    const weights = [
      "block/up_transpose/kernel:0",
      "block/norm/gamma:0",
      "block/norm/beta:0",
      "block/up_transpose/bias:0",
    ];
    const tree = {
      groups: [
        { path: "", attributes: { layer_names: ["block"] } },
        { path: "block", attributes: { weight_names: weights } },
      ],
      datasets: weights.map((name) => array(`block/${name}`, name.includes("kernel") ? [3, 3, 4, 8] : [4])),
    };
    expect(told(tree)).toEqual([
      ["block/up_transpose", "transposed", ["filter", "bias"]],
      ["block/norm", "normalization", ["gamma", "beta"]],
    ]);
  });

  it("takes off the number of an array, and no other after a colon", () => {
    const weights = ["a:1/kernel:0", "a:1/bias:0", "a:2/gamma:0", "a:2/beta:0"];
    const tree = {
      groups: [
        { path: "", attributes: { layer_names: ["a"] } },
        { path: "a", attributes: { weight_names: weights } },
      ],
      datasets: weights.map((name) => array(`a/${name}`, name.includes("kernel") ? [3, 3, 4, 8] : [8])),
    };
    expect(told(tree)).toEqual([
      ["a:1", "filter", ["filter", "bias"]],
      ["a:2", "normalization", ["gamma", "beta"]],
    ]);
  });

  it("reads numbered layers in their order, with their names where the file has them", () => {
    const layers = ["conv2d", "conv2d_1", "conv2d_2", "conv2d_10", "conv2d_transpose", "conv2d_transpose_1"];
    const tree = {
      groups: [{ path: "layers/conv2d_2/vars", attributes: { name: "head" } }],
      // HDF5 sorts by name: 10 before 2.
      datasets: [
        ...layers
          .map((name) => array(`layers/${name}/vars/0`, [3, 3, 4, 4]))
          .sort((a, b) => (a.path < b.path ? -1 : 1)),
        { path: "layers/dropout/seed_generator/vars/0", shape: [2], values: undefined },
      ],
    };
    expect(told(tree).map(([name]) => name)).toEqual(
      layers.map((name) => (name === "conv2d_2" ? "head" : name)),
    );
    expect(told(tree).map(([, kind]) => kind)).toEqual([
      ...Array(4).fill("convolution"),
      ...Array(2).fill("transposed"),
    ]);
  });

  it("takes only what stands in vars under a number for a weight", () => {
    const tree = {
      groups: [],
      datasets: [
        array("layers/conv2d/vars/0", [3, 3, 4, 4]),
        array("layers/conv2d/vars/0/scale", [4]),
        array("layers/conv2d/vars/1_old", [4]),
        array("layers/conv2d/vars/first", [4]),
        array("layers/conv2d/quantized/0", [4]),
      ],
    };
    expect(told(tree)).toEqual([["conv2d", "convolution", ["filter"]]]);
  });

  it("refuses what is listed and not there, and files without weights", () => {
    const root = { path: "", attributes: { layer_names: ["a"] } };
    expect(() => layersOf({ groups: [root], datasets: [] }, none)).toThrow(
      'lists a layer "a" that it does not hold',
    );
    const a = { path: "a", attributes: { weight_names: ["a/kernel:0"] } };
    expect(() => layersOf({ groups: [root, a], datasets: [] }, none)).toThrow('a weight "a/a/kernel:0"');
    expect(() => layersOf({ groups: [], datasets: [] }, none)).toThrow(ImportError);
  });
});

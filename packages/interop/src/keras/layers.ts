// Layers with weights out of the tree of a Keras HDF5 file. There are two layouts:
//
//   until Keras 2.11, and `.h5` ever since: a group with the attribute layer_names (at the top, or model_weights in a
//   whole model); each layer is a group with the attribute weight_names, which are the paths of its datasets.
//
//   `.weights.h5` and the one inside `.keras`: layers/<class>_<n>/vars/<i> (_layer_checkpoint_dependencies/… in 2.12),
//   numbered by class in the order of the network.

import { quote } from "@saunet/core/kernels";
import { ImportError } from "../errors.ts";
import type { Hdf5Dataset, Hdf5Tree } from "../hdf5/tree.js";
import { kindOf, type SourceArray, type SourceLayer } from "../source.ts";

/** Keras's names for arrays where this project has others. */
const ENTRIES = new Map([
  ["kernel", "filter"],
  ["moving_mean", "mean"],
  ["moving_variance", "variance"],
]);

/** Keras 1 numbered layers into the names of their weights: `convolution2d_1_W`, `batchnormalization_1_running_std`. */
const KERAS_1 = /_(W|b|running_mean|running_std)(:\d+)?$/;

/** Keras 1 laid filters out as its backend did, and saved deviations under names that promise variances. */
export function writtenByKeras1(): ImportError {
  return new ImportError(
    "was written by Keras 1, whose layouts differ: load it in Keras 2 and save it again",
  );
}

/** What stands at the top of a file beside the weights, and is of no use here. */
export const SKIPPED = ["optimizer", "optimizer_weights", "metrics"];

/**
 * Lists the layers that have weights.
 *
 * @param classes the classes of layers by name, where the file describes its model
 * @throws ImportError where a layer that is named is not there
 */
export function layersOf(tree: Hdf5Tree, classes: ReadonlyMap<string, string>): SourceLayer[] {
  const isTransposed = (name: string): boolean | undefined => {
    const known = classes.get(name);
    return known === undefined ? undefined : known === "Conv2DTranspose";
  };
  const holder = tree.groups.find(
    ({ path, attributes }) =>
      ["", "model_weights"].includes(path) && textsOf(attributes, "layer_names") !== undefined,
  );
  if (holder !== undefined) return listedLayers(tree, holder.path, isTransposed);
  const layers = numberedLayers(tree, isTransposed);
  if (layers.length === 0) throw new ImportError("is HDF5, but holds no weights as Keras lays them out");
  return layers;
}

type IsTransposed = (name: string) => boolean | undefined;

/** A list of texts; a long one is cut into layer_names0, layer_names1 … */
function textsOf(
  attributes: Readonly<Record<string, string | string[]>>,
  name: string,
): string[] | undefined {
  const whole = attributes[name];
  if (whole !== undefined) return [whole].flat();
  const parts: string[] = [];
  for (let i = 0; `${name}${i}` in attributes; i++) parts.push(...[attributes[`${name}${i}`]].flat());
  return parts.length === 0 ? undefined : parts;
}

function listedLayers(tree: Hdf5Tree, root: string, isTransposed: IsTransposed): SourceLayer[] {
  const below = root === "" ? "" : `${root}/`;
  const groups = new Map(tree.groups.map((group) => [group.path, group]));
  const datasets = new Map(tree.datasets.map((dataset) => [dataset.path, dataset]));
  const names = textsOf(groups.get(root)!.attributes, "layer_names")!;
  return names.flatMap((name) => {
    const group = groups.get(`${below}${name}`);
    if (group === undefined) throw new ImportError(`lists a layer ${quote(name)} that it does not hold`);
    // A layer of layers, such as a block of one's own, lists the weights of all: their paths tell them apart.
    const parts = new Map<string, Record<string, SourceArray>>();
    for (const path of textsOf(group.attributes, "weight_names") ?? []) {
      if (KERAS_1.test(path)) throw writtenByKeras1();
      const dataset = datasets.get(`${below}${name}/${path}`);
      if (dataset === undefined)
        throw new ImportError(`lists a weight ${quote(`${name}/${path}`)} that it does not hold`);
      const array = arrayOf(dataset);
      if (array === undefined) continue;
      const steps = path.replace(/:\d+$/, "").split("/");
      const key = steps.pop() as string;
      const part = steps.join("/");
      parts.set(part, { ...parts.get(part), [ENTRIES.get(key) ?? key]: array });
    }
    return [...parts].map(([part, arrays]) => {
      const own = parts.size > 1 ? part : name;
      const told = isTransposed(own) ?? isTransposed(part.split("/").at(-1) ?? "");
      return { name: own, kind: kindOf(arrays, told ?? (/transpose/i.test(own) || undefined)), arrays };
    });
  });
}

function numberedLayers(tree: Hdf5Tree, isTransposed: IsTransposed): SourceLayer[] {
  const groups = new Map(tree.groups.map((group) => [group.path, group]));
  const variables = new Map<string, Hdf5Dataset[]>();
  for (const dataset of tree.datasets) {
    const [, owner] = /^(.*)\/vars\/\d+$/.exec(dataset.path) ?? [];
    if (owner !== undefined) variables.set(owner, [...(variables.get(owner) ?? []), dataset]);
  }
  return [...variables.keys()].sort(inOrder).flatMap((path): SourceLayer[] => {
    const arrays = [...variables.get(path)!]
      .sort((a, b) => inOrder(a.path, b.path))
      .map(arrayOf)
      .filter((array) => array !== undefined);
    if (arrays.length === 0) return [];
    const step = path.split("/").at(-1) as string;
    const { name = step } = groups.get(`${path}/vars`)?.attributes ?? {};
    const named = nameArrays(arrays);
    const told = isTransposed(String(name)) ?? /^conv2d_transpose(_\d+)?$/.test(step);
    return [{ name: String(name), kind: kindOf(named, told), arrays: named }];
  });
}

/** `conv2d_2` before `conv2d_10`, `conv2d` before both. */
function inOrder(a: string, b: string): number {
  const [left, right] = [a, b].map((path) => path.split("/").map(numbered));
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const order = left[i].base.localeCompare(right[i].base, "en") || left[i].number - right[i].number;
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

function numbered(step: string): { base: string; number: number } {
  const [, base, digits] = /^(.*?)(?:_?(\d+))?$/.exec(step) as RegExpExecArray;
  return { base, number: digits === undefined ? -1 : Number(digits) };
}

/** Names for arrays that are only numbered: Keras adds a layer's weights in these orders. */
function nameArrays(arrays: readonly SourceArray[]): Record<string, SourceArray> {
  const vectors = ["gamma", "beta", "mean", "variance"];
  const isVectors = arrays.every(({ shape }) => shape.length === 1) && arrays.length % 2 === 0;
  const names = isVectors ? vectors : ["filter", "bias"];
  return Object.fromEntries(arrays.map((array, i) => [names[i] ?? `weight${i}`, array]));
}

/** A dataset of floats; integers are states of random generators. */
function arrayOf({ shape, values }: Hdf5Dataset): SourceArray | undefined {
  return values === undefined ? undefined : { shape, values };
}

// Which layer of a file is which layer of a network: by name where the file uses this project's names, otherwise by
// order and shape. Convolutions, transposed convolutions, attention filters and normalisations are each in the order
// of the network in any file, while a file may list one kind after the other, or attention before its neighbours.

import { type Shape, Tensor, zeros } from "@saunet/core";
import { formatShape, quote } from "@saunet/core/kernels";
import { type NetworkConfig, parameterSpecs } from "@saunet/model";
import type { SourceLayer } from "./source.ts";

/** Where one array of the file went. */
export interface Assignment {
  /** The layer as the file calls it. */
  readonly layer: string;
  /** The entry of the weights file, such as `encoder1.conv1.filter`. */
  readonly entry: string;
  readonly shape: Shape;
}

/** What a layer is in a network of the family. */
export type Kind = "convolution" | "transposed" | "attention" | "normalization" | "other";

/** A layer of a network: its path and the shapes of its entries. */
export interface Wanted {
  readonly path: string;
  readonly kind: Kind;
  readonly shapes: Readonly<Record<string, Shape>>;
}

/** The layers of a network, in its order. */
export function wantedLayers(config: NetworkConfig): Wanted[] {
  const shapes = new Map<string, Record<string, Shape>>();
  for (const [name, { shape }] of Object.entries(parameterSpecs(config))) {
    const dot = name.lastIndexOf(".");
    const path = name.slice(0, dot);
    shapes.set(path, { ...shapes.get(path), [name.slice(dot + 1)]: shape });
  }
  const kindOfPath = (path: string): Kind => {
    if (path.endsWith(".up")) return "transposed";
    if (path.endsWith(".attention")) return "attention";
    return /\.norm\d$/.test(path) ? "normalization" : "convolution";
  };
  return [...shapes].map(([path, entries]) => ({ path, kind: kindOfPath(path), shapes: entries }));
}

/** Attention filters weigh two maps around a pixel into one, without bias: nothing else in the family does. */
const isAttention = ({ arrays: { filter, bias } }: SourceLayer) =>
  filter?.shape.length === 4 &&
  bias === undefined &&
  filter.shape[0] > 1 &&
  filter.shape[2] === 2 &&
  filter.shape[3] === 1;

/** What a layer of a file is in a network. */
export function kindIn(layer: SourceLayer): Kind {
  if (layer.kind !== "transposed" && isAttention(layer)) return "attention";
  return layer.kind === "filter" ? "convolution" : layer.kind;
}

/** A file's layers beside a network's. */
export interface Comparison {
  /** Which arrays of the network are missing or of another shape, and which of the file are left over. */
  readonly faults: readonly string[];
  readonly tensors: Readonly<Record<string, Tensor>>;
  readonly assignments: readonly Assignment[];
}

/** Pairs the layers of a file with those of a network. */
export function compare(config: NetworkConfig, layers: readonly SourceLayer[]): Comparison {
  const wanted = wantedLayers(config);
  const pairs = pairByName(wanted, layers) ?? pairByOrder(wanted, layers);
  const isZero = zeroBiases(pairs);
  const faults: string[] = [];
  const tensors: Record<string, Tensor> = {};
  const assignments: Assignment[] = [];
  for (const [want, found] of pairs) {
    if (want === undefined) {
      faults.push(`layer ${quote(found!.name)} ${describe(found!)} belongs to no layer of the network`);
      continue;
    }
    if (found === undefined) {
      faults.push(`${want.path} ${listShapes(want.shapes)} is missing`);
      continue;
    }
    for (const [key, shape] of Object.entries(want.shapes)) {
      const array = found.arrays[key];
      const entry = `${want.path}.${key}`;
      if (array === undefined && key === "bias" && isZero(want)) tensors[entry] = zeros(shape);
      else if (array === undefined)
        faults.push(`${entry} ${formatShape(shape)} is missing in layer ${quote(found.name)}`);
      else if (formatShape(array.shape) !== formatShape(shape)) {
        faults.push(
          `${entry} must be ${formatShape(shape)} but layer ${quote(found.name)} has ${quote(array.shape)}`,
        );
      } else {
        tensors[entry] = new Tensor(array.values, shape);
        assignments.push({ layer: found.name, entry, shape });
      }
    }
    for (const key of Object.keys(found.arrays)) {
      if (!Object.hasOwn(want.shapes, key))
        faults.push(`layer ${quote(found.name)} has a ${quote(key)}, which ${want.path} has not`);
    }
  }
  return { faults, tensors, assignments };
}

/**
 * Whether a layer that has no bias may be taken for one whose bias is zero, which is the same network: only where all of
 * its kind have none, for a single one that is missing is damage. The head goes with the units.
 */
function zeroBiases(pairs: readonly Pair[]): (layer: Wanted) => boolean {
  const bare = new Map<Kind, boolean>();
  for (const [want, found] of pairs) {
    if (want === undefined || found === undefined || want.path === "head" || !("bias" in want.shapes))
      continue;
    bare.set(want.kind, (bare.get(want.kind) ?? true) && found.arrays.bias === undefined);
  }
  return ({ kind }) => bare.get(kind) ?? false;
}

type Pair = readonly [Wanted | undefined, SourceLayer | undefined];

/** Where every layer of the network is there by its name. */
function pairByName(wanted: readonly Wanted[], layers: readonly SourceLayer[]): Pair[] | undefined {
  const byName = new Map(layers.map((layer) => [layer.name, layer]));
  // Keras names by itself what a function makes, such as attention. Order serves such a file as well.
  if (byName.size !== layers.length || !wanted.every(({ path }) => byName.has(path))) return undefined;
  const paths = new Set(wanted.map(({ path }) => path));
  const left = layers.filter(({ name }) => !paths.has(name));
  return [
    ...wanted.map((want): Pair => [want, byName.get(want.path)]),
    ...left.map((layer): Pair => [undefined, layer]),
  ];
}

function pairByOrder(wanted: readonly Wanted[], layers: readonly SourceLayer[]): Pair[] {
  // A file that does not tell transposed convolutions from others lists both in one order.
  const isTold = layers.some(({ kind }) => kind === "transposed");
  const merged = (kind: Kind): Kind => (kind === "transposed" && !isTold ? "convolution" : kind);
  const rest = new Map<Kind, SourceLayer[]>();
  for (const layer of layers) {
    const kind = kindIn(layer);
    rest.set(kind, [...(rest.get(kind) ?? []), layer]);
  }
  const pairs = wanted.map((want): Pair => [want, rest.get(merged(want.kind))?.shift()]);
  const left = [...rest.values()].flat().map((layer): Pair => [undefined, layer]);
  return [...pairs, ...left];
}

/** The shapes of a layer's arrays. */
export const describe = ({ arrays }: SourceLayer) =>
  listShapes(Object.fromEntries(Object.entries(arrays).map(([key, { shape }]) => [key, shape])));

/** Shapes one after the other. */
export const listShapes = (shapes: Readonly<Record<string, Shape>>) =>
  Object.values(shapes).map(formatShape).join(" ");

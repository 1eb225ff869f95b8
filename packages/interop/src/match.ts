// Which layer of a file is which layer of a network: by name where the file uses this project's names, otherwise by
// order and shape. Convolutions, transposed convolutions, attention filters and normalisations are each in the order
// of the network in any file, while a file may list one kind after the other, or attention before its neighbours.

import { formatShape, type Shape, Tensor } from "@saunet/core";
import {
  type NetworkConfig,
  networks,
  type Parameters,
  parameterSpecs,
  parametersFrom,
  saUNet,
  saUNetV2,
  uNet,
} from "@saunet/model";
import { ImportError } from "./errors.ts";
import type { SourceFacts, SourceLayer, SourceModel } from "./source.ts";

/** Where one array of the file went. */
export interface Assignment {
  /** The layer as the file calls it. */
  readonly layer: string;
  /** The entry of the weights file, such as `encoder1.conv1.filter`. */
  readonly entry: string;
  readonly shape: Shape;
}

type Kind = "convolution" | "transposed" | "attention" | "normalization" | "other";

/** A layer of the network: its path and the shapes of its entries. */
interface Wanted {
  readonly path: string;
  readonly kind: Kind;
  readonly shapes: Readonly<Record<string, Shape>>;
}

function wantedLayers(config: NetworkConfig): Wanted[] {
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

/** Attention filters weigh the maps around a pixel into one, without bias: nothing else in the family does. */
const isAttention = ({ arrays: { filter, bias } }: SourceLayer) =>
  filter?.shape.length === 4 && bias === undefined && filter.shape[0] > 1 && filter.shape[3] === 1;

function kindIn(layer: SourceLayer): Kind {
  if (layer.kind !== "transposed" && isAttention(layer)) return "attention";
  return layer.kind === "filter" ? "convolution" : layer.kind;
}

/**
 * The parameters of a network out of a file's layers.
 *
 * @throws ImportError that names the first layers which differ, with the shapes that were wanted and found
 */
export function matchLayers(
  config: NetworkConfig,
  layers: readonly SourceLayer[],
): { parameters: Parameters; assignments: Assignment[] } {
  const wanted = wantedLayers(config);
  const pairs = pairByName(wanted, layers) ?? pairByOrder(wanted, layers);
  const faults: string[] = [];
  const tensors: Record<string, Tensor> = {};
  const assignments: Assignment[] = [];
  for (const [want, found] of pairs) {
    if (want === undefined) {
      faults.push(`layer "${found!.name}" ${describe(found!)} belongs to no layer of the network`);
      continue;
    }
    if (found === undefined) {
      faults.push(`${want.path} ${listShapes(want.shapes)} is missing`);
      continue;
    }
    for (const [key, shape] of Object.entries(want.shapes)) {
      const array = found.arrays[key];
      const entry = `${want.path}.${key}`;
      if (array === undefined)
        faults.push(`${entry} ${formatShape(shape)} is missing in layer "${found.name}"`);
      else if (formatShape(array.shape) !== formatShape(shape)) {
        faults.push(
          `${entry} must be ${formatShape(shape)} but layer "${found.name}" has ${formatShape(array.shape)}`,
        );
      } else {
        tensors[entry] = new Tensor(array.values, shape);
        assignments.push({ layer: found.name, entry, shape });
      }
    }
    for (const key of Object.keys(found.arrays)) {
      if (!Object.hasOwn(want.shapes, key))
        faults.push(`layer "${found.name}" has a ${key}, which ${want.path} has not`);
    }
  }
  if (faults.length > 0) {
    const more = faults.length > 3 ? `; and ${faults.length - 3} more` : "";
    throw new ImportError(`is not a ${config.name}: ${faults.slice(0, 3).join("; ")}${more}`);
  }
  for (const [entry, { data }] of Object.entries(tensors)) {
    if (!data.every(Number.isFinite)) throw new ImportError(`holds numbers in ${entry} that are not finite`);
  }
  return { parameters: parametersFrom(config, tensors), assignments };
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

const describe = ({ arrays }: SourceLayer) =>
  listShapes(Object.fromEntries(Object.entries(arrays).map(([key, { shape }]) => [key, shape])));

const listShapes = (shapes: Readonly<Record<string, Shape>>) =>
  Object.values(shapes).map(formatShape).join(" ");

/** What a file leaves open, and what was taken instead. */
export interface Inferred {
  readonly config: NetworkConfig;
  readonly assumed: readonly string[];
}

/**
 * The network that a file's layers make up, told from their number, kinds and shapes and from what the file says
 * itself; SA-UNetv2 where they make up none, so that the comparison with it says what is wrong.
 */
export function inferConfig({ layers, facts }: SourceModel): Inferred {
  const attentions = layers.filter((layer) => kindIn(layer) === "attention").length;
  const filters = layers.filter((layer) => ["convolution", "transposed"].includes(kindIn(layer)));
  const norms = layers.filter(({ kind }) => kind === "normalization");
  // Two convolutions a stage on the way down and at the bottom, three on the way up, and the head: 5 depth + 3.
  const depth = (filters.length - 3) / 5;
  if (!Number.isInteger(depth) || depth < 1 || depth > 7) return { config: saUNetV2, assumed: [] };
  const down = filters.filter(({ kind }) => kind !== "transposed");
  const channels = Array.from({ length: depth + 1 }, (_, stage) => down[2 * stage].arrays.filter.shape[3]);
  const hasSkips = attentions >= depth && attentions > 1;
  const base = hasSkips ? saUNetV2 : attentions > 0 ? saUNet : uNet;
  const hasStatistics = norms.some(({ arrays }) => "mean" in arrays);
  const normalization = norms.length === 0 ? "none" : hasStatistics ? "batch" : "group";
  return withFacts(
    {
      ...base,
      inputChannels: down[0].arrays.filter.shape[2],
      channels,
      normalization,
      activation: normalization === "group" ? "silu" : "relu",
      bottleneckAttention: hasSkips ? attentions > depth : attentions > 0,
    },
    facts,
  );
}

/** A network with what a file says of it; the rest is assumed, and said to be. */
function withFacts(guess: NetworkConfig, facts: SourceFacts): Inferred {
  const assumed: string[] = [];
  const { groups, activation, skipAttention } = facts;
  if (activation === undefined) assumed.push(`activation ${guess.activation}`);
  if (guess.normalization === "group" && groups === undefined) assumed.push(`${guess.groups} groups`);
  if (guess.skipAttention !== "none" && skipAttention === undefined) {
    assumed.push(`${guess.skipAttention} attention in the skips`);
  }
  const config: NetworkConfig = {
    ...guess,
    ...settingsOf(facts),
    ...(guess.normalization === "group" && groups !== undefined && { groups }),
    ...(activation !== undefined && { activation }),
    ...(guess.skipAttention !== "none" && skipAttention !== undefined && { skipAttention }),
  };
  return { config: { ...config, name: nameOf(config) }, assumed };
}

/** Settings that no named network has, where they are not Keras's. */
export function settingsOf({ epsilon, transposedPadding }: SourceFacts): Partial<NetworkConfig> {
  return {
    ...(epsilon !== undefined && Math.abs(epsilon / 1e-3 - 1) > 1e-5 && { epsilon }),
    ...(transposedPadding === 1 && { transposedPadding }),
  };
}

/** The published name of a network, or that of its nearest relative with its channels. */
function nameOf(config: NetworkConfig): string {
  const told = ({ channels, normalization, activation, bottleneckAttention, skipAttention }: NetworkConfig) =>
    JSON.stringify([channels, normalization, activation, bottleneckAttention, skipAttention]);
  const known = Object.values(networks).find((network) => told(network) === told(config));
  return known?.name ?? `${config.name}-${config.channels.join("-")}`;
}

// What Keras's own description of a model (config.json, or the attribute model_config) says beyond its weights: the
// constants of normalisations, the activation, which layers are transposed, and how the skips are gated.

import { quote } from "@saunet/core/kernels";
import { ImportError } from "../errors.ts";
import type { SourceFacts } from "../source.ts";
import { writtenByKeras1 } from "./layers.ts";

/** One layer of the description. */
interface DescribedLayer {
  readonly name: string;
  readonly className: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Names of the layers it reads. */
  readonly inputs: readonly string[];
}

/** A model's description. */
export interface KerasDescription {
  readonly facts: SourceFacts;
  /** The class of a layer by its name. */
  readonly classes: ReadonlyMap<string, string>;
}

const MAX_DEPTH = 100;
/** Classes that Keras 2 renamed. */
const KERAS_1 = new Set(["Convolution2D", "Deconvolution2D", "AtrousConvolution2D"]);

/**
 * Reads a description.
 *
 * @throws ImportError where it is no JSON, or says what this family of networks does not have
 */
export function readDescription(text: string): KerasDescription {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new ImportError("describes its model in what is not JSON");
  }
  const layers = collectLayers(json);
  if (layers.some(({ className }) => KERAS_1.has(className))) throw writtenByKeras1();
  for (const layer of layers) checkSettings(layer);
  return {
    classes: new Map(layers.map(({ name, className }) => [name, className])),
    facts: {
      ...single(
        "epsilon",
        layers.filter(isNormalization).map(({ config }) => config.epsilon),
      ),
      ...single(
        "groups",
        layers.filter(isGroupNormalization).map(({ config }) => config.groups),
      ),
      ...activationOf(layers),
      ...skipsOf(layers),
    },
  };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Every layer, those of nested models included. */
function collectLayers(json: unknown, depth = 0): DescribedLayer[] {
  if (depth > MAX_DEPTH) throw new ImportError("describes a model that is nested too deeply");
  if (Array.isArray(json)) return json.flatMap((entry) => collectLayers(entry, depth + 1));
  if (!isRecord(json)) return [];
  const { class_name: className, config, inbound_nodes: inbound } = json;
  const inner = isRecord(config) && Array.isArray(config.layers) ? config.layers : undefined;
  if (inner !== undefined) return collectLayers(inner, depth + 1);
  if (typeof className !== "string" || !isRecord(config)) return [];
  const name = [config.name, json.name].find((text) => typeof text === "string") ?? "";
  // Custom>GroupNormalization and the like carry the package before the class.
  return [{ name, className: className.replace(/^.*>/, ""), config, inputs: textsIn(inbound) }];
}

/** Every text in a nest of lists and records: names of layers among them. */
function textsIn(json: unknown, depth = 0): string[] {
  if (depth > MAX_DEPTH) throw new ImportError("describes a model that is nested too deeply");
  if (typeof json === "string") return [json];
  if (typeof json !== "object" || json === null) return [];
  return Object.values(json).flatMap((entry) => textsIn(entry, depth + 1));
}

/** How the layers of the family are set, class by class; their weights would fit layers that are set otherwise. */
const SETTINGS = new Map<string, Readonly<Record<string, unknown>>>([
  ["Conv2D", { strides: [1, 1], dilation_rate: [1, 1], padding: "same" }],
  ["Conv2DTranspose", { strides: [2, 2], dilation_rate: [1, 1], padding: "same" }],
  ["MaxPooling2D", { pool_size: [2, 2], strides: [2, 2] }],
]);

function checkSettings({ name, className, config }: DescribedLayer): void {
  if (className === "AveragePooling2D")
    throw new ImportError(`pools by average in layer ${quote(name)}; the family by maximum`);
  for (const [key, wanted] of Object.entries(SETTINGS.get(className) ?? {})) {
    const found = config[key];
    // A filter of one tap reaches nothing that could be padded.
    const isFree = key === "padding" && JSON.stringify(config.kernel_size) === "[1,1]";
    if (isFree || found === undefined || JSON.stringify(found) === JSON.stringify(wanted)) continue;
    throw new ImportError(
      `has a ${className} ${quote(name)} with ${key} ${quote(found)}; this family has ${JSON.stringify(wanted)}`,
    );
  }
}

const isGroupNormalization = ({ className }: DescribedLayer) => className === "GroupNormalization";
const isNormalization = (layer: DescribedLayer) =>
  isGroupNormalization(layer) || layer.className === "BatchNormalization";

/** A number on which all layers agree. */
function single(key: "epsilon" | "groups", values: readonly unknown[]): Partial<Record<typeof key, number>> {
  const distinct = [...new Set(values)];
  if (distinct.length === 0) return {};
  const [value] = distinct;
  const isSound = typeof value === "number" && value > 0 && (key === "epsilon" || Number.isInteger(value));
  if (distinct.length > 1 || !isSound) {
    const shown = distinct.map(quote).join(", ");
    throw new ImportError(`has normalisations with ${key} ${shown}; one for all is taken over`);
  }
  return { [key]: value };
}

const ACTIVATIONS = new Map<unknown, "relu" | "silu">([
  ["relu", "relu"],
  ["silu", "silu"],
  ["swish", "silu"],
]);
/** Classes that are an activation by themselves. */
const ACTIVATION_LAYERS = new Set(["ReLU", "LeakyReLU", "PReLU", "ELU", "Silu", "Swish"]);

/** The activation of the units: every one but the sigmoids of attention and head. */
function activationOf(layers: readonly DescribedLayer[]): Pick<SourceFacts, "activation"> {
  const names = layers.map(({ className, config: { activation } }) => {
    if (ACTIVATION_LAYERS.has(className)) return className.toLowerCase();
    // Keras 3 may wrap a function's name in a record.
    return isRecord(activation) ? activation.config : activation;
  });
  const found = new Set(
    names.filter((name) => typeof name === "string" && name !== "linear" && name !== "sigmoid"),
  );
  if (found.size === 0) return {};
  const known = new Set([...found].map((name) => ACTIVATIONS.get(name)));
  const [activation] = known;
  if (known.size > 1 || activation === undefined) {
    throw new ImportError(
      `has the activation ${[...found].join(", ")}; networks of this family have relu or silu`,
    );
  }
  return { activation };
}

/**
 * How skips are gated, from what the attention filters read: maps of one layer (spatial) or of two (cross-scale). The
 * one at the bottom is always of one layer.
 */
function skipsOf(layers: readonly DescribedLayer[]): Pick<SourceFacts, "skipAttention"> {
  const byName = new Map(layers.map((layer) => [layer.name, layer]));
  const parents = (name: string) => byName.get(name)?.inputs.filter((input) => byName.has(input)) ?? [];
  const filters = layers.filter(
    ({ className, config }) => className === "Conv2D" && config.filters === 1 && config.use_bias === false,
  );
  if (filters.length < 2) return {};
  const sources = filters.map(({ name }) => {
    const maps = parents(name).flatMap(parents);
    return maps.length === 2 ? new Set(maps.flatMap(parents)).size : undefined;
  });
  if (sources.includes(undefined)) return {};
  return { skipAttention: sources.includes(2) ? "cross-scale" : "spatial" };
}

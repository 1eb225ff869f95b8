// Weights in a file: safetensors whose names are the paths of parameters.ts, and whose metadata says which network
// they belong to. Nothing is guessed: an entry that is missing, left over or of another shape is an error.

import { formatShape, parameter, readSafetensors, type Tensor, writeSafetensors } from "@saunet/core";
import { type NetworkConfig, saUNetV2 } from "./config.ts";
import { type Parameters, parameterSpecs } from "./parameters.ts";

/** Weights that do not belong to the network they were given to. */
export class WeightsError extends Error {
  override readonly name = "WeightsError";
}

/** A network ready to run. */
export interface Weights {
  readonly config: NetworkConfig;
  readonly parameters: Parameters;
  /** What else the file says: licence, training data, date. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Checks named tensors against a network and returns its parameters in the network's order.
 *
 * @throws WeightsError that lists every entry which is missing, unused or of another shape
 */
export function parametersFrom(config: NetworkConfig, tensors: Readonly<Record<string, Tensor>>): Parameters {
  const specs = parameterSpecs(config);
  const faults: string[] = [];
  for (const [name, { shape }] of Object.entries(specs)) {
    const found = tensors[name];
    if (found === undefined) faults.push(`${name} is missing`);
    else if (formatShape(found.shape) !== formatShape(shape)) {
      faults.push(`${name} must be ${formatShape(shape)} but is ${formatShape(found.shape)}`);
    }
  }
  for (const name of Object.keys(tensors))
    if (!Object.hasOwn(specs, name)) faults.push(`${name} belongs to no layer`);
  if (faults.length > 0) {
    const shown = faults.slice(0, 3).join("; ");
    const more = faults.length > 3 ? `; and ${faults.length - 3} more` : "";
    throw new WeightsError(`weights: not a ${config.name}: ${shown}${more}`);
  }
  return Object.fromEntries(
    Object.entries(specs).map(([name, { trainable }]) => [
      name,
      trainable ? parameter(tensors[name]) : tensors[name],
    ]),
  );
}

const NETWORK = "network";

/**
 * Writes a network as a weights file.
 *
 * @param options `half` stores 16-bit floats, which halves the file; arithmetic stays in 32 bits
 * @throws RangeError where a weight is too large for 16 bits
 * @example
 * const parameters = initialize(saUNetV2, randomState(1));
 * const bytes = writeWeights({ config: saUNetV2, parameters, metadata: { licence: "MIT" } });
 * console.log(readWeights(bytes).config.name); // sa-unet-v2
 */
export function writeWeights(
  { config, parameters, metadata }: Weights,
  options: { readonly half?: boolean } = {},
): Uint8Array {
  return writeSafetensors(parameters, { ...metadata, [NETWORK]: JSON.stringify(config) }, options);
}

/**
 * Reads a weights file. One that does not say its network is taken for SA-UNetv2, or for `config` where that is given.
 *
 * @throws SafetensorsError where the file is damaged, WeightsError where it does not fit the network
 */
export function readWeights(bytes: Uint8Array, config?: NetworkConfig): Weights {
  const { tensors, metadata } = readSafetensors(bytes);
  const { [NETWORK]: description, ...rest } = metadata;
  const network = config ?? (description === undefined ? saUNetV2 : parseConfig(description));
  return { config: network, parameters: parametersFrom(network, tensors), metadata: rest };
}

function parseConfig(description: string): NetworkConfig {
  const refuse = (): never => {
    throw new WeightsError(
      `weights: the file describes its network in a way that is not understood: ${description.slice(0, 80)}`,
    );
  };
  let config: NetworkConfig;
  try {
    config = JSON.parse(description) as NetworkConfig;
  } catch {
    return refuse();
  }
  const isCount = (value: unknown) =>
    Number.isInteger(value) && (value as number) > 0 && (value as number) <= 4096;
  const sound =
    typeof config === "object" &&
    config !== null &&
    typeof config.name === "string" &&
    isCount(config.inputChannels) &&
    Array.isArray(config.channels) &&
    config.channels.length >= 2 &&
    config.channels.length <= 8 &&
    config.channels.every(isCount) &&
    ["none", "batch", "group"].includes(config.normalization) &&
    isCount(config.groups) &&
    ["relu", "silu"].includes(config.activation) &&
    typeof config.dropBlock?.rate === "number" &&
    isCount(config.dropBlock.size) &&
    typeof config.bottleneckAttention === "boolean" &&
    ["none", "spatial", "cross-scale"].includes(config.skipAttention) &&
    [undefined, 0, 1].includes(config.transposedPadding) &&
    (config.epsilon === undefined || (typeof config.epsilon === "number" && config.epsilon >= 0));
  return sound ? config : refuse();
}

// A network as the metadata of a safetensors file describes it: its record as JSON.

import { areClasses, type NetworkConfig } from "./config.ts";

/** The entry of the metadata. */
export const NETWORK = "network";

/** Reads what a file says of its network; undefined where that is no network of the family. */
export function parseConfig(description: string): NetworkConfig | undefined {
  let config: NetworkConfig;
  try {
    config = JSON.parse(description) as NetworkConfig;
  } catch {
    return undefined;
  }
  const isCount = (value: unknown) =>
    Number.isInteger(value) && (value as number) > 0 && (value as number) <= 4096;
  const isShare = (value: unknown) => typeof value === "number" && value >= 0 && value < 1;
  const isInitializer = (value: unknown) => ["he-normal", "glorot-uniform"].includes(value as string);
  const sound =
    typeof config === "object" &&
    config !== null &&
    typeof config.name === "string" &&
    /^[^\p{C}]{1,100}$/u.test(config.name) &&
    isCount(config.inputChannels) &&
    Array.isArray(config.channels) &&
    config.channels.length >= 2 &&
    config.channels.length <= 8 &&
    config.channels.every(isCount) &&
    ["none", "batch", "group"].includes(config.normalization) &&
    isCount(config.groups) &&
    ["relu", "silu"].includes(config.activation) &&
    isShare(config.dropBlock?.rate) &&
    isCount(config.dropBlock.size) &&
    typeof config.bottleneckAttention === "boolean" &&
    ["none", "spatial", "cross-scale"].includes(config.skipAttention) &&
    [undefined, 0, 1].includes(config.transposedPadding) &&
    (config.initializers === undefined ||
      [config.initializers?.convolution, config.initializers?.transposed].every(isInitializer)) &&
    (config.classes === undefined || areClasses(config.classes)) &&
    (config.epsilon === undefined || (typeof config.epsilon === "number" && config.epsilon >= 0));
  return sound ? config : undefined;
}

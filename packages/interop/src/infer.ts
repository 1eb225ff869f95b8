// Which network a file holds: told from the number, kinds and shapes of its layers, and from what it says of itself.

import { type NetworkConfig, networks, saUNet, saUNetV2, uNet } from "@saunet/model";
import { kindIn } from "./compare.ts";
import type { SourceFacts, SourceLayer, SourceModel } from "./source.ts";

/** What a file leaves open, and what was taken instead. */
export interface Inferred {
  readonly config: NetworkConfig;
  readonly assumed: readonly string[];
}

/**
 * The network that a file's layers make up, told from their number, kinds and shapes and from what the file says
 * itself; `undefined` where they make up none.
 */
export function inferConfig({ layers, facts }: SourceModel): Inferred | undefined {
  const filters = layers.filter((layer) => ["convolution", "transposed"].includes(kindIn(layer)));
  // Two convolutions a stage on the way down and at the bottom, three on the way up, and the head: 5 depth + 3.
  const depth = (filters.length - 3) / 5;
  if (!Number.isInteger(depth) || depth < 1 || depth > 7) return undefined;
  const down = filters.filter(({ kind }) => kind !== "transposed");
  if (down.length <= 2 * depth) return undefined;
  const channels = Array.from({ length: depth + 1 }, (_, stage) => down[2 * stage].arrays.filter.shape[3]);
  const inputChannels = down[0].arrays.filter.shape[2];
  if (![inputChannels, ...channels].every((count) => count >= 1 && count <= MAX_CHANNELS)) return undefined;
  return withFacts({ ...styleOf(layers, depth), inputChannels, channels }, facts);
}

/** Weights files hold no wider networks. */
const MAX_CHANNELS = 4096;

/** How a network of this depth attends, normalises and activates, as far as its layers tell. */
function styleOf(layers: readonly SourceLayer[], depth: number): NetworkConfig {
  const attentions = layers.filter((layer) => kindIn(layer) === "attention").length;
  const norms = layers.filter(({ kind }) => kind === "normalization");
  const hasSkips = attentions >= depth && attentions > 1;
  const base = hasSkips ? saUNetV2 : attentions > 0 ? saUNet : uNet;
  const hasStatistics = norms.some(({ arrays }) => "mean" in arrays);
  const normalization = norms.length === 0 ? "none" : hasStatistics ? "batch" : "group";
  return {
    ...base,
    normalization,
    activation: normalization === "group" ? "silu" : "relu",
    bottleneckAttention: hasSkips ? attentions > depth : attentions > 0,
  };
}

/**
 * A network with what a file says of it. What it leaves open is assumed and said to be, but for the groups: nothing in
 * their weights tells them, and a wrong number changes every probability.
 */
function withFacts(guess: NetworkConfig, facts: SourceFacts): Inferred {
  const assumed: string[] = [];
  const { groups, activation, skipAttention } = facts;
  if (activation === undefined) assumed.push(`activation ${guess.activation}`);
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

// From the layers of a file to a network's weights.

import type { NetworkConfig, Weights } from "@saunet/model";
import { ImportError, printable } from "./errors.ts";
import { type Assignment, inferConfig, matchLayers, settingsOf } from "./match.ts";
import type { SourceModel } from "./source.ts";

/** How to take a file over. */
export interface ImportOptions {
  /**
   * The network that the file must hold; by default it is told from the file. What a file says of epsilon and padding
   * holds in any case.
   */
  readonly config?: NetworkConfig;
}

/** Weights from elsewhere. */
export interface Imported extends Weights {
  /** What wrote the file. */
  readonly origin: string;
  /** What went where, in the network's order. */
  readonly assignments: readonly Assignment[];
  /** What the file does not say and was assumed, such as `8 groups`. */
  readonly assumed: readonly string[];
}

/** Matches a file's layers with a network. */
export function importModel(source: SourceModel, options: ImportOptions): Imported {
  const { config, assumed } =
    options.config === undefined
      ? inferConfig(source)
      : { config: { ...options.config, ...settingsOf(source.facts) }, assumed: [] };
  const { groups, activation, skipAttention } = source.facts;
  const contradictions = [
    config.normalization === "group" && groups !== undefined && groups !== config.groups
      ? `${groups} groups, not ${config.groups}`
      : "",
    activation !== undefined && activation !== config.activation
      ? `the activation ${activation}, not ${config.activation}`
      : "",
    config.skipAttention !== "none" && skipAttention !== undefined && skipAttention !== config.skipAttention
      ? `${skipAttention} attention in its skips, not ${config.skipAttention}`
      : "",
  ].filter((text) => text !== "");
  const { parameters, assignments } = matchLayers(config, source.layers);
  if (contradictions.length > 0)
    throw new ImportError(`is not a ${config.name}: it has ${contradictions.join("; ")}`);
  const uneven = config.channels.find((channels) => channels % config.groups !== 0);
  if (config.normalization === "group" && uneven !== undefined) {
    throw new ImportError(
      `does not say how many groups its normalisation has, and ${config.groups} do not divide ${uneven} channels`,
    );
  }
  const origin = printable(source.origin);
  return {
    config,
    parameters,
    metadata: { source: origin },
    origin,
    assignments: assignments.map((one) => ({ ...one, layer: printable(one.layer) })),
    assumed,
  };
}

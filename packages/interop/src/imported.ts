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
export function importModel(model: SourceModel, options: ImportOptions): Imported {
  const { config, assumed } =
    options.config === undefined
      ? inferConfig(model)
      : { config: { ...options.config, ...settingsOf(model.facts) }, assumed: [] };
  const { groups, activation, skipAttention } = model.facts;
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
  const { parameters, assignments } = matchLayers(config, model.layers);
  if (contradictions.length > 0)
    throw new ImportError(`is not a ${config.name}: it has ${contradictions.join("; ")}`);
  const uneven = config.channels.find((count) => !Number.isInteger(count / config.groups));
  if (config.normalization === "group" && uneven !== undefined) {
    const source = groups === undefined ? ", which were assumed, since the file does not say" : "";
    throw new ImportError(`has ${uneven} channels, which do not make up ${config.groups} groups${source}`);
  }
  const origin = printable(model.origin);
  return {
    config,
    parameters,
    metadata: { source: origin },
    origin,
    assignments: assignments.map((one) => ({ ...one, layer: printable(one.layer) })),
    assumed,
  };
}

// From the layers of a file to a network's weights.

import { expectOneOutput, type NetworkConfig, saUNetV2, type Weights } from "@saunet/model";
import type { Assignment } from "./compare.ts";
import { ImportError, printable } from "./errors.ts";
import { type Inferred, inferConfig, settingsOf } from "./infer.ts";
import { matchLayers } from "./match.ts";
import type { SourceModel } from "./source.ts";

/** How to take a file over. */
export interface ImportOptions {
  /**
   * The network that the file must hold; by default it is told from the file. What a file says of epsilon and padding
   * holds in any case.
   */
  readonly config?: NetworkConfig | undefined;
  /** Groups of the network's group normalisation, where neither the file nor `config` says it. */
  readonly groups?: number | undefined;
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

/**
 * Matches a file's layers with a network.
 *
 * @throws WeightsError where the network wanted tells classes apart; ImportError where they make up no network, or another than the one wanted, or where groups are not known
 */
export function importModel(model: SourceModel, options: ImportOptions): Imported {
  if (options.config !== undefined) expectOneOutput("import", options.config);
  const { config, assumed } = networkOf(model, options);
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
  expectGroups(config, groups !== undefined || options.config !== undefined || options.groups !== undefined);
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

/** The network that is asked for, or the one that the file holds: SA-UNetv2 where it holds none, to be compared with. */
function networkOf({ layers, facts, origin }: SourceModel, { config, groups }: ImportOptions): Inferred {
  const stated = groups === undefined ? {} : { groups };
  if (config !== undefined) return { config: { ...config, ...settingsOf(facts), ...stated }, assumed: [] };
  const told = inferConfig({ origin, layers, facts }) ?? { config: saUNetV2, assumed: [] };
  return { ...told, config: { ...told.config, ...stated } };
}

function expectGroups({ normalization, groups, channels }: NetworkConfig, areKnown: boolean): void {
  if (normalization !== "group") return;
  if (!areKnown) {
    throw new ImportError(
      `does not say how many groups its normalisation has, and its weights do not tell: state them (--groups; published networks of the family have ${saUNetV2.groups})`,
    );
  }
  const uneven = channels.find((count) => !Number.isInteger(count / groups));
  if (uneven !== undefined)
    throw new ImportError(`has ${uneven} channels, which do not make up ${groups} groups`);
}

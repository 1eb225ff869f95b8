// The layers of a file as the parameters of a network.

import { type NetworkConfig, type Parameters, parametersFrom } from "@saunet/model";
import { type Assignment, compare } from "./compare.ts";
import { describeDifference } from "./difference.ts";
import { ImportError } from "./errors.ts";
import type { SourceLayer } from "./source.ts";

/**
 * The parameters of a network out of a file's layers.
 *
 * @throws ImportError that says what tells the file from the network, with the first layers that differ and the network
 *   that it is nearest to
 */
export function matchLayers(
  config: NetworkConfig,
  layers: readonly SourceLayer[],
): { parameters: Parameters; assignments: readonly Assignment[] } {
  const { faults, tensors, assignments } = compare(config, layers);
  if (faults.length > 0) throw new ImportError(describeDifference(config, layers, faults));
  const spoilt = Object.entries(tensors).find(([, { data }]) => !data.every(Number.isFinite));
  if (spoilt !== undefined) throw new ImportError(`holds numbers in ${spoilt[0]} that are not finite`);
  return { parameters: parametersFrom(config, tensors), assignments };
}

// Averages of parameters. Along one run: what is kept and shown of it is smoother than any single step (Polyak and
// Juditsky, "Acceleration of stochastic approximation by averaging", 1992). Over several runs that began at the same
// weights: that may generalise better than any one of them (Wortsman et al., "Model soups", 2022).

import { Tensor } from "@saunet/core";
import { expectBetween } from "@saunet/core/kernels";
import type { NetworkConfig } from "./config.ts";
import type { Parameters } from "./parameters.ts";
import { expectFinite, type Weights, WeightsError } from "./weights.ts";

/** An exponential moving average of parameters, in arrays of its own. */
export interface MovingAverage {
  readonly parameters: Parameters;
  /** Takes in the parameters as they are after `steps` steps. */
  update(steps: number): void;
}

/**
 * Starts an average at the parameters' present values: `average ← decay · average + (1 - decay) · parameters`. In the
 * first steps, when the parameters are far from where they will be, it forgets faster: `decay` is then
 * `(1 + steps) / (10 + steps)`, as in TensorFlow's ExponentialMovingAverage.
 *
 * @param decay 0 keeps the last step alone
 * @throws RangeError where `decay` is not from 0 to 1
 * @example
 * const w = tensor([0]);
 * const average = movingAverage({ w }, 0.75);
 * w.data[0] = 1;
 * average.update(1000);
 * console.log(average.parameters.w.data); // Float32Array(1) [ 0.25 ]
 */
export function movingAverage(parameters: Parameters, decay: number): MovingAverage {
  expectBetween("movingAverage", "decay", decay, 0, 1);
  const averages = Object.fromEntries(
    Object.entries(parameters).map(([name, { data, shape }]) => [
      name,
      new Tensor(Float32Array.from(data), shape),
    ]),
  );
  return {
    parameters: averages,
    update(steps) {
      const share = 1 - Math.min(decay, (1 + steps) / (10 + steps));
      for (const [name, { data }] of Object.entries(parameters)) {
        const average = averages[name].data;
        // Exactly: a + (b - a) may miss b by its last bit.
        if (share === 1) average.set(data);
        else for (let i = 0; i < data.length; i++) average[i] += share * (data[i] - average[i]);
      }
    },
  };
}

/**
 * Averages weights of one network, each file counting the same. That is of use for runs which began at the same trained
 * weights: networks trained apart from the start have their channels in different orders, and their average is noise.
 *
 * @returns weights with the metadata on which all agree
 * @throws WeightsError where there are no weights, they belong to networks that differ, or hold numbers that are not finite
 * @example
 * const [a, b] = [1, 2].map((seed) => initialize(saUNetV2, randomState(seed)));
 * const { parameters } = averageWeights([
 *   { config: saUNetV2, parameters: a, metadata: {} },
 *   { config: saUNetV2, parameters: b, metadata: {} },
 * ]);
 * const sum = a["encoder1.conv1.filter"].data[0] + b["encoder1.conv1.filter"].data[0];
 * console.log(parameters["encoder1.conv1.filter"].data[0] === Math.fround(sum / 2)); // true
 */
export function averageWeights(members: readonly Weights[]): Weights {
  if (members.length === 0) throw new WeightsError("averageWeights: wants at least one network's weights");
  const [{ config, parameters, metadata }] = members;
  const network = told(config);
  const stranger = members.find((member) => told(member.config) !== network);
  if (stranger !== undefined) {
    throw new WeightsError(
      `averageWeights: weights must belong to one network but are of ${config.name} and of ${stranger.config.name}` +
        (stranger.config.name === config.name ? " with other settings" : ""),
    );
  }
  for (const member of members) expectFinite("averageWeights", member.parameters);
  const averaged = Object.entries(parameters).map(([name, { shape, requiresGrad }]) => {
    // Summed in 64 bits: the order of the files changes nothing that 32 bits could tell.
    const sum = new Float64Array(parameters[name].data.length);
    for (const member of members) {
      const { data } = member.parameters[name];
      for (let i = 0; i < sum.length; i++) sum[i] += data[i];
    }
    const mean = Float32Array.from(sum, (total) => total / members.length);
    return [name, new Tensor(mean, shape, requiresGrad)] as const;
  });
  const shared = Object.entries(metadata).filter(([key, value]) =>
    members.every((member) => member.metadata[key] === value),
  );
  return { config, parameters: Object.fromEntries(averaged), metadata: Object.fromEntries(shared) };
}

/** A network without how it starts, which older files do not say and trained weights have left behind. */
function told({ initializers: _, ...config }: NetworkConfig): string {
  return JSON.stringify(config);
}

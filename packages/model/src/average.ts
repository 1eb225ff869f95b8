// A running average of parameters: what is kept and shown of a training run is smoother than any single step of it
// (Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992).

import { expectBetween, Tensor } from "@saunet/core";
import type { Parameters } from "./parameters.ts";

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

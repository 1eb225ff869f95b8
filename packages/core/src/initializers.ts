// How parameters start. Both rules keep the variance of activations steady through layers; limits, truncation and
// the meaning of "fan" are Keras's.

import { expectInteger } from "./errors.ts";
import { normal, type RandomState, uniform } from "./random.ts";
import type { Shape } from "./shape.ts";
import type { Tensor } from "./tensor.ts";

/** Deviation of a standard normal cut at two deviations: what Keras divides by to get back the one it wants. */
const DEVIATION_OF_TRUNCATED = 0.87962566103423978;

/**
 * How many inputs meet in one output and the reverse, as Keras counts them: receptive field times the last two sizes.
 * For transposed filters `[KH,KW,Cout,Cin]` "in" is therefore really the output side.
 *
 * @throws RangeError where there are fewer than two axes
 * @example
 * console.log(fans([3, 3, 16, 32])); // { fanIn: 144, fanOut: 288 }
 */
export function fans(shape: Shape): { fanIn: number; fanOut: number } {
  expectInteger("fans", "number of axes", shape.length, 2);
  const field = shape.slice(0, -2).reduce((product, size) => product * size, 1);
  return { fanIn: field * shape.at(-2)!, fanOut: field * shape.at(-1)! };
}

/**
 * He initialisation (He et al., ICCV 2015): normal with deviation sqrt(2 / fanIn), cut at two deviations.
 *
 * @example
 * const filter = heNormal([3, 3, 16, 32], randomState(1));
 */
export function heNormal(shape: Shape, state: RandomState): Tensor {
  const deviation = Math.sqrt(2 / fans(shape).fanIn) / DEVIATION_OF_TRUNCATED;
  return normal(shape, state, { deviation, limit: 2 });
}

/**
 * Glorot initialisation (Glorot and Bengio, AISTATS 2010): uniform within ±sqrt(6 / (fanIn + fanOut)).
 *
 * @example
 * const filter = glorotUniform([3, 3, 16, 32], randomState(1));
 */
export function glorotUniform(shape: Shape, state: RandomState): Tensor {
  const { fanIn, fanOut } = fans(shape);
  const limit = Math.sqrt(6 / (fanIn + fanOut));
  return uniform(shape, state, { low: -limit, high: limit });
}

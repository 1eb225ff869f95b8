// Variance, as a composition: mean((x - mean x)²). Biased (divided by n), as normalisation layers have it.

import { formatShape } from "../errors.ts";
import { asTensor, type Tensor } from "../tensor.ts";
import { mul, sub } from "./arithmetic.ts";
import { mean, type ReduceOptions, reducedShapes } from "./sum.ts";

/**
 * The mean squared distance from the mean, over axes.
 *
 * @throws RangeError where an axis does not exist, is named twice, or there is nothing to average
 * @example
 * console.log(variance(tensor([1, 2, 3, 6])).item()); // 3.5
 */
export function variance(x: Tensor, options: ReduceOptions = {}): Tensor {
  x = asTensor("variance", "x", x);
  const { count } = reducedShapes("variance", x.shape, options);
  if (count === 0) throw new RangeError(`variance: x ${formatShape(x.shape)} has nothing to average`);
  const distance = sub(x, mean(x, { axes: options.axes, keepDims: true }));
  return mean(mul(distance, distance), options);
}

// Norms of vectors, over any axes, as compositions:
//
//   1  Σ |x|      2  √Σ x²      ∞  max |x|      p  (Σ |x|^p)^(1/p)
//
// Over all axes of a matrix, 2 is the Frobenius norm. Where all elements are 0 the gradient is 0 (torch.linalg): the
// root is taken of 1 there, so that its infinite slope is never met.

import { expectOptions, formatShape } from "../errors.ts";
import { asTensor, type Tensor } from "../tensor.ts";
import { mul } from "./arithmetic.ts";
import { equal } from "./comparison.ts";
import { max } from "./max.ts";
import { type ReduceOptions, reducedShapes, sum } from "./sum.ts";
import { abs, pow, sqrt } from "./unary.ts";
import { where } from "./where.ts";

/** Which norm, and over which axes. */
export interface NormOptions extends ReduceOptions {
  /** A number from 1 to `Infinity`; default 2. */
  readonly order?: number;
}

/**
 * The length of vectors.
 *
 * @throws RangeError where the order is below 1, an axis does not exist or is named twice, or the largest of nothing is
 *   asked for
 * @example
 * const x = tensor([[3, 4], [0, 0]]);
 * console.log(norm(x).item(), String(norm(x, { axes: 1, order: 1 }))); // 5 Tensor [2] [7, 0]
 */
export function norm(x: Tensor, options: NormOptions = {}): Tensor {
  expectOptions("norm", options, ["order", "axes", "keepDims"]);
  const { order = 2, ...over } = options;
  if (!(order >= 1)) throw new RangeError(`norm: order must be a number of at least 1 but is ${order}`);
  const from = asTensor("norm", "x", x);
  const { count } = reducedShapes("norm", from.shape, over);
  if (order === 1) return sum(abs(from), over);
  if (order === Number.POSITIVE_INFINITY) {
    if (count === 0) throw new RangeError(`norm: x ${formatShape(from.shape)} has nothing to compare`);
    return max(abs(from), over);
  }
  const powers = sum(order === 2 ? mul(from, from) : pow(abs(from), order), over);
  const isZero = equal(powers, 0);
  const root = where(isZero, 1, powers);
  return where(isZero, 0, order === 2 ? sqrt(root) : pow(root, 1 / order));
}

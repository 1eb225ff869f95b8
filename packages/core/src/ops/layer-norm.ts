// Layer normalisation (Ba, Kiros and Hinton, arXiv 1607.06450), as Keras and PyTorch compute it.
//
//   y = (x - mean) / sqrt(variance + epsilon) · gamma + beta
//
//   x, y [R…,S…]   gamma, beta [S…]   mean, variance [R…]
//
// Mean and (biased) variance run over the last axes, those that gamma has. That is group normalisation of images of one
// position and one group, so it owns no kernel; `@saunet/wasm` has code of its own for such rows. Epsilon is 1e-3, Keras's default; PyTorch's is 1e-5.

import { contribute, record } from "../autograd.ts";
import { expectOptions, expectShape, formatShape, ShapeError } from "../errors.ts";
import { allocate, asTensor, empty, type Tensor } from "../tensor.ts";
import { groupNormDims, groupNormForward, groupNormGradient, groupNormStatistics } from "./group-norm.ts";

/** What keeps the root of the variance away from zero. */
export interface LayerNormOptions {
  /** Default 1e-3. */
  readonly epsilon?: number;
}

/**
 * Normalises over the last axes: those that `gamma` has, as a rule one.
 *
 * @param x `[…,S]`
 * @param gamma scale `[S]`
 * @param beta shift `[S]`
 * @throws ShapeError where gamma and beta are not the last axes of `x`
 * @example
 * const y = layerNorm(tensor([[1, 3], [10, 30]]), ones([2]), zeros([2]), { epsilon: 0 });
 * console.log(String(y)); // Tensor [2,2] [[-1, 1], [-1, 1]]
 */
export function layerNorm(x: Tensor, gamma: Tensor, beta: Tensor, options: LayerNormOptions = {}): Tensor {
  const op = "layerNorm";
  expectOptions(op, options, ["epsilon"]);
  const from = asTensor(op, "x", x);
  const [scale, shift] = [asTensor(op, "gamma", gamma), asTensor(op, "beta", beta)];
  const { shape } = scale;
  if (shape.length === 0 || shape.length > from.shape.length || scale.size === 0) {
    throw new ShapeError(
      `layerNorm: gamma must be the last axes of x ${formatShape(from.shape)} but is ${formatShape(shape)}`,
    );
  }
  expectShape(op, "gamma", shape, from.shape.slice(-shape.length));
  expectShape(op, "beta", shift.shape, shape);
  const d = groupNormDims([from.size / scale.size, scale.size], { groups: 1, ...options });
  const [mean, variance] = [allocate(d.N), allocate(d.N)];
  const y = empty(from.shape);
  groupNormStatistics({ mean, variance, x: from.data }, d);
  groupNormForward({ y: y.data, x: from.data, mean, variance, gamma: scale.data, beta: shift.data }, d);
  return record(op, y, [from, scale, shift], (gy) =>
    contribute([from, scale, shift], (gx, gGamma, gBeta) =>
      groupNormGradient({ gx, gGamma, gBeta, gy, x: from.data, mean, variance, gamma: scale.data }, d),
    ),
  );
}

// Cross-entropy of logits, element by element; averaging is the caller's (`mean`).
//
//   y = max(x, 0) - x z + log(1 + e^-|x|)      gx = gy (sigmoid(x) - z)
//
//   x  logits, any shape      z  targets from 0 to 1, the shape of x
//
// That is -z log sigmoid(x) - (1 - z) log(1 - sigmoid(x)) in a form that neither overflows nor loses small values
// (tf.nn.sigmoid_cross_entropy_with_logits). The target is taken as given: no gradient flows to it.

import { contribute, record } from "../autograd.ts";
import { expectShape } from "../errors.ts";
import { type Floats, kernel } from "../kernel.ts";
import { asTensor, empty, type Tensor } from "../tensor.ts";

/** `y = max(x, 0) - x z + log(1 + e^-|x|)`. */
export const sigmoidCrossEntropyForward = kernel(
  "sigmoidCrossEntropy.forward",
  { y: "write", x: "read", z: "read" },
  ({ y, x, z }: { y: Floats; x: Floats; z: Floats }) => {
    for (let i = 0; i < y.length; i++) {
      const logit = x[i];
      y[i] = Math.max(logit, 0) - logit * z[i] + Math.log1p(Math.exp(-Math.abs(logit)));
    }
  },
);

/** `gx = gy (sigmoid(x) - z)`. */
export const sigmoidCrossEntropyGradient = kernel(
  "sigmoidCrossEntropy.gradient",
  { gx: "write", gy: "read", x: "read", z: "read" },
  ({ gx, gy, x, z }: { gx: Floats; gy: Floats; x: Floats; z: Floats }) => {
    for (let i = 0; i < gx.length; i++) gx[i] = gy[i] * (1 / (1 + Math.exp(-x[i])) - z[i]);
  },
);

/**
 * Binary cross-entropy of `sigmoid(logits)` and `target`, one number an element.
 *
 * @param logits any real numbers
 * @param target from 0 to 1, in the shape of `logits`; receives no gradient
 * @throws ShapeError where the shapes differ
 * @example
 * const loss = mean(sigmoidCrossEntropy(tensor([0, 100]), tensor([1, 1])));
 * console.log(loss.item().toFixed(4)); // 0.3466
 */
export function sigmoidCrossEntropy(logits: Tensor, target: Tensor): Tensor {
  logits = asTensor("sigmoidCrossEntropy", "logits", logits);
  target = asTensor("sigmoidCrossEntropy", "target", target);
  expectShape("sigmoidCrossEntropy", "target", target.shape, logits.shape);
  const y = empty(logits.shape);
  const [x, z] = [logits.data, target.data];
  sigmoidCrossEntropyForward({ y: y.data, x, z }, undefined);
  return record("sigmoidCrossEntropy", y, [logits], (gy) =>
    contribute([logits], (gx) => sigmoidCrossEntropyGradient({ gx, gy, x, z }, undefined)),
  );
}

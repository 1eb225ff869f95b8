// Dropout: every element becomes 0 with a given probability, and what stays is scaled so that the mean is kept.
//
//   y = x · m,   m = 0 where noise < rate, else 1 / (1 - rate);   noise uniform on [0, 1)
//
// As Keras's Dropout in training (Srivastava et al., JMLR 2014). The mask is one kernel, the rest is `mul`.

import { expectBetween, expectOptions, expectShape } from "../errors.ts";
import { type Floats, kernel } from "../kernel.ts";
import { type RandomState, uniform } from "../random.ts";
import { asTensor, empty, type Tensor } from "../tensor.ts";
import { mul } from "./arithmetic.ts";

/** How much {@link dropout} drops. */
export interface DropoutOptions {
  /** The probability of dropping an element, from 0 to 1. */
  readonly rate: number;
}

/** `mask = 0` where `noise < rate`, else `1 / (1 - rate)`. */
export const dropoutMask = kernel(
  "dropout.mask",
  { mask: "write", noise: "read" },
  ({ mask, noise }: { mask: Floats; noise: Floats }, { rate }: DropoutOptions) => {
    for (let i = 0; i < mask.length; i++) mask[i] = noise[i] < rate ? 0 : 1 / (1 - rate);
  },
);

/**
 * Drops elements at random. For training: at inference, leave it out.
 *
 * @param state where the randomness comes from; drawing moves it on
 * @throws RangeError where `rate` is not from 0 to 1
 * @example
 * const y = dropout(ones([1000]), randomState(1), { rate: 0.25 });
 * console.log(y.data.every((value) => value === 0 || value === Math.fround(4 / 3))); // true
 */
export function dropout(x: Tensor, state: RandomState, options: DropoutOptions): Tensor {
  x = asTensor("dropout", "x", x);
  return dropoutFromNoise(x, uniform(x.shape, state), options);
}

/**
 * {@link dropout} with given noise, in the shape of `x`: what decides is `noise < rate`.
 *
 * @throws ShapeError where the noise has another shape; RangeError where the rate does not lie between 0 and 1
 * @example
 * console.log(String(dropoutFromNoise(ones([2]), tensor([0.4, 0.6]), { rate: 0.5 }))); // Tensor [2] [0, 2]
 */
export function dropoutFromNoise(x: Tensor, noise: Tensor, options: DropoutOptions): Tensor {
  expectOptions("dropout", options, ["rate"]);
  const { rate } = options;
  expectBetween("dropout", "rate", rate, 0, 1);
  expectShape("dropout", "noise", noise.shape, x.shape);
  const mask = empty(x.shape);
  dropoutMask({ mask: mask.data, noise: noise.data }, { rate });
  return mul(x, mask);
}

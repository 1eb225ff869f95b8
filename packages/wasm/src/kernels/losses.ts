// Cross-entropy of logits, element by element.
//
//   y = max(x, 0) - x z + log(1 + e^-|x|)      gx = gy (1 / (1 + e^-x) - z)

import { sigmoidCrossEntropyForward, sigmoidCrossEntropyGradient } from "@saunet/core/kernels";
import { elementwise } from "./elementwise.ts";
import { exponential, log1p, onePlusExpOfNegative } from "./exp.ts";

export const crossEntropy = elementwise(sigmoidCrossEntropyForward, {}, (f) => {
  const { f32x4 } = f;
  const zero = f.constant("zero", 0);
  const exp = exponential(f, -1);
  const logarithm = log1p(f);
  return ({ x, y, z }) => {
    f.setEach(y, (i) => f32x4.abs(x[i]));
    exp(y);
    logarithm(y);
    f.setEach(z, (i) => f32x4.sub(f32x4.pmax(x[i], zero), f32x4.mul(x[i], z[i])));
    f.setEach(y, (i) => f32x4.add(z[i], y[i]));
  };
});

export const gradientOfCrossEntropy = elementwise(sigmoidCrossEntropyGradient, {}, (f) => {
  const { f32x4 } = f;
  const one = f.constant("numerator", 1);
  const divisor = onePlusExpOfNegative(f);
  return ({ gx, gy, x, z }) => {
    divisor(x);
    f.setEach(gx, (i) => f32x4.mul(f32x4.sub(f32x4.div(one, x[i]), z[i]), gy[i]));
  };
});

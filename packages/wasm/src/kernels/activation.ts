// Activations and their gradients, element by element.
//
//   relu     y = x > 0 ? x : 0          gx = y > 0 ? gy : 0
//   leaky    y = x > 0 ? x : slope · x  gx = x > 0 ? gy : slope · gy
//   sigmoid  y = 1 / (1 + e^-x)         gx = gy · y (1 - y)
//   silu     y = x / (1 + e^-x)         gx = gy · s (1 + x (1 - s)),  s = 1 / (1 + e^-x)
//
// Four vectors at once where e^x is computed, so that its long chain of operations waits for nothing.

import {
  leakyReluForward,
  leakyReluGradient,
  reluForward,
  reluGradient,
  sigmoidForward,
  sigmoidGradient,
  siluForward,
  siluGradient,
} from "@saunet/core/kernels";
import type { FunctionBuilder, V128, Value } from "../asm/index.ts";
import { elementwise, valuewise } from "./elementwise.ts";
import { onePlusExpOfNegative, onePlusPowerOfTwo } from "./exp.ts";

/** NaN stays NaN: of unequal pairs pmax keeps the first. */
export const relu = valuewise(reluForward, (f) => {
  const zero = f.constant("zero", 0);
  return (x) => f.f32x4.pmax(x, zero);
});

export const gradientOfRelu = valuewise(reluGradient, (f) => {
  const zero = f.constant("zero", 0);
  return (gy, y) => f.v128.and(gy, f.f32x4.gt(y, zero));
});

export const leakyRelu = valuewise(leakyReluForward, (f, { slope }) => {
  const choose = kinked(f, slope);
  return (x) => choose(x, x);
});

export const gradientOfLeakyRelu = valuewise(leakyReluGradient, (f, { slope }) => {
  const choose = kinked(f, slope);
  return (gy, x) => choose(gy, x);
});

/** Prepares `x > 0 ? value : slope · value`. */
function kinked(f: FunctionBuilder, slope: number): (value: V128, x: V128) => Value<"v128"> {
  const zero = f.constant("zero", 0);
  const factor = f.constant("slope", slope);
  return (value, x) => f.v128.bitselect(value, f.f32x4.mul(value, factor), f.f32x4.gt(x, zero));
}

export const sigmoid = elementwise(sigmoidForward, {}, (f) => {
  const one = f.constant("numerator", 1);
  const divisor = onePlusExpOfNegative(f);
  return ({ x, y }) => {
    divisor(x);
    f.setEach(y, (i) => f.f32x4.div(one, x[i]));
  };
});

export const gradientOfSigmoid = valuewise(sigmoidGradient, (f) => {
  const one = f.constant("one", 1);
  return (gy, y) => f.f32x4.mul(f.f32x4.mul(gy, y), f.f32x4.sub(one, y));
});

export const silu = elementwise(siluForward, {}, (f) => {
  const divisor = onePlusExpOfNegative(f);
  return ({ x, y }) => {
    f.setEach(y, (i) => x[i]);
    divisor(y);
    f.setEach(y, (i) => f.f32x4.div(x[i], y[i]));
  };
});

/**
 * Prepares `x ← s (1 + x (1 - s))`, the slope of SiLU at x; what it returns writes the code for some vectors.
 *
 * @param isBinary whether it is given `x · log2 e`
 * @param relaxed whether a product and a sum may be one instruction
 */
export function siluSlope(
  f: FunctionBuilder,
  { isBinary = false, relaxed = false }: { readonly isBinary?: boolean; readonly relaxed?: boolean } = {},
): (xs: readonly V128[]) => void {
  const { f32x4 } = f;
  const madd = f.multiplyAdd(relaxed);
  const one = f.constant("numerator", 1);
  const unit = isBinary ? f.constant("ln2", Math.LN2) : undefined;
  const divisor = isBinary ? onePlusPowerOfTwo(f, { relaxed }) : onePlusExpOfNegative(f);
  return (xs) => {
    const ss = f.locals("s", "v128", xs.length);
    f.setEach(ss, (i) => xs[i]);
    divisor(ss);
    f.setEach(ss, (i) => f32x4.div(one, ss[i]));
    if (unit) f.setEach(xs, (i) => f32x4.mul(xs[i], unit));
    f.setEach(xs, (i) => f32x4.mul(madd(one, xs[i], f32x4.sub(one, ss[i])), ss[i]));
  };
}

export const gradientOfSilu = elementwise(siluGradient, {}, (f) => {
  const slope = siluSlope(f);
  return ({ gx, gy, x }) => {
    f.setEach(gx, (i) => x[i]);
    slope(gx);
    f.setEach(gx, (i) => f.f32x4.mul(gx[i], gy[i]));
  };
});

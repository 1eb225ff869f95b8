// Functions of one number, element by element, and their gradients: core's table (ops/unary.ts), entry by entry.
//
//   tanh x   x + x³ · R(x²)                  for |x| < 0.625
//            ± (1 - e^-2|x|) / (1 + e^-2|x|)  beyond, where nothing cancels any more
//   x^n      products of x, or of 1 / x, for whole n from -4 to 4; other exponents stay with the portable form
//
// R is that of Cephes (S. L. Moshier, tanhf.c): within 1e-7 of the result.

import { type Floats, type Kernel, unaryKernels } from "@saunet/core/kernels";
import type { FunctionBuilder, V128, Value } from "../asm/index.ts";
import type { Generator } from "../plan.ts";
import { elementwise, valuewise } from "./elementwise.ts";
import { exponential, logarithm, polynomial } from "./exp.ts";

/** `y = x`, then what works on vectors where they are; so many at once. */
const inPlace = <D>(
  kernel: Kernel<{ y: Floats; x: Floats }, D>,
  vectors: number,
  prepare: (f: FunctionBuilder) => (ys: readonly V128[]) => void,
): Generator =>
  elementwise(kernel, { vectors }, (f) => {
    const change = prepare(f);
    return ({ x, y }) => {
      f.setEach(y, (i) => x[i]);
      change(y);
    };
  });

/** Up to here e^-2|x| would cancel. */
const SMALL = 0.625;
const R = [-0.333332819422, 0.133314422036, -0.0537397155531, 0.0206390887954, -0.00570498872745] as const;

const tanh = elementwise(unaryKernels.tanh.forward, { vectors: 2 }, (f) => {
  const { v128, f32x4 } = f;
  const power = exponential(f, -1);
  const one = f.constant("unit", 1);
  const small = f.constant("small", SMALL);
  const sign = f.constant("sign", -0);
  const r = polynomial(f, R);
  return ({ x, y }) => {
    f.setEach(y, (i) => f32x4.abs(x[i]));
    f.setEach(y, (i) => f32x4.add(y[i], y[i]));
    power(y);
    f.setEach(y, (i) => f32x4.div(f32x4.sub(one, y[i]), f32x4.add(one, y[i])));
    f.setEach(y, (i) => v128.or(y[i], v128.and(x[i], sign)));
    const { squares } = f.declare("v128", x.length);
    f.setEach(squares, (i) => f32x4.mul(x[i], x[i]));
    const sums = r(squares);
    f.setEach(sums, (i) => f32x4.add(x[i], f32x4.mul(f32x4.mul(sums[i], squares[i]), x[i])));
    f.setEach(y, (i) => v128.bitselect(sums[i], y[i], f32x4.lt(f32x4.abs(x[i]), small)));
  };
});

/** The largest power that is a chain of products. */
const MOST_FACTORS = 4;
const isShort = (exponent: number): boolean =>
  Number.isInteger(exponent) && Math.abs(exponent) <= MOST_FACTORS;

/** Prepares x^n for a short n. */
function shortPower(f: FunctionBuilder, n: number): (x: V128) => V128 | Value<"v128"> {
  const { f32x4 } = f;
  const one = f.constant("one", 1);
  const base = f.local("base", "v128");
  return (x) => {
    if (n === 0) return one;
    f.set(base, n < 0 ? f32x4.div(one, x) : x);
    let power = f.get(base);
    for (let factors = 1; factors < Math.abs(n); factors++) power = f32x4.mul(power, base);
    return power;
  };
}

const gradientOfPow = valuewise(
  unaryKernels.pow.gradient,
  (f, exponent) => {
    const power = shortPower(f, exponent - 1);
    const factor = f.constant("factor", exponent);
    // 0 times anything finite is 0, as the slope of x^0 is; beyond, the factor alone counts.
    return (gy, at) => f.f32x4.mul(exponent === 0 ? factor : f.f32x4.mul(power(at), factor), gy);
  },
  isShort,
);

/** The generators of all functions. */
export const unary: readonly Generator[] = [
  valuewise(unaryKernels.neg.forward, ({ f32x4 }) => f32x4.neg),
  valuewise(unaryKernels.neg.gradient, ({ f32x4 }) => f32x4.neg),
  inPlace(unaryKernels.exp.forward, 4, (f) => exponential(f, 1)),
  valuewise(unaryKernels.exp.gradient, ({ f32x4 }) => f32x4.mul),
  inPlace(unaryKernels.log.forward, 2, logarithm),
  valuewise(unaryKernels.log.gradient, ({ f32x4 }) => f32x4.div),
  valuewise(unaryKernels.sqrt.forward, ({ f32x4 }) => f32x4.sqrt),
  valuewise(unaryKernels.sqrt.gradient, (f) => {
    const half = f.constant("half", 0.5);
    return (gy, at) => f.f32x4.mul(gy, f.f32x4.div(half, at));
  }),
  valuewise(unaryKernels.abs.forward, ({ f32x4 }) => f32x4.abs),
  valuewise(unaryKernels.abs.gradient, (f) => {
    const { v128, f32x4 } = f;
    const [zero, one, sign] = [f.constant("zero", 0), f.constant("one", 1), f.constant("sign", -0)];
    // 0 and NaN are their own signs.
    return (gy, at) => {
      const signed = v128.or(v128.and(at, sign), one);
      return f32x4.mul(gy, v128.bitselect(signed, at, v128.or(f32x4.lt(at, zero), f32x4.gt(at, zero))));
    };
  }),
  tanh,
  valuewise(unaryKernels.tanh.gradient, (f) => {
    const one = f.constant("one", 1);
    return (gy, at) => f.f32x4.mul(gy, f.f32x4.sub(one, f.f32x4.mul(at, at)));
  }),
  valuewise(unaryKernels.pow.forward, shortPower, isShort),
  gradientOfPow,
  valuewise(unaryKernels.clip.forward, (f, { min, max }) => {
    const [low, high] = [f.constant("low", min), f.constant("high", max)];
    return (x) => f.f32x4.pmin(f.f32x4.pmax(x, low), high);
  }),
  valuewise(unaryKernels.clip.gradient, (f, { min, max }) => {
    const { v128, f32x4 } = f;
    const [low, high] = [f.constant("low", min), f.constant("high", max)];
    const one = f.constant("one", 1);
    return (gy, at) => f32x4.mul(gy, v128.and(v128.and(f32x4.ge(at, low), f32x4.le(at, high)), one));
  }),
];

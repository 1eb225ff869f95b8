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
import { elementwise } from "./elementwise.ts";
import { exponential, logarithm } from "./exp.ts";
import { MEMORY_GRAIN } from "./stream.ts";

/** Prepares the code that gives one vector from others. */
type Prepare<D, V extends readonly V128[]> = (
  f: FunctionBuilder,
  dims: D,
) => (...vectors: V) => Value<"v128">;

/** `y = value(x)`: one or a few instructions, so that memory sets the pace. */
const forward = <D>(
  kernels: { readonly forward: Kernel<{ y: Floats; x: Floats }, D> },
  prepare: Prepare<D, [x: V128]>,
): Generator =>
  elementwise(kernels.forward, { grain: MEMORY_GRAIN }, (f, dims) => {
    const value = prepare(f, dims);
    return ({ x, y }) => f.setEach(y, (i) => value(x[i]));
  });

/** `gx = slope(gy, at)` */
const gradient = <D>(
  kernels: { readonly gradient: Kernel<{ gx: Floats; gy: Floats; at: Floats }, D> },
  prepare: Prepare<D, [gy: V128, at: V128]>,
  suits?: (dims: D) => boolean,
): Generator =>
  elementwise(kernels.gradient, { grain: MEMORY_GRAIN, ...(suits && { suits }) }, (f, dims) => {
    const slope = prepare(f, dims);
    return ({ gx, gy, at }) => f.setEach(gx, (i) => slope(gy[i], at[i]));
  });

/** `y = x`, then what works on vectors where they are. */
const inPlace = <D>(
  kernels: { readonly forward: Kernel<{ y: Floats; x: Floats }, D> },
  options: Parameters<typeof elementwise<{ y: Floats; x: Floats }, D>>[1],
  prepare: (f: FunctionBuilder, dims: D) => (ys: readonly V128[]) => void,
): Generator =>
  elementwise(kernels.forward, options, (f, dims) => {
    const change = prepare(f, dims);
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
  const r = R.map((coefficient, i) => f.constant(`r${i}_`, coefficient));
  return ({ x, y }) => {
    f.setEach(y, (i) => f32x4.abs(x[i]));
    f.setEach(y, (i) => f32x4.add(y[i], y[i]));
    power(y);
    f.setEach(y, (i) => f32x4.div(f32x4.sub(one, y[i]), f32x4.add(one, y[i])));
    f.setEach(y, (i) => v128.or(y[i], v128.and(x[i], sign)));
    const { squares, sums } = f.declare("v128", x.length);
    f.setEach(squares, (i) => f32x4.mul(x[i], x[i]));
    f.setEach(sums, () => f.get(r.at(-1)!));
    for (const coefficient of r.slice(0, -1).reverse())
      f.setEach(sums, (i) => f32x4.add(f32x4.mul(sums[i], squares[i]), coefficient));
    f.setEach(sums, (i) => f32x4.add(x[i], f32x4.mul(f32x4.mul(sums[i], squares[i]), x[i])));
    f.setEach(y, (i) => v128.bitselect(sums[i], y[i], f32x4.lt(f32x4.abs(x[i]), small)));
  };
});

/** The largest power that is a chain of products. */
const MOST_FACTORS = 4;
const isShort = (exponent: number): boolean =>
  Number.isInteger(exponent) && Math.abs(exponent) <= MOST_FACTORS;

/** Prepares `x ← x^n` for a short n. */
function shortPower(f: FunctionBuilder, n: number): (x: V128) => void {
  const { f32x4 } = f;
  const one = f.constant("one", 1);
  const base = f.local("base", "v128");
  return (x) => {
    if (n === 0) f.set(x, one);
    if (n < 0) f.set(x, f32x4.div(one, x));
    f.set(base, x);
    for (let factors = 1; factors < Math.abs(n); factors++) f.set(x, f32x4.mul(x, base));
  };
}

const pow = inPlace(unaryKernels.pow, { grain: MEMORY_GRAIN, suits: isShort }, (f, exponent) => {
  const power = shortPower(f, exponent);
  return (ys) => ys.forEach(power);
});

const gradientOfPow = gradient(
  unaryKernels.pow,
  (f, exponent) => {
    const power = shortPower(f, exponent - 1);
    const factor = f.constant("factor", exponent);
    const y = f.local("power", "v128");
    return (gy, at) => {
      f.set(y, at);
      if (exponent !== 0) power(y);
      // 0 times anything finite is 0, as the slope of x^0 is; beyond, the factor alone counts.
      return f.f32x4.mul(gy, exponent === 0 ? f.get(factor) : f.f32x4.mul(y, factor));
    };
  },
  isShort,
);

/** The generators of all functions. */
export const unary: readonly Generator[] = [
  forward(unaryKernels.neg, (f) => (x) => f.f32x4.neg(x)),
  gradient(unaryKernels.neg, (f) => (gy) => f.f32x4.neg(gy)),
  inPlace(unaryKernels.exp, {}, (f) => exponential(f, 1)),
  gradient(unaryKernels.exp, (f) => (gy, y) => f.f32x4.mul(gy, y)),
  inPlace(unaryKernels.log, { vectors: 2 }, logarithm),
  gradient(unaryKernels.log, (f) => (gy, x) => f.f32x4.div(gy, x)),
  forward(unaryKernels.sqrt, (f) => (x) => f.f32x4.sqrt(x)),
  gradient(unaryKernels.sqrt, (f) => {
    const half = f.constant("half", 0.5);
    return (gy, y) => f.f32x4.mul(gy, f.f32x4.div(half, y));
  }),
  forward(unaryKernels.abs, (f) => (x) => f.f32x4.abs(x)),
  gradient(unaryKernels.abs, (f) => {
    const { v128, f32x4 } = f;
    const [zero, one, sign] = [f.constant("zero", 0), f.constant("one", 1), f.constant("sign", -0)];
    // 0 and NaN are their own signs.
    return (gy, x) =>
      f32x4.mul(
        gy,
        v128.bitselect(v128.or(v128.and(x, sign), one), x, v128.or(f32x4.lt(x, zero), f32x4.gt(x, zero))),
      );
  }),
  tanh,
  gradient(unaryKernels.tanh, (f) => {
    const one = f.constant("one", 1);
    return (gy, y) => f.f32x4.mul(gy, f.f32x4.sub(one, f.f32x4.mul(y, y)));
  }),
  pow,
  gradientOfPow,
  forward(unaryKernels.clip, (f, { min, max }) => {
    const [low, high] = [f.constant("low", min), f.constant("high", max)];
    return (x) => f.f32x4.pmin(f.f32x4.pmax(x, low), high);
  }),
  gradient(unaryKernels.clip, (f, { min, max }) => {
    const { v128, f32x4 } = f;
    const [low, high] = [f.constant("low", min), f.constant("high", max)];
    const one = f.constant("one", 1);
    return (gy, x) => f32x4.mul(gy, v128.and(v128.and(f32x4.ge(x, low), f32x4.le(x, high)), one));
  }),
];

// e^x, log(1 + t) and the logistic function, four numbers at a time, by polynomial.
//
//   e^x          k = round(x / ln 2)      r = x - k ln 2, |r| ≤ ln 2 / 2      e^x = 2^k · P(r)
//   log(1 + t)   s = t / (2 + t)          log(1 + t) = 2 artanh s = s · Q(s²), for t from 0 to 1
//   sigmoid x    1 / (1 + e^-x)
//
// Rounding without a rounding instruction: a float between 2^23 and 2^24 has no bits after the point, so adding
// 1.5·2^23 leaves x / ln 2 rounded in the lowest bits of the sum. With the exponent's bias added as well, they are
// the exponent of a power of two once they are shifted to where it stands. ln 2 is taken in two parts, of which k
// times the first is exact, so that r is as good for large x as for small.
//
// P has degree 5 and is exact at 0, Q has degree 4; both were fitted to the smallest largest relative error (1.0e-7
// and 1e-8). P is multiplied by 2 and the power of two by 1/2: so 2^128 needs no float of its own, the product
// overflows to ∞ where e^x does, and the power of two is 0 where e^x lies below the normal numbers.

import type { FunctionBuilder, V128 } from "../asm/index.ts";

/** Largest relative error of e^x, wherever it is a normal number (above 1.7e-38). */
export const EXP_BOUND = 2.5e-7;
/** Largest relative error of log(1 + t) on 0 … 1. */
export const LOG1P_BOUND = 2.5e-7;

/** Here k is 128 and 2^k · P overflows; at the other bound k is -126, whose power of two is 0. */
const HIGHEST = 89;
const LOWEST = -87.5;
/** 2^k is written as 2 · 2^(k-1), whose exponent field is k + 126. */
const MAGIC = 1.5 * 2 ** 23 + 126;
/** The first 15 bits of ln 2 and what they leave. */
const LN2_HIGH = 0.693145751953125;
const LN2_LOW = Math.LN2 - LN2_HIGH;
const P = [
  1, 0.9999997019767761, 0.4999915063381195, 0.1666763722896576, 0.0418979749083519, 0.0082903057336807,
];
const Q = [2, 0.6666631698608398, 0.4002490937709808, 0.2796060144901276, 0.2817833423614502];

type Vectors = readonly V128[];

/**
 * Prepares `x ← e^(sign·x)`: declares the constants. What it returns writes the code for some vectors, interleaved.
 * Exact at 0 (1), -∞ (0), ∞ (∞) and NaN; 0 where the result lies below 1.7e-38.
 */
export function exponential(f: FunctionBuilder, sign: 1 | -1): (xs: Vectors) => void {
  const { f32x4, i32x4 } = f;
  const low = f.constant("low", sign === 1 ? LOWEST : -HIGHEST);
  const high = f.constant("high", sign === 1 ? HIGHEST : -LOWEST);
  const perLn2 = f.constant("perLn2", sign / Math.LN2);
  const magic = f.constant("magic", MAGIC);
  // r comes out as x - sign·k·ln 2, which is r times the sign: the odd powers of P take it up.
  const ln2High = f.constant("ln2High", sign * LN2_HIGH);
  const ln2Low = f.constant("ln2Low", sign * LN2_LOW);
  const p = polynomial(
    f,
    P.map((coefficient, i) => 2 * coefficient * sign ** i),
  );

  return (xs) => {
    const { ks } = f.declare("v128", xs.length);
    // Behind both bounds a NaN stays one: of unequal pairs pmin and pmax keep the first.
    f.setEach(xs, (i) => f32x4.pmax(f32x4.pmin(xs[i], high), low));
    f.setEach(ks, (i) => f32x4.add(f32x4.mul(xs[i], perLn2), magic));
    for (const part of [ln2High, ln2Low])
      f.setEach(xs, (i) => f32x4.sub(xs[i], f32x4.mul(f32x4.sub(ks[i], magic), part)));
    const sums = p(xs);
    f.setEach(xs, (i) => f32x4.mul(sums[i], i32x4.shl(ks[i], 23)));
  };
}

/**
 * Prepares `t ← factor · (1 + 2^-t)`. Where a number is made by a product anyway, the product can bring its logarithm's
 * base along, and the way to the remainder r is two subtractions instead of two products and three.
 *
 * @param relaxed whether a product and a sum may be one instruction
 */
export function onePlusPowerOfTwo(
  f: FunctionBuilder,
  { factor = 1, relaxed = false }: { readonly factor?: number; readonly relaxed?: boolean } = {},
): (ts: Vectors) => void {
  const { f32x4, i32x4 } = f;
  const low = f.constant("low", -HIGHEST / Math.LN2);
  const high = f.constant("high", -LOWEST / Math.LN2);
  const magic = f.constant("magic", MAGIC);
  const one = f.constant("one", factor);
  const madd = f.multiplyAdd(relaxed);
  const p = polynomial(
    f,
    P.map((coefficient, i) => 2 * factor * coefficient * (-Math.LN2) ** i),
    relaxed,
  );

  return (ts) => {
    const { ks } = f.declare("v128", ts.length);
    f.setEach(ts, (i) => f32x4.pmax(f32x4.pmin(ts[i], high), low));
    f.setEach(ks, (i) => f32x4.sub(magic, ts[i]));
    f.setEach(ts, (i) => f32x4.add(ts[i], f32x4.sub(ks[i], magic)));
    const sums = p(ts);
    f.setEach(ts, (i) => madd(one, sums[i], i32x4.shl(ks[i], 23)));
  };
}

/**
 * Prepares `Σ coefficients[i] · x^i`, in variables of its own. By Horner's rule: in pairs, by x², the chain would be shorter, but
 * other vectors fill the waits. Of SiLU's time 4 % went with the instructions and registers, without fused multiply-add 19 %.
 */
export function polynomial(
  f: FunctionBuilder,
  coefficients: readonly number[],
  relaxed = false,
): (xs: Vectors) => Vectors {
  const [highest, ...others] = coefficients.map((value, i) => f.constant(`p${i}_`, value)).reverse();
  const madd = f.multiplyAdd(relaxed);
  return (xs) => {
    const { sums } = f.declare("v128", xs.length);
    f.setEach(sums, () => highest);
    for (const coefficient of others) f.setEach(sums, (i) => madd(coefficient, xs[i], sums[i]));
    return sums;
  };
}

/** Prepares `x ← 1 + e^-x`, by which the logistic function divides. */
export function onePlusExpOfNegative(f: FunctionBuilder): (xs: Vectors) => void {
  const exp = exponential(f, -1);
  const one = f.constant("one", 1);
  return (xs) => {
    exp(xs);
    for (const x of xs) f.set(x, f.f32x4.add(x, one));
  };
}

/** Prepares `t ← log(1 + t)` for t from √½ - 1 to 1; NaN stays NaN. */
export function log1p(f: FunctionBuilder): (ts: Vectors) => void {
  const { f32x4 } = f;
  const two = f.constant("two", 2);
  const q = polynomial(f, Q);
  return (ts) => {
    for (const t of ts) {
      f.set(t, f32x4.div(t, f32x4.add(t, two)));
      const [sum] = q([f.let("square", f32x4.mul(t, t))]);
      f.set(t, f32x4.mul(t, sum));
    }
  };
}

/** The bits of √½, where the mantissas that are nearest to 1 begin, and of the least normal number. */
const ROOT_HALF_BITS = 0x3f3504f3;
const LEAST_NORMAL = 2 ** -126;
/** Powers of two by which smaller numbers are made normal. */
const LIFT = 24;

/** Prepares `x ← log x`: -∞ at 0, NaN below it, ∞ at ∞; as good for what lies below the normal numbers. */
export function logarithm(f: FunctionBuilder): (xs: Vectors) => void {
  const { v128, f32x4, i32x4 } = f;
  const ofMantissa = log1p(f);
  const one = f.constant("unit", 1);
  const least = f.constant("leastNormal", LEAST_NORMAL);
  const lift = f.constant("lift", 2 ** LIFT);
  const lifted = f.constant("lifted", LIFT);
  const rootHalf = f.let("rootHalf", v128.const("i32x4", ROOT_HALF_BITS));
  const ln2High = f.constant("ln2High", LN2_HIGH);
  const ln2Low = f.constant("ln2Low", LN2_LOW);
  const zero = f.constant("zero", 0);
  const infinity = f.constant("infinity", Number.POSITIVE_INFINITY);
  const lowest = f.constant("lowest", Number.NEGATIVE_INFINITY);
  const none = f.constant("none", Number.NaN);
  return (xs) => {
    const { kept, ks, masks } = f.declare("v128", xs.length);
    xs.forEach((x, i) => {
      const [k, mask] = [ks[i], masks[i]];
      f.set(kept[i], x);
      f.set(mask, f32x4.lt(x, least));
      f.set(x, v128.bitselect(f32x4.mul(x, lift), x, mask));
      f.set(k, i32x4.shr_s(i32x4.sub(x, rootHalf), 23));
      f.set(x, f32x4.sub(i32x4.sub(x, i32x4.shl(k, 23)), one));
      f.set(k, f32x4.sub(f32x4.convert_i32x4_s(k), v128.and(mask, lifted)));
    });
    ofMantissa(xs);
    xs.forEach((x, i) => {
      const [k, from] = [ks[i], kept[i]];
      f.set(x, f32x4.add(f32x4.mul(k, ln2High), f32x4.add(x, f32x4.mul(k, ln2Low))));
      f.set(x, v128.bitselect(x, from, f32x4.lt(from, infinity)));
      f.set(x, v128.bitselect(lowest, x, f32x4.eq(from, zero)));
      f.set(x, v128.bitselect(none, x, f32x4.lt(from, zero)));
    });
  };
}

// GELU and its gradient.
//
//   "none"   y = x · Φ(x)         gx = gy · (Φ(x) + x · φ(x))            Φ(x) = 1 - tail for x ≥ 0, else tail
//            tail = e^(-x²/2) / 2 · t p(2t - 1),  t = 1 / (1 + |x| / √8)    φ(x) = e^(-x²/2) / √(2π)
//   "tanh"   y = x · s            gx = gy · s (1 + 2 x (1 - s) u')        s = 1 / (1 + e^-2u)
//            u = √(2/π) (x + 0.044715 x³),  u' = √(2/π) (1 + 0.134145 x²)
//
// p is the Chebyshev series of core's erf.ts, of which nine terms are within 6e-9; (1 + tanh u) / 2 is s.

import { erfcTerms, geluForward, geluGradient } from "@saunet/core/kernels";
import type { FunctionBuilder, V128 } from "../asm/index.ts";
import { elementwise } from "./elementwise.ts";
import { exponential, onePlusExpOfNegative } from "./exp.ts";

type Vectors = readonly V128[];

const TERMS = 9;
const [SCALE, CUBIC] = [Math.sqrt(2 / Math.PI), 0.044715];
/** Beyond, the slope of the tanh form is 0 or 1 to the last bit, and x³ would overflow. */
const FARTHEST = 50;

/** Prepares `ps ← Φ(x)` and `es ← e^(-x²/2)`. */
function distribution(f: FunctionBuilder): (xs: Vectors, ps: Vectors, es?: Vectors) => void {
  const { v128, f32x4 } = f;
  const power = exponential(f, -1);
  const one = f.constant("unit", 1);
  const two = f.constant("two", 2);
  const half = f.constant("half", 0.5);
  const reach = f.constant("reach", Math.SQRT1_2 / 2);
  const zero = f.constant("zero", 0);
  const terms = erfcTerms
    .slice(0, TERMS)
    .map((term, j) => f.constant(`term${j}_`, j === 0 ? term / 2 : term));
  return (xs, ps, es = f.locals("power", "v128", xs.length)) => {
    const { ts, sums, befores, nexts } = f.declare("v128", xs.length);
    f.setEach(es, (i) => f32x4.mul(f32x4.mul(xs[i], xs[i]), half));
    power(es);
    f.setEach(ts, (i) => f32x4.div(one, f32x4.add(one, f32x4.mul(f32x4.abs(xs[i]), reach))));
    // Clenshaw's recurrence at 2t - 1; ps hold twice that.
    f.setEach(ps, (i) => f32x4.sub(f32x4.mul(f32x4.mul(ts[i], two), two), two));
    f.setEach(sums, () => f.get(terms[TERMS - 1]));
    f.setEach(befores, () => f.get(zero));
    for (const term of terms.slice(1, -1).reverse()) {
      f.setEach(nexts, (i) => f32x4.add(f32x4.sub(f32x4.mul(ps[i], sums[i]), befores[i]), term));
      f.setEach(befores, (i) => sums[i]);
      f.setEach(sums, (i) => nexts[i]);
    }
    f.setEach(ps, (i) => f32x4.mul(f32x4.mul(ps[i], half), sums[i]));
    f.setEach(ps, (i) => f32x4.add(f32x4.sub(ps[i], befores[i]), terms[0]));
    f.setEach(ps, (i) => f32x4.mul(f32x4.mul(ps[i], ts[i]), f32x4.mul(es[i], half)));
    f.setEach(ps, (i) => v128.bitselect(ps[i], f32x4.sub(one, ps[i]), f32x4.lt(xs[i], zero)));
  };
}

/** Prepares `ss ← 1 / (1 + e^-2u)` of the tanh form. */
function approximation(f: FunctionBuilder): (xs: Vectors, ss: Vectors) => void {
  const { f32x4 } = f;
  const divisor = onePlusExpOfNegative(f);
  const one = f.constant("numerator", 1);
  const scale = f.constant("scale", 2 * SCALE);
  const cubic = f.constant("cubic", 2 * SCALE * CUBIC);
  return (xs, ss) => {
    f.setEach(ss, (i) => f32x4.add(f32x4.mul(f32x4.mul(xs[i], xs[i]), cubic), scale));
    f.setEach(ss, (i) => f32x4.mul(ss[i], xs[i]));
    divisor(ss);
    f.setEach(ss, (i) => f32x4.div(one, ss[i]));
  };
}

export const gelu = elementwise(geluForward, { vectors: 2 }, (f, { approximate }) => {
  const share = approximate === "tanh" ? approximation(f) : distribution(f);
  return ({ x, y }) => {
    share(x, y);
    f.setEach(y, (i) => f.f32x4.mul(x[i], y[i]));
  };
});

export const gradientOfGelu = elementwise(geluGradient, { vectors: 2 }, (f, { approximate }) => {
  const { f32x4 } = f;
  if (approximate === "tanh") {
    const share = approximation(f);
    const one = f.constant("unit", 1);
    const [low, high] = [f.constant("nearest", -FARTHEST), f.constant("farthest", FARTHEST)];
    const slope = f.constant("slope", 2 * SCALE);
    const bend = f.constant("bend", 6 * SCALE * CUBIC);
    return ({ gx, gy, x }) => {
      f.setEach(x, (i) => f32x4.pmax(f32x4.pmin(x[i], high), low));
      share(x, gx);
      const rests = f.locals("rest", "v128", x.length);
      f.setEach(rests, (i) => f32x4.mul(x[i], f32x4.sub(one, gx[i])));
      f.setEach(x, (i) => f32x4.add(f32x4.mul(f32x4.mul(x[i], x[i]), bend), slope));
      f.setEach(rests, (i) => f32x4.add(f32x4.mul(rests[i], x[i]), one));
      f.setEach(gx, (i) => f32x4.mul(f32x4.mul(gx[i], rests[i]), gy[i]));
    };
  }
  const below = distribution(f);
  const density = f.constant("density", SCALE / 2);
  return ({ gx, gy, x }) => {
    const powers = f.locals("power", "v128", x.length);
    below(x, gx, powers);
    f.setEach(powers, (i) => f32x4.mul(f32x4.mul(powers[i], density), x[i]));
    f.setEach(gx, (i) => f32x4.mul(f32x4.add(gx[i], powers[i]), gy[i]));
  };
});

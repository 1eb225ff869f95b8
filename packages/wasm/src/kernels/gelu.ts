// GELU and its gradient.
//
//   "none"   y = x · Φ(x)         gx = gy · (Φ(x) + x · φ(x))            Φ(x) = 1 - tail for x ≥ 0, else tail
//            tail = e^(-x²/2) / 2 · t p(2t - 1),  t = 1 / (1 + |x| / √8)    φ(x) = e^(-x²/2) / √(2π)
//   "tanh"   y = x · s            gx = gy · s (1 + 2 x (1 - s) u')        s = 1 / (1 + e^-2u)
//            u = √(2/π) (x + 0.044715 x³),  u' = √(2/π) (1 + 0.134145 x²)
//
// p is the Chebyshev series of core's erf.ts, of which nine terms are within 6e-9; (1 + tanh u) / 2 is s.

import { erfcTerms, geluForward, geluGradient } from "@saunet/core/kernels";
import type { FunctionBuilder } from "../asm/index.ts";
import type { Generator } from "../plan.ts";
import { elementwise } from "./elementwise.ts";
import { exponential, onePlusExpOfNegative } from "./exp.ts";
import { constant, setEach, type V128 } from "./stream.ts";

type Vectors = readonly V128[];

const TERMS = 9;
const [SCALE, CUBIC] = [Math.sqrt(2 / Math.PI), 0.044715];
/** Beyond, the slope of the tanh form is 0 or 1 to the last bit, and x³ would overflow. */
const FARTHEST = 50;

/** Prepares `ps ← Φ(x)` and `es ← e^(-x²/2)`. */
function distribution(f: FunctionBuilder): (xs: Vectors, ps: Vectors, es?: Vectors) => void {
  const { v128, f32x4 } = f;
  const power = exponential(f, -1);
  const one = constant(f, "unit", 1);
  const two = constant(f, "two", 2);
  const half = constant(f, "half", 0.5);
  const reach = constant(f, "reach", Math.SQRT1_2 / 2);
  const zero = constant(f, "zero", 0);
  const terms = erfcTerms
    .slice(0, TERMS)
    .map((term, j) => constant(f, `term${j}_`, j === 0 ? term / 2 : term));
  return (xs, ps, es = f.locals("power", "v128", xs.length)) => {
    const [ts, sums, befores, nexts] = ["t", "sum", "before", "next"].map((name) =>
      f.locals(name, "v128", xs.length),
    );
    setEach(f, es, (i) => f32x4.mul(f32x4.mul(xs[i], xs[i]), half));
    power(es);
    setEach(f, ts, (i) => f32x4.div(one, f32x4.add(one, f32x4.mul(f32x4.abs(xs[i]), reach))));
    // Clenshaw's recurrence at 2t - 1; ps hold twice that.
    setEach(f, ps, (i) => f32x4.sub(f32x4.mul(f32x4.mul(ts[i], two), two), two));
    setEach(f, sums, () => f.get(terms[TERMS - 1]));
    setEach(f, befores, () => f.get(zero));
    for (const term of terms.slice(1, -1).reverse()) {
      setEach(f, nexts, (i) => f32x4.add(f32x4.sub(f32x4.mul(ps[i], sums[i]), befores[i]), term));
      setEach(f, befores, (i) => sums[i]);
      setEach(f, sums, (i) => nexts[i]);
    }
    setEach(f, ps, (i) => f32x4.mul(f32x4.mul(ps[i], half), sums[i]));
    setEach(f, ps, (i) => f32x4.add(f32x4.sub(ps[i], befores[i]), terms[0]));
    setEach(f, ps, (i) => f32x4.mul(f32x4.mul(ps[i], ts[i]), f32x4.mul(es[i], half)));
    setEach(f, ps, (i) => v128.bitselect(ps[i], f32x4.sub(one, ps[i]), f32x4.lt(xs[i], zero)));
  };
}

/** Prepares `ss ← 1 / (1 + e^-2u)` of the tanh form. */
function approximation(f: FunctionBuilder): (xs: Vectors, ss: Vectors) => void {
  const { f32x4 } = f;
  const divisor = onePlusExpOfNegative(f);
  const one = constant(f, "numerator", 1);
  const scale = constant(f, "scale", 2 * SCALE);
  const cubic = constant(f, "cubic", 2 * SCALE * CUBIC);
  return (xs, ss) => {
    setEach(f, ss, (i) => f32x4.add(f32x4.mul(f32x4.mul(xs[i], xs[i]), cubic), scale));
    setEach(f, ss, (i) => f32x4.mul(ss[i], xs[i]));
    divisor(ss);
    setEach(f, ss, (i) => f32x4.div(one, ss[i]));
  };
}

export const gelu: Generator = elementwise(geluForward, { vectors: 2 }, (f, { approximate }) => {
  const share = approximate === "tanh" ? approximation(f) : distribution(f);
  return ({ x, y }) => {
    share(x, y);
    setEach(f, y, (i) => f.f32x4.mul(x[i], y[i]));
  };
});

export const gradientOfGelu: Generator = elementwise(geluGradient, { vectors: 2 }, (f, { approximate }) => {
  const { f32x4 } = f;
  if (approximate === "tanh") {
    const share = approximation(f);
    const one = constant(f, "unit", 1);
    const [low, high] = [constant(f, "nearest", -FARTHEST), constant(f, "farthest", FARTHEST)];
    const slope = constant(f, "slope", 2 * SCALE);
    const bend = constant(f, "bend", 6 * SCALE * CUBIC);
    return ({ gx, gy, x }) => {
      setEach(f, x, (i) => f32x4.pmax(f32x4.pmin(x[i], high), low));
      share(x, gx);
      const rests = f.locals("rest", "v128", x.length);
      setEach(f, rests, (i) => f32x4.mul(x[i], f32x4.sub(one, gx[i])));
      setEach(f, x, (i) => f32x4.add(f32x4.mul(f32x4.mul(x[i], x[i]), bend), slope));
      setEach(f, rests, (i) => f32x4.add(f32x4.mul(rests[i], x[i]), one));
      setEach(f, gx, (i) => f32x4.mul(f32x4.mul(gx[i], rests[i]), gy[i]));
    };
  }
  const below = distribution(f);
  const density = constant(f, "density", SCALE / 2);
  return ({ gx, gy, x }) => {
    const powers = f.locals("power", "v128", x.length);
    below(x, gx, powers);
    setEach(f, powers, (i) => f32x4.mul(f32x4.mul(powers[i], density), x[i]));
    setEach(f, gx, (i) => f32x4.mul(f32x4.add(gx[i], powers[i]), gy[i]));
  };
});

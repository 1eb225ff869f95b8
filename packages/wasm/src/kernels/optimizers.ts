// Steps of the optimisers, element by element. What all elements share is computed in double first.
//
//   sgd    v ← momentum·v - rate·g;  w ← w + v          (nesterov: w ← w + momentum·v - rate·g)
//   adam   m ← m + (1-β1)(g - m);  v ← v + (1-β2)(g² - v);  w ← w - decay·rate·w - α·m / (sqrt(v) + ε)
//          α = rate·sqrt(1-β2^t)/(1-β1^t)

import { adamUpdate, sgdUpdate } from "@saunet/core/kernels";
import type { FunctionBuilder, Local, Operand } from "../asm/index.ts";
import { elementwise } from "./elementwise.ts";

/** A double in all four lanes, rounded. */
const splat = (f: FunctionBuilder, name: string, value: Operand<"f64">): Local<"v128"> =>
  f.let(name, f.f32x4.splat(f.f32.demote_f64(value)));

/** `1 - base^count` for a count of steps, by squaring. */
function oneMinusPower(f: FunctionBuilder, base: number, count: Local<"i32">): Local<"f64"> {
  const { f64, i32 } = f;
  const [power, square] = f.locals("power", "f64", 2);
  const left = f.let("left", count);
  f.set(power, 1);
  f.set(square, base);
  f.until(
    () => i32.eqz(left),
    () => {
      f.if(i32.and(left, 1), () => f.set(power, f64.mul(power, square)));
      f.set(square, f64.mul(square, square));
      f.set(left, i32.shr_u(left, 1));
    },
  );
  return f.let("difference", f64.sub(1, power));
}

export const sgd = elementwise(sgdUpdate, { vectors: 2 }, (f, { momentum, nesterov }, { arrays }) => {
  const { f32x4 } = f;
  const factor = f.constant("momentum", momentum);
  const rate = f.let("rate", f.v128.load32_splat(arrays.rate));
  return ({ w, velocity, g }) => {
    f.setEach(g, (i) => f32x4.mul(g[i], rate));
    f.setEach(velocity, (i) => f32x4.sub(f32x4.mul(velocity[i], factor), g[i]));
    if (nesterov) f.setEach(w, (i) => f32x4.add(w[i], f32x4.sub(f32x4.mul(velocity[i], factor), g[i])));
    else f.setEach(w, (i) => f32x4.add(w[i], velocity[i]));
  };
});

export const adam = elementwise(
  adamUpdate,
  { vectors: 2 },
  (f, { beta1, beta2, epsilon, weightDecay }, { arrays }) => {
    const { f32, f32x4, f64, i32 } = f;
    const rate = f.let("rate", f64.promote_f32(f32.load(arrays.rate)));
    const count = f.let("count", i32.trunc_sat_f32_u(f32.load(arrays.count)));
    const first = oneMinusPower(f, beta1, count);
    const second = oneMinusPower(f, beta2, count);
    const alpha = splat(f, "alpha", f64.div(f64.mul(rate, f64.sqrt(second)), first));
    const decay = splat(f, "decay", f64.mul(rate, weightDecay));
    const share1 = f.constant("share1_", 1 - beta1);
    const share2 = f.constant("share2_", 1 - beta2);
    const small = f.constant("epsilon", epsilon);
    return ({ w, m, v, g }) => {
      f.setEach(m, (i) => f32x4.add(m[i], f32x4.mul(f32x4.sub(g[i], m[i]), share1)));
      f.setEach(v, (i) => f32x4.add(v[i], f32x4.mul(f32x4.sub(f32x4.mul(g[i], g[i]), v[i]), share2)));
      f.setEach(g, (i) => f32x4.div(f32x4.mul(m[i], alpha), f32x4.add(f32x4.sqrt(v[i]), small)));
      if (weightDecay !== 0) f.setEach(g, (i) => f32x4.add(g[i], f32x4.mul(w[i], decay)));
      f.setEach(w, (i) => f32x4.sub(w[i], g[i]));
    };
  },
);

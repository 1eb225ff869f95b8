// What compares two numbers: 1 or 0 for a relation, a choice by a condition, the gradient of the smaller or larger; with
// broadcasting. Each is rounded at most once as in the reference: equal to it bit for bit, NaN and the sign of 0 included.
//
//   share of a gradient   x = other ? 1/2 : x was taken ? 1 : 0

import { compareForward, extremeGradient, whereForward } from "@saunet/core/kernels";
import { valuewise } from "./elementwise.ts";

export const gradientOfExtreme = valuewise(extremeGradient, (f, { sign }) => {
  const { v128, f32x4 } = f;
  const one = f.constant("one", 1);
  const half = f.constant("half", 0.5);
  const isOther = sign === 1 ? f32x4.lt : f32x4.gt;
  return (gy, x, other) => {
    const taken = v128.andnot(one, isOther(x, other));
    // A product, for 0 · ∞ is NaN in the reference too.
    return f32x4.mul(v128.bitselect(half, taken, f32x4.eq(x, other)), gy);
  };
});

const relations = { greater: "gt", greaterEqual: "ge", equal: "eq", notEqual: "ne" } as const;

export const compare = valuewise(compareForward, (f, { relation }) => {
  const one = f.constant("one", 1);
  const holds = f.f32x4[relations[relation]];
  return (a, b) => f.v128.and(holds(a, b), one);
});

export const where = valuewise(whereForward, (f) => {
  const zero = f.constant("zero", 0);
  return (c, a, b) => f.v128.bitselect(a, b, f.f32x4.ne(c, zero));
});

// What compares two numbers: 1 or 0 for a relation, a choice by a condition, the gradient of the smaller or larger; with
// broadcasting. Each is rounded at most once as in the reference: equal to it bit for bit, NaN and the sign of 0 included.
//
//   share of a gradient   x = other ? 1/2 : x was taken ? 1 : 0

import { compareForward, extremeGradient, whereForward } from "@saunet/core/kernels";
import { elementwise } from "./elementwise.ts";
import { MEMORY_GRAIN } from "./stream.ts";

export const gradientOfExtreme = elementwise(
  extremeGradient,
  {
    grain: MEMORY_GRAIN,
  },
  (f, { sign }) => {
    const { v128, f32x4 } = f;
    const one = f.constant("one", 1);
    const half = f.constant("half", 0.5);
    const isOther = sign === 1 ? f32x4.lt : f32x4.gt;
    return ({ gx, gy, x, other }) => {
      f.setEach(gx, (i) => v128.andnot(one, isOther(x[i], other[i])));
      // A product, for 0 · ∞ is NaN in the reference too.
      f.setEach(gx, (i) => f32x4.mul(v128.bitselect(half, gx[i], f32x4.eq(x[i], other[i])), gy[i]));
    };
  },
);

const relations = { greater: "gt", greaterEqual: "ge", equal: "eq", notEqual: "ne" } as const;

export const compare = elementwise(
  compareForward,
  {
    grain: MEMORY_GRAIN,
  },
  (f, { relation }) => {
    const one = f.constant("one", 1);
    const holds = f.f32x4[relations[relation]];
    return ({ out, a, b }) => f.setEach(out, (i) => f.v128.and(holds(a[i], b[i]), one));
  },
);

export const where = elementwise(whereForward, { grain: MEMORY_GRAIN }, (f) => {
  const zero = f.constant("zero", 0);
  return ({ y, c, a, b }) => f.setEach(y, (i) => f.v128.bitselect(a[i], b[i], f.f32x4.ne(c[i], zero)));
});

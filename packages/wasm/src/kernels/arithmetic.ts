// a + b, a - b, a · b and a / b with broadcasting. Each is one instruction, rounded once as in the reference: equal
// to it bit for bit.

import {
  addForward,
  copyOfGradient,
  divForward,
  mulForward,
  subForward,
  sumOfGradients,
} from "@saunet/core/kernels";
import type { Generator } from "../plan.ts";
import { elementwise } from "./elementwise.ts";
import { MEMORY_GRAIN, setEach } from "./stream.ts";
import { alongWalk } from "./walk.ts";

const arithmetic = (kernel: typeof addForward, instruction: "add" | "sub" | "mul" | "div"): Generator =>
  alongWalk(kernel, {
    name: instruction,
    walk: (walk) => walk,
    arrays: ["out", "a", "b"],
    prepare: (f) => (values) =>
      values.out.forEach((to, i) => {
        f.set(to, f.f32x4[instruction](values.a[i], values.b[i]));
      }),
  });

export const add = arithmetic(addForward, "add");
export const sub = arithmetic(subForward, "sub");
export const mul = arithmetic(mulForward, "mul");
export const div = arithmetic(divForward, "div");

export const gradientSum = elementwise(sumOfGradients, {
  name: "gradient_sum",
  reads: ["a", "b"],
  writes: ["out"],
  vectors: 4,
  grain: MEMORY_GRAIN,
  prepare: (f) => (values) => setEach(f, values.out, (i) => f.f32x4.add(values.a[i], values.b[i])),
});

export const gradientCopy = elementwise(copyOfGradient, {
  name: "gradient_copy",
  reads: ["g"],
  writes: ["out"],
  vectors: 4,
  grain: MEMORY_GRAIN,
  prepare: (f) => (values) => setEach(f, values.out, (i) => values.g[i]),
});

// a + b, a - b, a · b and a / b with broadcasting. Each is one instruction, rounded once as in the reference: equal
// to it to the bit.

import { addKernel, copyOfGradient, divKernel, mulKernel, subKernel, sumOfGradients } from "@saunet/core";
import type { Generator } from "../plan.ts";
import { elementwise } from "./elementwise.ts";
import { MEMORY_GRAIN, setEach } from "./stream.ts";
import { alongWalk } from "./walk.ts";

const arithmetic = (kernel: typeof addKernel, instruction: "add" | "sub" | "mul" | "div"): Generator =>
  alongWalk(kernel, {
    name: instruction,
    walk: (walk) => walk,
    arrays: ["out", "a", "b"],
    prepare: (f) => (values) =>
      values.out.forEach((to, i) => {
        f.set(to, f.f32x4[instruction](values.a[i], values.b[i]));
      }),
  });

export const add = arithmetic(addKernel, "add");
export const sub = arithmetic(subKernel, "sub");
export const mul = arithmetic(mulKernel, "mul");
export const div = arithmetic(divKernel, "div");

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

// a + b, a - b, a · b and a / b with broadcasting. Each is one instruction, rounded once as in the reference: equal
// to it to the bit.

import { addKernel, divKernel, mulKernel, subKernel } from "@saunet/core";
import type { Generator } from "../plan.ts";
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

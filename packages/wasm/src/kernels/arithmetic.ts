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

const arithmetic = (kernel: typeof addForward, name: "add" | "sub" | "mul" | "div"): Generator =>
  elementwise(
    kernel,
    { name, reads: ["a", "b"], writes: ["out"], walk: (walk) => walk, grain: MEMORY_GRAIN },
    (f) => (values) => setEach(f, values.out, (i) => f.f32x4[name](values.a[i], values.b[i])),
  );

export const add = arithmetic(addForward, "add");
export const sub = arithmetic(subForward, "sub");
export const mul = arithmetic(mulForward, "mul");
export const div = arithmetic(divForward, "div");

export const gradientSum = elementwise(
  sumOfGradients,
  { name: "gradient_sum", reads: ["a", "b"], writes: ["out"], grain: MEMORY_GRAIN },
  (f) => (values) => setEach(f, values.out, (i) => f.f32x4.add(values.a[i], values.b[i])),
);

export const gradientCopy = elementwise(
  copyOfGradient,
  { name: "gradient_copy", reads: ["g"], writes: ["out"], grain: MEMORY_GRAIN },
  (f) => (values) => setEach(f, values.out, (i) => values.g[i]),
);

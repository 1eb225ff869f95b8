// a + b, a - b, a · b, a / b, and the smaller and larger of two, with broadcasting. Each is one instruction, rounded once
// as in the reference: equal to it bit for bit.

import {
  addForward,
  copyOfGradient,
  divForward,
  type Floats,
  type Kernel,
  maximumForward,
  minimumForward,
  mulForward,
  subForward,
  sumOfGradients,
} from "@saunet/core/kernels";
import type { Generator } from "../plan.ts";
import { elementwise } from "./elementwise.ts";
import { MEMORY_GRAIN } from "./stream.ts";

const arithmetic = <D>(
  kernel: Kernel<{ out: Floats; a: Floats; b: Floats }, D>,
  name: "add" | "sub" | "mul" | "div" | "min" | "max",
): Generator =>
  elementwise(
    kernel,
    { grain: MEMORY_GRAIN },
    (f) =>
      ({ out, a, b }) =>
        f.setEach(out, (i) => f.f32x4[name](a[i], b[i])),
  );

export const arithmetics: readonly Generator[] = [
  arithmetic(addForward, "add"),
  arithmetic(subForward, "sub"),
  arithmetic(mulForward, "mul"),
  arithmetic(divForward, "div"),
  arithmetic(minimumForward, "min"),
  arithmetic(maximumForward, "max"),
  arithmetic(sumOfGradients, "add"),
];

export const gradientCopy: Generator = elementwise(
  copyOfGradient,
  { grain: MEMORY_GRAIN },
  (f) =>
    ({ out, g }) =>
      f.setEach(out, (i) => g[i]),
);

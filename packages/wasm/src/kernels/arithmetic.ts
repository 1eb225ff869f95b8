// a + b, a - b, a · b, a / b, and the smaller and larger of two, with broadcasting. Each is one instruction, rounded once
// as in the reference: equal to it bit for bit.

import {
  addForward,
  copyOfGradient,
  divForward,
  maximumForward,
  minimumForward,
  mulForward,
  subForward,
  sumOfGradients,
} from "@saunet/core/kernels";
import type { Generator } from "../plan.ts";
import { valuewise } from "./elementwise.ts";

export const arithmetics: readonly Generator[] = [
  valuewise(addForward, ({ f32x4 }) => f32x4.add),
  valuewise(subForward, ({ f32x4 }) => f32x4.sub),
  valuewise(mulForward, ({ f32x4 }) => f32x4.mul),
  valuewise(divForward, ({ f32x4 }) => f32x4.div),
  valuewise(minimumForward, ({ f32x4 }) => f32x4.min),
  valuewise(maximumForward, ({ f32x4 }) => f32x4.max),
  valuewise(sumOfGradients, ({ f32x4 }) => f32x4.add),
  valuewise(copyOfGradient, () => (g) => g),
];

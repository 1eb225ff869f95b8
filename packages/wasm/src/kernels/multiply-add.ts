// The one operation that convolutions are made of, and polynomials.

import type { FunctionBuilder, Operand, Value } from "../asm/index.ts";

type V128 = Operand<"v128">;

/** `sum + a · b` on four floats: rounded once where relaxed instructions are allowed and the host can, else twice. */
export function multiplyAdd(
  f: FunctionBuilder,
  relaxed: boolean,
): (sum: V128, a: V128, b: V128) => Value<"v128"> {
  const { f32x4 } = f;
  if (relaxed) return (sum, a, b) => f32x4.relaxed_madd(a, b, sum);
  return (sum, a, b) => f32x4.add(sum, f32x4.mul(a, b));
}

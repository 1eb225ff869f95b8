// What goes by indices: floats that hold integers. One that is none, or leads nowhere, traps; the portable form then says
// which it is (`refuses` in plan.ts).

import type { FunctionBuilder, Local } from "../asm/index.ts";

/** Reads the index at an address; traps where it is no integer from 0 to `count - 1`. */
export function trapUnlessIndex(
  f: FunctionBuilder,
  index: Local<"i32">,
  at: Local<"i32">,
  count: number,
): void {
  const { f32, i32 } = f;
  f.set(index, i32.trunc_sat_f32_s(f32.load(at)));
  const isOther = f32.ne(f32.convert_i32_s(index), f32.load(at));
  f.if(i32.or(isOther, i32.ge_u(index, count)), () => f.unreachable());
}

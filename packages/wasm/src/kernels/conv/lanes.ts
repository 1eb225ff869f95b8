// Vectors at the end of the channels, which are not whole, and shuffles of numbers.

import type { FunctionBuilder, Local, Value } from "../../asm/index.ts";
import { FLOAT } from "../stream.ts";

type I32 = Local<"i32">;

/** Loads the first lanes of a vector, with zeros after them. */
export function loadLanes(f: FunctionBuilder, at: I32, lanes: number, offset = 0): Value<"v128"> {
  const { v128 } = f;
  if (lanes === 4) return v128.load(at, { offset, align: FLOAT });
  const value = f.let("value", v128.load32_zero(at, { offset }));
  for (let lane = 1; lane < lanes; lane++)
    f.set(value, v128.load32_lane(at, value, lane, { offset: offset + lane * FLOAT }));
  return f.get(value);
}

/** Stores the first lanes of a vector. */
export function storeLanes(
  f: FunctionBuilder,
  at: I32,
  value: Local<"v128">,
  lanes: number,
  offset: number,
): void {
  if (lanes === 4) f.v128.store(at, value, { offset, align: FLOAT });
  else
    for (let lane = 0; lane < lanes; lane++)
      f.v128.store32_lane(at, value, lane, { offset: offset + lane * FLOAT });
}

/** The byte mask of a shuffle that selects these 32-bit lanes: 0 … 3 of its first operand, 4 … 7 of its second. */
export const numbers = (...which: readonly number[]): number[] =>
  which.flatMap((i) => [0, 1, 2, 3].map((byte) => 4 * i + byte));

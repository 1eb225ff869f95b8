// What vectors have no single instruction for: their halves as doubles, one number out of all lanes, and the first lanes
// alone, where the channels end before the vector.

import type { FunctionBuilder, Local, Value } from "../asm/index.ts";
import { FLOAT } from "./stream.ts";

/** The byte mask of a shuffle that selects these 32-bit lanes: 0 … 3 of its first operand, 4 … 7 of its second. */
export const numbers = (...which: readonly number[]): number[] =>
  which.flatMap((i) => [0, 1, 2, 3].map((byte) => 4 * i + byte));

const SWAPPED_HALVES = /* @__PURE__ */ numbers(2, 3, 0, 1);
const SWAPPED_PAIRS = /* @__PURE__ */ numbers(1, 0, 3, 2);

/** Adds four floats to two pairs of double sums: lanes 0 and 1 to the first, 2 and 3 to the second. */
export function addDoubles(
  f: FunctionBuilder,
  [low, high]: readonly [Local<"v128">, Local<"v128">],
  x: Local<"v128">,
): void {
  const { f64x2, i8x16 } = f;
  f.set(low, f64x2.add(low, f64x2.promote_low_f32x4(x)));
  f.set(high, f64x2.add(high, f64x2.promote_low_f32x4(i8x16.shuffle(x, x, SWAPPED_HALVES))));
}

/** The sum of the two lanes of some vectors of doubles, in order. */
export function sumOfDoubles(f: FunctionBuilder, vectors: readonly Local<"v128">[]): Value<"f64"> {
  const [first, ...rest] = vectors as readonly [Local<"v128">, ...Local<"v128">[]];
  for (const vector of rest) f.set(first, f.f64x2.add(first, vector));
  return f.f64.add(f.f64x2.extract_lane(first, 0), f.f64x2.extract_lane(first, 1));
}

/** Brings the sum or the maximum of the four lanes of a vector into all of them. */
export function acrossLanes(f: FunctionBuilder, operation: "add" | "max", x: Local<"v128">): void {
  for (const lanes of [SWAPPED_HALVES, SWAPPED_PAIRS])
    f.set(x, f.f32x4[operation](x, f.i8x16.shuffle(x, x, lanes)));
}

/** Loads the first lanes of a vector, with zeros after them. */
export function loadLanes(f: FunctionBuilder, at: Local<"i32">, lanes: number, offset = 0): Value<"v128"> {
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
  at: Local<"i32">,
  value: Local<"v128">,
  lanes: number,
  offset: number,
): void {
  if (lanes === 4) f.v128.store(at, value, { offset, align: FLOAT });
  else
    for (let lane = 0; lane < lanes; lane++)
      f.v128.store32_lane(at, value, lane, { offset: offset + lane * FLOAT });
}

// What vectors have no single instruction for: their halves as doubles, and one number out of all lanes.

import type { FunctionBuilder, Local, Value } from "../asm/index.ts";

/** Which bytes a shuffle takes: lanes 2 3 0 1, and lanes 1 0 3 2. */
const SWAPPED_HALVES = [8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7];
const SWAPPED_PAIRS = [4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11];

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

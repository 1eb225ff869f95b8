// How ranges of items, rows and terms fall apart.

import type { FunctionBuilder, Operand } from "../asm/index.ts";
import type { I32 } from "./stream.ts";

/** `body` so many times. */
export function repeat(f: FunctionBuilder, name: string, count: number, body: () => void): void {
  if (count === 1) body();
  else f.forRange(f.local(name, "i32"), { to: count }, body);
}

/** `count = min(chunk, size - first)` */
export function cut(
  f: FunctionBuilder,
  count: I32,
  first: Operand<"i32">,
  size: number,
  chunk: number,
): void {
  f.set(count, f.min(f.i32.sub(size, first), chunk));
}

/** The places along some axes of what has this index among all: `sizes` are those of the axes after the first. */
export function unravel(
  f: FunctionBuilder,
  index: I32,
  places: readonly I32[],
  sizes: readonly number[],
): void {
  const { i32 } = f;
  for (let [axis, from] = [sizes.length, index]; axis > 0; from = places[--axis]) {
    const [before, size] = [places[axis - 1], sizes[axis - 1]];
    f.set(before, i32.div_u(from, size));
    f.set(places[axis], i32.sub(from, i32.mul(before, size)));
  }
}

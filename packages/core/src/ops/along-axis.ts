// What works along one axis sees a tensor as `[outer, size, inner]`: the axis with whatever lies before and after it.

import type { Floats } from "../kernel.ts";
import { normalizeAxes, type Shape, sizeOf } from "../shape.ts";

/** Element `(o, k, i)` lies at `(o · size + k) · inner + i`. */
export interface AxisDims {
  readonly outer: number;
  readonly size: number;
  readonly inner: number;
}

/**
 * The axis by its number, and the tensor around it.
 *
 * @throws RangeError where the axis does not exist
 */
export function alongAxis(op: string, shape: Shape, axis: number): { axis: number; dims: AxisDims } {
  const [which] = normalizeAxes(op, [axis], shape.length);
  const [outer, inner] = [sizeOf(shape.slice(0, which)), sizeOf(shape.slice(which + 1))];
  return { axis: which, dims: Object.freeze({ outer, size: shape[which], inner }) };
}

/** Calls `visit` with the first element of every line along the axis; the next one lies `inner` further. */
export function forEachLine({ outer, size, inner }: AxisDims, visit: (first: number) => void): void {
  for (let o = 0; o < outer; o++) for (let i = 0; i < inner; i++) visit(o * size * inner + i);
}

/** The largest element of a line. */
export function largestOf(x: Floats, first: number, { size, inner }: AxisDims): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < size; k++) largest = Math.max(largest, x[first + k * inner]);
  return largest;
}

/** `Σ e^(x - largest)` over a line. */
export function sumOfPowers(
  x: Floats,
  first: number,
  { size, inner }: AxisDims,
  largest: number,
  exp: (x: number) => number,
): number {
  let sum = 0;
  for (let k = 0; k < size; k++) sum += exp(x[first + k * inner] - largest);
  return sum;
}

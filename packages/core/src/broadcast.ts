// Walking several arrays in step, some of them stretched. An array that is stretched along an axis has stride 0
// there, so reading it repeats values and adding to it sums them: broadcasting and reduction are one walk.

import { type Shape, stridesOf } from "./shape.ts";

/** A loop nest over `shape` and, for each array that goes along, how far one step on each axis takes it. */
export interface Walk {
  readonly shape: Shape;
  readonly strides: readonly (readonly number[])[];
}

function stridesWithin(operand: Shape, shape: Shape): number[] {
  const own = stridesOf(operand);
  const missing = shape.length - operand.length;
  return shape.map((_, axis) => (axis < missing || operand[axis - missing] === 1 ? 0 : own[axis - missing]));
}

/**
 * The walk over `shape` of arrays whose shapes broadcast to it. Neighbouring axes that all arrays cross evenly are
 * joined: adding a bias `[C]` to `[N,H,W,C]` walks `[N*H*W, C]`, equal shapes walk one axis.
 *
 * @example
 * const { shape, strides } = walkOver([8, 4, 4, 16], [[8, 4, 4, 16], [16]]);
 * console.log(shape, strides); // [ 128, 16 ] [ [ 16, 1 ], [ 0, 1 ] ]
 */
export function walkOver(shape: Shape, operands: readonly Shape[]): Walk {
  return joinAxes(
    shape,
    operands.map((operand) => stridesWithin(operand, shape)),
  );
}

/**
 * Joins the axes of a walk wherever one step on the outer axis equals a full turn of the inner one.
 *
 * @example
 * console.log(joinAxes([2, 3], [[3, 1], [3, 1]]).shape); // [ 6 ]
 */
export function joinAxes(shape: Shape, strides: readonly (readonly number[])[]): Walk {
  const sizes: number[] = [];
  const joined: number[][] = strides.map(() => []);
  for (let axis = 0; axis < shape.length; axis++) {
    const size = shape[axis];
    if (size === 1) continue;
    const last = sizes.length - 1;
    if (last >= 0 && joined.every((own, operand) => own[last] === strides[operand][axis] * size)) {
      sizes[last] = sizes[last] * size;
      joined.forEach((own, operand) => {
        own[last] = strides[operand][axis];
      });
    } else {
      sizes.push(size);
      joined.forEach((own, operand) => {
        own.push(strides[operand][axis]);
      });
    }
  }
  if (sizes.length === 0) {
    sizes.push(1);
    for (const own of joined) own.push(1);
  }
  return Object.freeze({ shape: sizes, strides: joined });
}

/**
 * Calls `visit` for every run along the innermost axis: its number of elements, then where it starts in each of
 * (up to four) arrays. The steps inside the run are `walk.strides[i].at(-1)`.
 *
 * @example
 * const walk = walkOver([2, 3], [[2, 3], [3]]);
 * forEachRun(walk, (length, a, b) => console.log(length, a, b)); // 3 0 0, 3 3 0
 */
export function forEachRun(
  walk: Walk,
  visit: (length: number, a: number, b: number, c: number, d: number) => void,
): void {
  const { shape, strides } = walk;
  const length = shape.at(-1)!;
  const outer = shape.slice(0, -1);
  const runs = outer.reduce((product, size) => product * size, 1);
  const index = new Array<number>(outer.length).fill(0);
  const offset = [0, 0, 0, 0];
  for (let run = 0; run < (length === 0 ? 0 : runs); run++) {
    visit(length, offset[0], offset[1], offset[2], offset[3]);
    for (let axis = outer.length - 1; axis >= 0; axis--) {
      index[axis]++;
      const turn = index[axis] === outer[axis];
      for (let i = 0; i < strides.length; i++) {
        offset[i] += turn ? -strides[i][axis] * (outer[axis] - 1) : strides[i][axis];
      }
      if (!turn) break;
      index[axis] = 0;
    }
  }
}

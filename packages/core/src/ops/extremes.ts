// The smaller or larger of two numbers, element by element, with NumPy's broadcasting.
//
//   minimum  y = a where a < b, else b      maximum  y = a where a > b, else b
//
// The gradient goes to the operand that was taken; where both are equal, half of it to each (torch.maximum), as `max`
// shares it among ties. NaN propagates.

import { record } from "../autograd.ts";
import { forEachRun, type Walk, walkOver } from "../broadcast.ts";
import { type Floats, kernel } from "../kernel.ts";
import { broadcastShapes } from "../shape.ts";
import { asTensor, empty, type Operand, type Tensor } from "../tensor.ts";
import { contributeStretched, innerSteps } from "./stretched.ts";

type Operands = { out: Floats; a: Floats; b: Floats };

const roles = { out: "write", a: "read", b: "read" } as const;

/** `out = min(a, b)`; strides of the walk: out, a, b. */
export const minimumForward = kernel("minimum.forward", roles, ({ out, a, b }: Operands, walk: Walk) => {
  const [stepOut, stepA, stepB] = innerSteps(walk);
  forEachRun(walk, (length, o, i, j) => {
    for (let k = 0; k < length; k++) out[o + k * stepOut] = Math.min(a[i + k * stepA], b[j + k * stepB]);
  });
});

/** `out = max(a, b)`; strides of the walk: out, a, b. */
export const maximumForward = kernel("maximum.forward", roles, ({ out, a, b }: Operands, walk: Walk) => {
  const [stepOut, stepA, stepB] = innerSteps(walk);
  forEachRun(walk, (length, o, i, j) => {
    for (let k = 0; k < length; k++) out[o + k * stepOut] = Math.max(a[i + k * stepA], b[j + k * stepB]);
  });
});

/** The walk of a gradient, and whether the larger (1) or the smaller (-1) operand was taken. */
export interface ExtremeDims {
  readonly walk: Walk;
  readonly sign: 1 | -1;
}

/** `gx = gy` where `x` was taken, half of it where both are equal, else 0; strides of the walk: gx, gy, x, other. */
export const extremeGradient = kernel(
  "extreme.gradient",
  { gx: "write", gy: "read", x: "read", other: "read" },
  (
    { gx, gy, x, other }: { gx: Floats; gy: Floats; x: Floats; other: Floats },
    { walk, sign }: ExtremeDims,
  ) => {
    const [stepGx, stepGy, stepX, stepOther] = innerSteps(walk);
    forEachRun(walk, (length, g, i, j, o) => {
      for (let k = 0; k < length; k++) {
        const [own, theirs] = [x[j + k * stepX], other[o + k * stepOther]];
        const share = own === theirs ? 0.5 : sign * own < sign * theirs ? 0 : 1;
        gx[g + k * stepGx] = share * gy[i + k * stepGy];
      }
    });
  },
);

function extreme(op: string, compute: typeof maximumForward, sign: 1 | -1, a: Operand, b: Operand): Tensor {
  const [left, right] = [asTensor(op, "a", a), asTensor(op, "b", b)];
  const shape = broadcastShapes(op, left.shape, right.shape);
  const out = empty(shape);
  compute({ out: out.data, a: left.data, b: right.data }, walkOver(shape, [shape, left.shape, right.shape]));
  return record(op, out, [left, right], (gy) => {
    for (const [x, other] of [
      [left, right],
      [right, left],
    ])
      contributeStretched(x, shape, (gx) =>
        extremeGradient(
          { gx, gy, x: x.data, other: other.data },
          { walk: walkOver(shape, [shape, shape, x.shape, other.shape]), sign },
        ),
      );
  });
}

/**
 * The smaller of `a` and `b`, element by element, broadcast. `min` over axes is `neg(max(neg(x)))`.
 *
 * @throws ShapeError where the shapes do not broadcast; TypeError where an operand is neither tensor nor number
 * @example
 * console.log(String(minimum(tensor([1, 5]), 3))); // Tensor [2] [1, 3]
 */
export function minimum(a: Operand, b: Operand): Tensor {
  return extreme("minimum", minimumForward, -1, a, b);
}

/**
 * The larger of `a` and `b`, element by element, broadcast. For the largest element over axes see `max`.
 *
 * @throws ShapeError where the shapes do not broadcast; TypeError where an operand is neither tensor nor number
 * @example
 * console.log(String(maximum(tensor([1, 5]), tensor([[3], [9]])))); // Tensor [2,2] [[3, 5], [9, 9]]
 */
export function maximum(a: Operand, b: Operand): Tensor {
  return extreme("maximum", maximumForward, 1, a, b);
}

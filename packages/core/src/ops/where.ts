// Choice between two tensors, element by element, with NumPy's broadcasting.
//
//   y = a where c ≠ 0, else b      ga = gy where c ≠ 0, else 0      gb = 0 where c ≠ 0, else gy
//
// The condition gets no gradient. What was not chosen does not count, NaN and infinities included; but the gradient of
// whatever computed them is multiplied by 0 there, and 0 · ∞ is NaN: mask the operand of `log` or `sqrt`, not the result.

import { record } from "../autograd.ts";
import { forEachRun, type Walk, walkOver } from "../broadcast.ts";
import { type Floats, kernel } from "../kernel.ts";
import { broadcastShapes } from "../shape.ts";
import { asTensor, empty, full, type Operand, type Tensor } from "../tensor.ts";
import { contributeStretched, innerSteps } from "./stretched.ts";

/** `y = a` where `c ≠ 0`, else `b`; strides of the walk: y, c, a, b. */
export const whereForward = kernel(
  "where.forward",
  { y: "write", c: "read", a: "read", b: "read" },
  ({ y, c, a, b }: { y: Floats; c: Floats; a: Floats; b: Floats }, walk: Walk) => {
    const [stepY, stepC, stepA, stepB] = innerSteps(walk);
    forEachRun(walk, (length, o, i, j, l) => {
      for (let k = 0; k < length; k++)
        y[o + k * stepY] = c[i + k * stepC] !== 0 ? a[j + k * stepA] : b[l + k * stepB];
    });
  },
);

/**
 * `a` where the condition is not 0, else `b`; all three broadcast.
 *
 * @param condition numbers of which 0 means no; comparisons such as `greater` give them
 * @throws ShapeError where the shapes do not broadcast; TypeError where an operand is neither tensor nor number
 * @example
 * const x = tensor([-2, 0.5, 3]);
 * console.log(String(where(greater(x, 0), x, -1))); // Tensor [3] [-1, 0.5, 3]
 */
export function where(condition: Operand, a: Operand, b: Operand): Tensor {
  const c = asTensor("where", "condition", condition);
  const [left, right] = [asTensor("where", "a", a), asTensor("where", "b", b)];
  const shape = broadcastShapes(
    "where, with condition",
    c.shape,
    broadcastShapes("where", left.shape, right.shape),
  );
  const y = empty(shape);
  const walk = walkOver(shape, [shape, c.shape, left.shape, right.shape]);
  whereForward({ y: y.data, c: c.data, a: left.data, b: right.data }, walk);
  return record("where", y, [left, right], (gy) => {
    const zero = full([], 0);
    contributeStretched(left, shape, (ga) =>
      whereForward(
        { y: ga, c: c.data, a: gy, b: zero.data },
        walkOver(shape, [shape, c.shape, shape, zero.shape]),
      ),
    );
    contributeStretched(right, shape, (gb) =>
      whereForward(
        { y: gb, c: c.data, a: zero.data, b: gy },
        walkOver(shape, [shape, c.shape, zero.shape, shape]),
      ),
    );
  });
}

// Comparisons, element by element, with NumPy's broadcasting: 1 where the relation holds, else 0. They pass no gradient.
//
//   greater  a > b     greaterEqual  a ≥ b     equal     a = b
//   less     a < b     lessEqual     a ≤ b     notEqual  a ≠ b
//
// NaN equals nothing and is neither greater nor less (IEEE 754): of all six, `notEqual` alone holds for it.

import { forEachRun, type Walk, walkOver } from "../broadcast.ts";
import { type Floats, kernel } from "../kernel.ts";
import { broadcastShapes } from "../shape.ts";
import { asTensor, empty, type Operand, type Tensor } from "../tensor.ts";
import { innerSteps } from "./stretched.ts";

/** What is asked of `a` and `b`; "less" is "greater" with both exchanged. */
export type Relation = "greater" | "greaterEqual" | "equal" | "notEqual";

const holds: Readonly<Record<Relation, (a: number, b: number) => boolean>> = {
  greater: (a, b) => a > b,
  greaterEqual: (a, b) => a >= b,
  equal: (a, b) => a === b,
  notEqual: (a, b) => a !== b,
};

/** `out = 1` where the relation holds, else 0; strides of the walk: out, a, b. */
export const compareForward = kernel(
  "compare.forward",
  { out: "write", a: "read", b: "read" },
  (
    { out, a, b }: { out: Floats; a: Floats; b: Floats },
    { walk, relation }: { readonly walk: Walk; readonly relation: Relation },
  ) => {
    const [stepOut, stepA, stepB] = innerSteps(walk);
    const test = holds[relation];
    forEachRun(walk, (length, o, i, j) => {
      for (let k = 0; k < length; k++)
        out[o + k * stepOut] = test(a[i + k * stepA], b[j + k * stepB]) ? 1 : 0;
    });
  },
);

function compare(op: string, relation: Relation, a: Operand, b: Operand, exchanged = false): Tensor {
  const both = [asTensor(op, "a", a), asTensor(op, "b", b)];
  const [left, right] = exchanged ? both.reverse() : both;
  const shape = broadcastShapes(op, left.shape, right.shape);
  const out = empty(shape);
  const walk = walkOver(shape, [shape, left.shape, right.shape]);
  compareForward({ out: out.data, a: left.data, b: right.data }, { walk, relation });
  return out;
}

/**
 * 1 where `a > b`, else 0; broadcast.
 *
 * @throws ShapeError where the shapes do not broadcast; TypeError where an operand is neither tensor nor number
 * @example
 * console.log(String(greater(tensor([1, 2, 3]), 2))); // Tensor [3] [0, 0, 1]
 */
export function greater(a: Operand, b: Operand): Tensor {
  return compare("greater", "greater", a, b);
}

/**
 * 1 where `a ≥ b`, else 0; broadcast.
 *
 * @throws ShapeError where the shapes do not broadcast; TypeError where an operand is neither tensor nor number
 * @example
 * console.log(String(greaterEqual(tensor([1, 2, 3]), 2))); // Tensor [3] [0, 1, 1]
 */
export function greaterEqual(a: Operand, b: Operand): Tensor {
  return compare("greaterEqual", "greaterEqual", a, b);
}

/**
 * 1 where `a < b`, else 0; broadcast.
 *
 * @throws ShapeError where the shapes do not broadcast; TypeError where an operand is neither tensor nor number
 * @example
 * console.log(String(less(tensor([1, 2, 3]), 2))); // Tensor [3] [1, 0, 0]
 */
export function less(a: Operand, b: Operand): Tensor {
  return compare("less", "greater", a, b, true);
}

/**
 * 1 where `a ≤ b`, else 0; broadcast.
 *
 * @throws ShapeError where the shapes do not broadcast; TypeError where an operand is neither tensor nor number
 * @example
 * console.log(String(lessEqual(tensor([1, 2, 3]), 2))); // Tensor [3] [1, 1, 0]
 */
export function lessEqual(a: Operand, b: Operand): Tensor {
  return compare("lessEqual", "greaterEqual", a, b, true);
}

/**
 * 1 where `a` equals `b`, else 0; broadcast.
 *
 * @throws ShapeError where the shapes do not broadcast; TypeError where an operand is neither tensor nor number
 * @example
 * const classes = tensor([2, 0, 1]);
 * console.log(mean(equal(classes, tensor([2, 1, 1]))).item().toFixed(2)); // 0.67
 */
export function equal(a: Operand, b: Operand): Tensor {
  return compare("equal", "equal", a, b);
}

/**
 * 1 where `a` differs from `b`, else 0; broadcast.
 *
 * @throws ShapeError where the shapes do not broadcast; TypeError where an operand is neither tensor nor number
 * @example
 * console.log(String(notEqual(tensor([1, 2, 3]), 2))); // Tensor [3] [1, 0, 1]
 */
export function notEqual(a: Operand, b: Operand): Tensor {
  return compare("notEqual", "notEqual", a, b);
}

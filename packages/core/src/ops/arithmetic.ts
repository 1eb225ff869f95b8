// Elementwise arithmetic of two tensors, with NumPy's broadcasting. A number may stand for either.
//
//   add  a + b      sub  a - b      mul  a · b      div  a / b
//
// Where an operand was stretched, its gradient is summed back to its own shape.

import { record } from "../autograd.ts";
import { forEachRun, type Walk, walkOver } from "../broadcast.ts";
import { type Floats, kernel } from "../kernel.ts";
import { broadcastShapes } from "../shape.ts";
import { asTensor, empty, type Operand, type Tensor } from "../tensor.ts";
import { contributeStretched, innerSteps, passStretched } from "./stretched.ts";

type Operands = {
  out: Floats;
  a: Floats;
  b: Floats;
};

const roles = { out: "write", a: "read", b: "read" } as const;

/** `out = a + b`; strides of the walk: out, a, b. */
export const addForward = kernel("add.forward", roles, ({ out, a, b }: Operands, walk: Walk) => {
  const [stepOut, stepA, stepB] = innerSteps(walk);
  forEachRun(walk, (length, o, i, j) => {
    for (let k = 0; k < length; k++) out[o + k * stepOut] = a[i + k * stepA] + b[j + k * stepB];
  });
});

/** `out = a - b`; strides of the walk: out, a, b. */
export const subForward = kernel("sub.forward", roles, ({ out, a, b }: Operands, walk: Walk) => {
  const [stepOut, stepA, stepB] = innerSteps(walk);
  forEachRun(walk, (length, o, i, j) => {
    for (let k = 0; k < length; k++) out[o + k * stepOut] = a[i + k * stepA] - b[j + k * stepB];
  });
});

/** `out = a · b`; strides of the walk: out, a, b. */
export const mulForward = kernel("mul.forward", roles, ({ out, a, b }: Operands, walk: Walk) => {
  const [stepOut, stepA, stepB] = innerSteps(walk);
  forEachRun(walk, (length, o, i, j) => {
    for (let k = 0; k < length; k++) out[o + k * stepOut] = a[i + k * stepA] * b[j + k * stepB];
  });
});

/** `out = a / b`; strides of the walk: out, a, b. */
export const divForward = kernel("div.forward", roles, ({ out, a, b }: Operands, walk: Walk) => {
  const [stepOut, stepA, stepB] = innerSteps(walk);
  forEachRun(walk, (length, o, i, j) => {
    for (let k = 0; k < length; k++) out[o + k * stepOut] = a[i + k * stepA] / b[j + k * stepB];
  });
});

function forward(
  op: string,
  compute: typeof addForward,
  a: Operand,
  b: Operand,
): { out: Tensor; left: Tensor; right: Tensor } {
  const [left, right] = [asTensor(op, "a", a), asTensor(op, "b", b)];
  const shape = broadcastShapes(op, left.shape, right.shape);
  const out = empty(shape);
  compute({ out: out.data, a: left.data, b: right.data }, walkOver(shape, [shape, left.shape, right.shape]));
  return { out, left, right };
}

/**
 * `a + b`, broadcast.
 *
 * @throws ShapeError where the shapes do not broadcast; TypeError where an operand is neither tensor nor number
 * @example
 * console.log(String(add(tensor([[1, 2], [3, 4]]), tensor([10, 20])))); // Tensor [2,2] [[11, 22], [13, 24]]
 * console.log(String(add(1, tensor([1, 2])))); // Tensor [2] [2, 3]
 */
export function add(a: Operand, b: Operand): Tensor {
  const { out, left, right } = forward("add", addForward, a, b);
  return record("add", out, [left, right], (gradient) => {
    passStretched(left, out.shape, gradient, 1);
    passStretched(right, out.shape, gradient, 1);
  });
}

/**
 * `a - b`, broadcast.
 *
 * @throws ShapeError where the shapes do not broadcast; TypeError where an operand is neither tensor nor number
 * @example
 * console.log(String(sub(tensor([3, 4]), 1))); // Tensor [2] [2, 3]
 */
export function sub(a: Operand, b: Operand): Tensor {
  const { out, left, right } = forward("sub", subForward, a, b);
  return record("sub", out, [left, right], (gradient) => {
    passStretched(left, out.shape, gradient, 1);
    passStretched(right, out.shape, gradient, -1);
  });
}

/**
 * `a · b` element by element, broadcast.
 *
 * @throws ShapeError where the shapes do not broadcast; TypeError where an operand is neither tensor nor number
 * @example
 * console.log(String(mul(tensor([[1], [2]]), tensor([3, 4])))); // Tensor [2,2] [[3, 4], [6, 8]]
 */
export function mul(a: Operand, b: Operand): Tensor {
  const { out, left, right } = forward("mul", mulForward, a, b);
  const { shape } = out;
  return record("mul", out, [left, right], (gradient) => {
    contributeStretched(left, shape, (ga) =>
      mulForward({ out: ga, a: gradient, b: right.data }, walkOver(shape, [shape, shape, right.shape])),
    );
    contributeStretched(right, shape, (gb) =>
      mulForward({ out: gb, a: gradient, b: left.data }, walkOver(shape, [shape, shape, left.shape])),
    );
  });
}

/** d (a / b) / d b = -out / b, times the gradient of the result; strides of the walk: gb (like the result), b. */
export const divGradient = kernel(
  "div.gradient",
  { gb: "write", gradient: "read", out: "read", b: "read" },
  ({ gb, gradient, out, b }: { gb: Floats; gradient: Floats; out: Floats; b: Floats }, walk: Walk) => {
    const [step, stepB] = innerSteps(walk);
    forEachRun(walk, (length, o, j) => {
      for (let k = 0; k < length; k++) {
        const at = o + k * step;
        gb[at] = (-gradient[at] * out[at]) / b[j + k * stepB];
      }
    });
  },
);

/**
 * `a / b` element by element, broadcast. Division by zero follows IEEE 754.
 *
 * @throws ShapeError where the shapes do not broadcast; TypeError where an operand is neither tensor nor number
 * @example
 * console.log(String(div(tensor([1, 2]), tensor(4)))); // Tensor [2] [0.25, 0.5]
 */
export function div(a: Operand, b: Operand): Tensor {
  const { out, left, right } = forward("div", divForward, a, b);
  const { shape } = out;
  const walkB = walkOver(shape, [shape, right.shape]);
  return record("div", out, [left, right], (gradient) => {
    contributeStretched(left, shape, (ga) =>
      divForward({ out: ga, a: gradient, b: right.data }, walkOver(shape, [shape, shape, right.shape])),
    );
    contributeStretched(right, shape, (gb) =>
      divGradient({ gb, gradient, out: out.data, b: right.data }, walkB),
    );
  });
}

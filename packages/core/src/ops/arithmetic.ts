// Elementwise arithmetic of two tensors, with NumPy's broadcasting.
//
//   add  a + b      sub  a - b      mul  a · b      div  a / b
//
// Where an operand was stretched, its gradient is summed back to its own shape.

import { contribute, pass, record } from "../autograd.ts";
import { forEachRun, type Walk, walkOver } from "../broadcast.ts";
import { type Floats, kernel } from "../kernel.ts";
import { broadcastShapes, type Shape } from "../shape.ts";
import { allocate, empty, type Tensor } from "../tensor.ts";
import { stretchKernel, sumKernel } from "./sum.ts";

type Operands = {
  out: Floats;
  a: Floats;
  b: Floats;
};

const roles = { out: "write", a: "read", b: "read" } as const;

/** `out = a + b`; strides of the walk: out, a, b. */
export const addKernel = kernel("add.forward", roles, ({ out, a, b }: Operands, walk: Walk) => {
  const [stepOut, stepA, stepB] = innerSteps(walk);
  forEachRun(walk, (length, o, i, j) => {
    for (let k = 0; k < length; k++) out[o + k * stepOut] = a[i + k * stepA] + b[j + k * stepB];
  });
});

/** `out = a - b`; strides of the walk: out, a, b. */
export const subKernel = kernel("sub.forward", roles, ({ out, a, b }: Operands, walk: Walk) => {
  const [stepOut, stepA, stepB] = innerSteps(walk);
  forEachRun(walk, (length, o, i, j) => {
    for (let k = 0; k < length; k++) out[o + k * stepOut] = a[i + k * stepA] - b[j + k * stepB];
  });
});

/** `out = a · b`; strides of the walk: out, a, b. */
export const mulKernel = kernel("mul.forward", roles, ({ out, a, b }: Operands, walk: Walk) => {
  const [stepOut, stepA, stepB] = innerSteps(walk);
  forEachRun(walk, (length, o, i, j) => {
    for (let k = 0; k < length; k++) out[o + k * stepOut] = a[i + k * stepA] * b[j + k * stepB];
  });
});

/** `out = a / b`; strides of the walk: out, a, b. */
export const divKernel = kernel("div.forward", roles, ({ out, a, b }: Operands, walk: Walk) => {
  const [stepOut, stepA, stepB] = innerSteps(walk);
  forEachRun(walk, (length, o, i, j) => {
    for (let k = 0; k < length; k++) out[o + k * stepOut] = a[i + k * stepA] / b[j + k * stepB];
  });
});

function innerSteps(walk: Walk): [number, number, number] {
  return walk.strides.map((own) => own.at(-1)!) as [number, number, number];
}

function forward(op: string, compute: typeof addKernel, a: Tensor, b: Tensor): { out: Tensor; walk: Walk } {
  const shape = broadcastShapes(op, a.shape, b.shape);
  const out = empty(shape);
  const walk = walkOver(shape, [shape, a.shape, b.shape]);
  compute({ out: out.data, a: a.data, b: b.data }, walk);
  return { out, walk };
}

/** Gives `input` a gradient that `write` computes in the (possibly larger) shape of the result. */
function contributeStretched(input: Tensor, shape: Shape, write: (gradient: Float32Array) => void): void {
  contribute([input], (own) => {
    const walk = walkOver(shape, [shape, input.shape]);
    const stretched = walk.strides[1].includes(0);
    const gradient = stretched ? allocate(shape.reduce((product, size) => product * size, 1)) : own;
    write(gradient);
    if (stretched) sumKernel({ out: own, x: gradient }, { walk, scale: 1 });
  });
}

/** Hands the gradient of the result to `input`, summed over whatever `input` was stretched along. */
function passStretched(input: Tensor, shape: Shape, gradient: Float32Array, scale: 1 | -1): void {
  const walk = walkOver(shape, [shape, input.shape]);
  if (walk.strides[1].includes(0))
    contribute([input], (own) => sumKernel({ out: own, x: gradient }, { walk, scale }));
  else if (scale === 1) pass(input, gradient);
  else contribute([input], (own) => stretchKernel({ out: own, x: gradient }, { walk, scale }));
}

/**
 * `a + b`, broadcast.
 *
 * @throws ShapeError where the shapes do not broadcast
 * @example
 * console.log(String(add(tensor([[1, 2], [3, 4]]), tensor([10, 20])))); // Tensor [2,2] [[11, 22], [13, 24]]
 */
export function add(a: Tensor, b: Tensor): Tensor {
  const { out } = forward("add", addKernel, a, b);
  return record("add", out, [a, b], (gradient) => {
    passStretched(a, out.shape, gradient, 1);
    passStretched(b, out.shape, gradient, 1);
  });
}

/**
 * `a - b`, broadcast.
 *
 * @throws ShapeError where the shapes do not broadcast
 * @example
 * console.log(String(sub(tensor([3, 4]), tensor(1)))); // Tensor [2] [2, 3]
 */
export function sub(a: Tensor, b: Tensor): Tensor {
  const { out } = forward("sub", subKernel, a, b);
  return record("sub", out, [a, b], (gradient) => {
    passStretched(a, out.shape, gradient, 1);
    passStretched(b, out.shape, gradient, -1);
  });
}

/**
 * `a · b` element by element, broadcast.
 *
 * @throws ShapeError where the shapes do not broadcast
 * @example
 * console.log(String(mul(tensor([[1], [2]]), tensor([3, 4])))); // Tensor [2,2] [[3, 4], [6, 8]]
 */
export function mul(a: Tensor, b: Tensor): Tensor {
  const { out } = forward("mul", mulKernel, a, b);
  const { shape } = out;
  return record("mul", out, [a, b], (gradient) => {
    contributeStretched(a, shape, (ga) =>
      mulKernel({ out: ga, a: gradient, b: b.data }, walkOver(shape, [shape, shape, b.shape])),
    );
    contributeStretched(b, shape, (gb) =>
      mulKernel({ out: gb, a: gradient, b: a.data }, walkOver(shape, [shape, shape, a.shape])),
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
 * @throws ShapeError where the shapes do not broadcast
 * @example
 * console.log(String(div(tensor([1, 2]), tensor(4)))); // Tensor [2] [0.25, 0.5]
 */
export function div(a: Tensor, b: Tensor): Tensor {
  const { out } = forward("div", divKernel, a, b);
  const { shape } = out;
  const walkB = walkOver(shape, [shape, b.shape]);
  return record("div", out, [a, b], (gradient) => {
    contributeStretched(a, shape, (ga) =>
      divKernel({ out: ga, a: gradient, b: b.data }, walkOver(shape, [shape, shape, b.shape])),
    );
    contributeStretched(b, shape, (gb) => divGradient({ gb, gradient, out: out.data, b: b.data }, walkB));
  });
}

// Activations, element by element, on tensors of any shape.
//
//   relu     y = max(x, 0)             gx = gy where y > 0
//   sigmoid  y = 1 / (1 + e^-x)        gx = gy · y (1 - y)
//   silu     y = x · sigmoid(x)        gx = gy · s (1 + x (1 - s)),  s = sigmoid(x)
//
// They are hot, so each has loops of its own: a loop shared with a function inside would be one call an element.
// NaN stays NaN. Where e^-x overflows, x / ∞ and 1 / ∞ give the right limit, so no branch on the sign is needed.
//
// SiLU: Elfwing et al., arXiv 1702.03118; Keras calls it swish.

import { contribute, record } from "../autograd.ts";
import { type Floats, kernel } from "../kernel.ts";
import { fastExp } from "../portable/exp.ts";
import { asTensor, empty, type Tensor } from "../tensor.ts";

type Forward = {
  y: Floats;
  x: Floats;
};

const forwardRoles = { y: "write", x: "read" } as const;
const gradientInPlace = { inPlace: { gx: "gy" } } as const;

/** `y = max(x, 0)`. */
export const reluForward = kernel(
  "relu.forward",
  forwardRoles,
  ({ y, x }: Forward) => {
    for (let i = 0; i < y.length; i++) y[i] = Math.max(x[i], 0);
  },
  { inPlace: { y: "x" } },
);

/** `gx = gy` where `y > 0`, else 0. */
export const reluGradient = kernel(
  "relu.gradient",
  { gx: "write", gy: "read", y: "read" },
  ({ gx, gy, y }: { gx: Floats; gy: Floats; y: Floats }) => {
    for (let i = 0; i < gx.length; i++) gx[i] = y[i] > 0 ? gy[i] : 0;
  },
  gradientInPlace,
);

/** `y = 1 / (1 + e^-x)`. */
export const sigmoidForward = kernel(
  "sigmoid.forward",
  forwardRoles,
  ({ y, x }: Forward) => {
    for (let i = 0; i < y.length; i++) y[i] = 1 / (1 + Math.exp(-x[i]));
  },
  {
    inPlace: { y: "x" },
    portable: ({ y, x }) => {
      for (let i = 0; i < y.length; i++) y[i] = 1 / (1 + fastExp(-x[i]));
    },
  },
);

/** `gx = gy · y (1 - y)`. */
export const sigmoidGradient = kernel(
  "sigmoid.gradient",
  { gx: "write", gy: "read", y: "read" },
  ({ gx, gy, y }: { gx: Floats; gy: Floats; y: Floats }) => {
    for (let i = 0; i < gx.length; i++) gx[i] = gy[i] * y[i] * (1 - y[i]);
  },
  gradientInPlace,
);

/** `y = x / (1 + e^-x)`. */
export const siluForward = kernel(
  "silu.forward",
  forwardRoles,
  ({ y, x }: Forward) => {
    for (let i = 0; i < y.length; i++) y[i] = x[i] / (1 + Math.exp(-x[i]));
  },
  {
    inPlace: { y: "x" },
    portable: ({ y, x }) => {
      for (let i = 0; i < y.length; i++) y[i] = x[i] / (1 + fastExp(-x[i]));
    },
  },
);

/** `gx = gy · s (1 + x (1 - s))` with `s = sigmoid(x)`, computed again from x: nothing but x is kept. */
export const siluGradient = kernel(
  "silu.gradient",
  { gx: "write", gy: "read", x: "read" },
  ({ gx, gy, x }: { gx: Floats; gy: Floats; x: Floats }) => {
    for (let i = 0; i < gx.length; i++) {
      const s = 1 / (1 + Math.exp(-x[i]));
      gx[i] = gy[i] * s * (1 + x[i] * (1 - s));
    }
  },
  gradientInPlace,
);

/**
 * `max(x, 0)`; the gradient at 0 is 0.
 *
 * @example
 * console.log(String(relu(tensor([-1, 0, 2])))); // Tensor [3] [0, 0, 2]
 */
export function relu(x: Tensor): Tensor {
  x = asTensor("relu", "x", x);
  const y = empty(x.shape);
  reluForward({ y: y.data, x: x.data }, undefined);
  return record("relu", y, [x], (gy) =>
    contribute([x], (gx) => reluGradient({ gx, gy, y: y.data }, undefined)),
  );
}

/**
 * The logistic function `1 / (1 + e^-x)`.
 *
 * @example
 * console.log(String(sigmoid(tensor([-1000, 0, 1000])))); // Tensor [3] [0, 0.5, 1]
 */
export function sigmoid(x: Tensor): Tensor {
  x = asTensor("sigmoid", "x", x);
  const y = empty(x.shape);
  sigmoidForward({ y: y.data, x: x.data }, undefined);
  return record("sigmoid", y, [x], (gy) =>
    contribute([x], (gx) => sigmoidGradient({ gx, gy, y: y.data }, undefined)),
  );
}

/**
 * `x · sigmoid(x)`.
 *
 * @example
 * console.log(String(silu(tensor([-1, 0, 1])))); // Tensor [3] [-0.268941, 0, 0.731059]
 */
export function silu(x: Tensor): Tensor {
  x = asTensor("silu", "x", x);
  const y = empty(x.shape);
  siluForward({ y: y.data, x: x.data }, undefined);
  return record("silu", y, [x], (gy) =>
    contribute([x], (gx) => siluGradient({ gx, gy, x: x.data }, undefined)),
  );
}

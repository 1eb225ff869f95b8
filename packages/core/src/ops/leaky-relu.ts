// Leaky ReLU (Maas, Hannun and Ng, 2013), element by element, on tensors of any shape.
//
//   y = x where x > 0, else slope · x         gx = gy where x > 0, else slope · gy

import { contribute, record } from "../autograd.ts";
import { expectOptions } from "../errors.ts";
import { type Floats, kernel } from "../kernel.ts";
import { asTensor, empty, type Tensor } from "../tensor.ts";

/** `y = x` where `x > 0`, else `slope · x`. */
export const leakyReluForward = kernel(
  "leakyRelu.forward",
  { y: "write", x: "read" },
  ({ y, x }: { y: Floats; x: Floats }, { slope }: { slope: number }) => {
    for (let i = 0; i < y.length; i++) y[i] = x[i] > 0 ? x[i] : slope * x[i];
  },
);

/** `gx = gy` where `x > 0`, else `slope · gy`. */
export const leakyReluGradient = kernel(
  "leakyRelu.gradient",
  { gx: "write", gy: "read", x: "read" },
  ({ gx, gy, x }: { gx: Floats; gy: Floats; x: Floats }, { slope }: { slope: number }) => {
    for (let i = 0; i < gx.length; i++) gx[i] = x[i] > 0 ? gy[i] : slope * gy[i];
  },
);

/**
 * `x` where it is positive, else `slope · x`.
 *
 * @param options.slope default 0.01, as PyTorch has it; TensorFlow has 0.2, Keras 0.3
 * @throws TypeError where `x` is no tensor, the slope no number, or an option unknown
 * @example
 * console.log(String(leakyRelu(tensor([-2, 3]), { slope: 0.2 }))); // Tensor [2] [-0.4, 3]
 */
export function leakyRelu(x: Tensor, options: { readonly slope?: number } = {}): Tensor {
  expectOptions("leakyRelu", options, ["slope"]);
  const { slope = 0.01 } = options;
  if (typeof slope !== "number") throw new TypeError(`leakyRelu: slope must be a number but is ${slope}`);
  const from = asTensor("leakyRelu", "x", x);
  const y = empty(from.shape);
  leakyReluForward({ y: y.data, x: from.data }, { slope });
  return record("leakyRelu", y, [from], (gy) =>
    contribute([from], (gx) => leakyReluGradient({ gx, gy, x: from.data }, { slope })),
  );
}

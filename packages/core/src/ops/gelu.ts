// GELU (Hendrycks and Gimpel, arXiv 1606.08415), element by element, on tensors of any shape.
//
//   y = x · Φ(x)                                        gx = gy · (Φ(x) + x · φ(x))
//   y = x / 2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))  where approximate is "tanh"
//
// Φ is the normal distribution: Φ(x) = 1 - erfc(x / √2) / 2, φ its density. For x < 0, erfc(-x / √2) / 2 keeps what is
// small there.

import { contribute, record } from "../autograd.ts";
import { expectOptions } from "../errors.ts";
import { type Floats, kernel } from "../kernel.ts";
import { ALL_TERMS, FEW_TERMS, scaledErfc } from "../portable/erf.ts";
import { fastExp } from "../portable/exp.ts";
import { asTensor, empty, type Tensor } from "../tensor.ts";

/** How GELU is computed. */
export interface GeluOptions {
  /** `"none"`: by the normal distribution itself (default); `"tanh"`: by the formula that GPT-2 uses, within 5e-4. */
  readonly approximate?: "none" | "tanh";
}

/** The constants of one call. */
export type GeluDims = Required<GeluOptions>;

type Forward = { y: Floats; x: Floats };
type Gradient = { gx: Floats; gy: Floats; x: Floats };

/** √(2/π) and the factor of x³ in the tanh form. */
const [SCALE, CUBIC] = [Math.sqrt(2 / Math.PI), 0.044715];

/** Φ(x), where `e` is e^(-x²/2). */
function distribution(x: number, e: number, terms: number): number {
  const tail = 0.5 * e * scaledErfc(Math.abs(x) * Math.SQRT1_2, terms);
  return x >= 0 ? 1 - tail : tail;
}

const forwardWith =
  (exp: (x: number) => number, terms: number) =>
  ({ y, x }: Forward, { approximate }: GeluDims): void => {
    for (let i = 0; i < y.length; i++) {
      const v = x[i];
      if (approximate === "none") y[i] = v * distribution(v, exp(-0.5 * v * v), terms);
      else y[i] = 0.5 * v * (1 + Math.tanh(SCALE * (v + CUBIC * v * v * v)));
    }
  };

const gradientWith =
  (exp: (x: number) => number, terms: number) =>
  ({ gx, gy, x }: Gradient, { approximate }: GeluDims): void => {
    for (let i = 0; i < gx.length; i++) {
      const v = x[i];
      if (approximate === "none") {
        const e = exp(-0.5 * v * v);
        gx[i] = gy[i] * (distribution(v, e, terms) + 0.5 * SCALE * v * e);
      } else {
        const t = Math.tanh(SCALE * (v + CUBIC * v * v * v));
        gx[i] = gy[i] * 0.5 * (1 + t + v * (1 - t * t) * SCALE * (1 + 3 * CUBIC * v * v));
      }
    }
  };

/** `y = x · Φ(x)`, or its tanh form. */
export const geluForward = kernel(
  "gelu.forward",
  { y: "write", x: "read" },
  forwardWith(Math.exp, ALL_TERMS),
  { portable: forwardWith(fastExp, FEW_TERMS) },
);

/** `gx = gy · (Φ(x) + x · φ(x))`, or the slope of the tanh form. */
export const geluGradient = kernel(
  "gelu.gradient",
  { gx: "write", gy: "read", x: "read" },
  gradientWith(Math.exp, ALL_TERMS),
  { portable: gradientWith(fastExp, FEW_TERMS) },
);

/**
 * `x · Φ(x)` with the normal distribution Φ: the activation of most transformers.
 *
 * @throws TypeError where `x` is no tensor or an option unknown; RangeError where `approximate` is neither of the two
 * @example
 * console.log(String(gelu(tensor([-1, 0, 1])))); // Tensor [3] [-0.158655, 0, 0.841345]
 * console.log(String(gelu(tensor([-1, 0, 1]), { approximate: "tanh" }))); // Tensor [3] [-0.158808, 0, 0.841192]
 */
export function gelu(x: Tensor, options: GeluOptions = {}): Tensor {
  expectOptions("gelu", options, ["approximate"]);
  const { approximate = "none" } = options;
  if (approximate !== "none" && approximate !== "tanh") {
    throw new RangeError(`gelu: approximate must be "none" or "tanh" but is ${String(approximate)}`);
  }
  const from = asTensor("gelu", "x", x);
  const y = empty(from.shape);
  geluForward({ y: y.data, x: from.data }, { approximate });
  return record("gelu", y, [from], (gy) =>
    contribute([from], (gx) => geluGradient({ gx, gy, x: from.data }, { approximate })),
  );
}

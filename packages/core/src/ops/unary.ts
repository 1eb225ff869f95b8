// Functions of one number, element by element, on tensors of any shape.
//
//   y = f(x)      gx = gy · f'(x)
//
// Each is one entry of a table: f, and f' of x, or of y where that is cheaper. Outside its domain a function gives what
// IEEE 754 says (log 0 = -∞, √-1 = NaN).

import { contribute, record } from "../autograd.ts";
import { expectOptions, kindOf } from "../errors.ts";
import { type Floats, type Kernel, kernel } from "../kernel.ts";
import { asTensor, empty, type Tensor } from "../tensor.ts";

type Forward = { y: Floats; x: Floats };
type Gradient = { gx: Floats; gy: Floats; at: Floats };

/** The two kernels of a function: `y = f(x)`, and `gx = gy · f'(at)`, where `at` is x or y. */
export interface UnaryKernels<Parameters = void> {
  readonly forward: Kernel<Forward, Parameters>;
  readonly gradient: Kernel<Gradient, Parameters>;
}

function kernelsOf<Parameters = void>(
  name: string,
  value: (x: number, parameters: Parameters) => number,
  slope: (at: number, parameters: Parameters) => number,
): UnaryKernels<Parameters> {
  return {
    forward: kernel(`${name}.forward`, { y: "write", x: "read" }, ({ y, x }: Forward, parameters) => {
      for (let i = 0; i < y.length; i++) y[i] = value(x[i], parameters);
    }),
    gradient: kernel(
      `${name}.gradient`,
      { gx: "write", gy: "read", at: "read" },
      ({ gx, gy, at }: Gradient, parameters) => {
        for (let i = 0; i < gx.length; i++) gx[i] = gy[i] * slope(at[i], parameters);
      },
    ),
  };
}

/** The kernels of all functions here, by their names. */
export const unaryKernels = {
  neg: kernelsOf(
    "neg",
    (x) => -x,
    () => -1,
  ),
  exp: kernelsOf("exp", Math.exp, (y) => y),
  log: kernelsOf("log", Math.log, (x) => 1 / x),
  sqrt: kernelsOf("sqrt", Math.sqrt, (y) => 0.5 / y),
  abs: kernelsOf("abs", Math.abs, Math.sign),
  tanh: kernelsOf("tanh", Math.tanh, (y) => 1 - y * y),
  pow: kernelsOf(
    "pow",
    (x, exponent: number) => x ** exponent,
    (x, exponent) => (exponent === 0 ? 0 : exponent * x ** (exponent - 1)),
  ),
  clip: kernelsOf(
    "clip",
    (x, { min, max }: Required<ClipOptions>) => (x < min ? min : x > max ? max : x),
    (x, { min, max }) => (x >= min && x <= max ? 1 : 0),
  ),
} as const;

function elementwise<Parameters = void>(
  name: keyof typeof unaryKernels,
  slopeFrom: "x" | "y",
): (x: Tensor, parameters: Parameters) => Tensor {
  const { forward, gradient } = unaryKernels[name] as unknown as UnaryKernels<Parameters>;
  return (from, parameters) => {
    const x = asTensor(name, "x", from);
    const y = empty(x.shape);
    forward({ y: y.data, x: x.data }, parameters);
    const at = slopeFrom === "x" ? x.data : y.data;
    return record(name, y, [x], (gy) => contribute([x], (gx) => gradient({ gx, gy, at }, parameters)));
  };
}

/**
 * `-x`.
 *
 * @example
 * console.log(String(neg(tensor([1, -2])))); // Tensor [2] [-1, 2]
 */
export const neg: (x: Tensor) => Tensor = elementwise("neg", "x");

/**
 * `e^x`.
 *
 * @example
 * console.log(String(exp(tensor([0, 1])))); // Tensor [2] [1, 2.71828]
 */
export const exp: (x: Tensor) => Tensor = elementwise("exp", "y");

/**
 * The natural logarithm.
 *
 * @example
 * console.log(String(log(tensor([1, 10])))); // Tensor [2] [0, 2.30259]
 */
export const log: (x: Tensor) => Tensor = elementwise("log", "x");

/**
 * The square root. Its slope at 0 is infinite, so a zero gradient that arrives there becomes NaN: add an epsilon
 * inside the root where 0 can occur.
 *
 * @example
 * console.log(String(sqrt(tensor([4, 9])))); // Tensor [2] [2, 3]
 */
export const sqrt: (x: Tensor) => Tensor = elementwise("sqrt", "y");

/**
 * `|x|`; the gradient at 0 is 0.
 *
 * @example
 * console.log(String(abs(tensor([-1, 2])))); // Tensor [2] [1, 2]
 */
export const abs: (x: Tensor) => Tensor = elementwise("abs", "x");

/**
 * The hyperbolic tangent.
 *
 * @example
 * console.log(String(tanh(tensor([-1, 0, 1])))); // Tensor [3] [-0.761594, 0, 0.761594]
 */
export const tanh: (x: Tensor) => Tensor = elementwise("tanh", "y");

/**
 * `x^exponent`, with one exponent for all elements.
 *
 * @throws TypeError where the exponent is no number
 *
 * @example
 * console.log(String(pow(tensor([2, 3]), 3))); // Tensor [2] [8, 27]
 */
export function pow(x: Tensor, exponent: number): Tensor {
  if (typeof exponent !== "number")
    throw new TypeError(`pow: exponent must be a number but is ${kindOf(exponent)}`);
  return power(x, exponent);
}

const power = elementwise<number>("pow", "x");

/** Bounds of {@link clip}, both included; what is left out does not bound. */
export interface ClipOptions {
  readonly min?: number;
  readonly max?: number;
}

const clipBetween = elementwise<Required<ClipOptions>>("clip", "x");

/**
 * Brings every element between two bounds. The gradient passes where x lies between them or on one of them. Bounds
 * are rounded to 32 bits, as elements are, so that an element can lie on one.
 *
 * @throws RangeError where `min` is above `max` or a bound is no number; TypeError on an unknown option
 * @example
 * console.log(String(clip(tensor([-1, 0.5, 2]), { min: 0, max: 1 }))); // Tensor [3] [0, 0.5, 1]
 */
export function clip(x: Tensor, options: ClipOptions): Tensor {
  expectOptions("clip", options, ["min", "max"]);
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = options;
  if (!(min <= max)) throw new RangeError(`clip: min must be at most max but is ${min} with max ${max}`);
  return clipBetween(x, { min: Math.fround(min), max: Math.fround(max) });
}

// Cross-entropy of logits along one axis, one number per position; averaging is the caller's (`mean`).
//
//   classes  y = log Σ e^x - x[z]                gx = gy · (softmax(x) - [k = z])
//   shares   y = Σ z · (log Σ e^x - x)           gx = gy · (softmax(x) · Σ z - z)
//
//   x  logits      z  classes, integers without the axis of the logits; or shares, in the shape of the logits
//
// The target is taken as given: no gradient flows to it. A position whose class is `ignoreClass` counts 0.

import { contribute, record } from "../autograd.ts";
import { expectIndex, expectOptions, formatShape, ShapeError } from "../errors.ts";
import { type Floats, kernel } from "../kernel.ts";
import { fastExp } from "../portable/exp.ts";
import { asTensor, empty, type Tensor } from "../tensor.ts";
import { type AxisDims, alongAxis, largestOf, sumOfPowers } from "./along-axis.ts";

/** Where the classes lie, and which one does not count. */
export interface SoftmaxCrossEntropyOptions {
  /** The axis of the classes; default the last. */
  readonly axis?: number;
  /** Positions of this class count 0 and pass no gradient; only where the target holds classes. */
  readonly ignoreClass?: number;
}

/** The integers of one cross-entropy. */
export interface SoftmaxCrossEntropyDims extends AxisDims {
  readonly target: "classes" | "shares";
  readonly ignoreClass: number | undefined;
}

type Forward = { y: Floats; x: Floats; z: Floats };
type Gradient = { gx: Floats; gy: Floats; x: Floats; z: Floats };

/** Calls `visit` for every position: its number, and where its line of logits begins. */
function forEachPosition(
  { outer, size, inner }: AxisDims,
  visit: (position: number, first: number) => void,
): void {
  for (let o = 0; o < outer; o++) for (let i = 0; i < inner; i++) visit(o * inner + i, o * size * inner + i);
}

const forwardWith =
  (exp: (x: number) => number) =>
  ({ y, x, z }: Forward, d: SoftmaxCrossEntropyDims): void =>
    forEachPosition(d, (position, first) => {
      const isIgnored = d.target === "classes" && z[position] === d.ignoreClass;
      const largest = largestOf(x, first, d);
      const logarithm = isIgnored ? 0 : largest + Math.log(sumOfPowers(x, first, d, largest, exp));
      if (isIgnored) y[position] = 0;
      else if (d.target === "classes") {
        expectIndex("softmaxCrossEntropy", "class", z[position], position, d.size);
        y[position] = logarithm - x[first + z[position] * d.inner];
      } else {
        let sum = 0;
        for (let k = 0; k < d.size; k++) {
          const at = first + k * d.inner;
          // A logit of -∞ costs nothing where its share is 0.
          if (z[at] !== 0) sum += z[at] * (logarithm - x[at]);
        }
        y[position] = sum;
      }
    });

const gradientWith =
  (exp: (x: number) => number) =>
  ({ gx, gy, x, z }: Gradient, d: SoftmaxCrossEntropyDims): void =>
    forEachPosition(d, (position, first) => {
      const isClass = d.target === "classes";
      const isIgnored = isClass && z[position] === d.ignoreClass;
      const largest = largestOf(x, first, d);
      const sum = sumOfPowers(x, first, d, largest, exp);
      let total = isClass ? 1 : 0;
      if (!isClass) for (let k = 0; k < d.size; k++) total += z[first + k * d.inner];
      for (let k = 0; k < d.size; k++) {
        const at = first + k * d.inner;
        const share = isClass ? (k === z[position] ? 1 : 0) : z[at];
        gx[at] = isIgnored ? 0 : gy[position] * ((exp(x[at] - largest) / sum) * total - share);
      }
    });

/** `y = log Σ e^x - x[z]`, or its mean by shares. */
export const softmaxCrossEntropyForward = kernel(
  "softmaxCrossEntropy.forward",
  { y: "write", x: "read", z: "read" },
  forwardWith(Math.exp),
  { portable: forwardWith(fastExp) },
);

/** `gx = gy · (softmax(x) · Σ z - z)`. */
export const softmaxCrossEntropyGradient = kernel(
  "softmaxCrossEntropy.gradient",
  { gx: "write", gy: "read", x: "read", z: "read" },
  gradientWith(Math.exp),
  { portable: gradientWith(fastExp) },
);

/**
 * Cross-entropy of `softmax(logits)` and a target, one number per position.
 *
 * @param logits any real numbers
 * @param target classes: integers from 0, in the shape of `logits` without the axis of classes; or how much each class
 *   counts, from 0 to 1, in the shape of `logits`; receives no gradient
 * @throws ShapeError where the target has neither shape; RangeError where a class is none of the logits'
 * @example
 * const logits = tensor([[2, 1, 0], [0, 0, 0]]);
 * const loss = mean(softmaxCrossEntropy(logits, tensor([0, 2])));
 * console.log(loss.item().toFixed(4)); // 0.7531
 * // Where some positions do not count, neither does their number.
 * const classes = tensor([0, 255]);
 * const each = softmaxCrossEntropy(logits, classes, { ignoreClass: 255 });
 * console.log(div(sum(each), sum(notEqual(classes, 255))).item().toFixed(4)); // 0.4076
 */
export function softmaxCrossEntropy(
  logits: Tensor,
  target: Tensor,
  options: SoftmaxCrossEntropyOptions = {},
): Tensor {
  const op = "softmaxCrossEntropy";
  expectOptions(op, options, ["axis", "ignoreClass"]);
  const [from, { data: z, shape }] = [asTensor(op, "logits", logits), asTensor(op, "target", target)];
  const { axis, dims } = alongAxis(op, from.shape, options.axis ?? -1);
  const positions = from.shape.filter((_, at) => at !== axis);
  const areShares = formatShape(shape) === formatShape(from.shape);
  if (!areShares && formatShape(shape) !== formatShape(positions)) {
    throw new ShapeError(
      `${op}: target must be ${formatShape(positions)} (classes) or ${formatShape(from.shape)} (shares) but is ${formatShape(shape)}`,
    );
  }
  if (areShares && options.ignoreClass !== undefined)
    throw new TypeError(`${op}: ignoreClass wants a target of classes ${formatShape(positions)}`);
  const kind = areShares ? "shares" : "classes";
  const d = Object.freeze({ ...dims, target: kind, ignoreClass: options.ignoreClass } as const);
  const y = empty(positions);
  softmaxCrossEntropyForward({ y: y.data, x: from.data, z }, d);
  return record(op, y, [from], (gy) =>
    contribute([from], (gx) => softmaxCrossEntropyGradient({ gx, gy, x: from.data, z }, d)),
  );
}

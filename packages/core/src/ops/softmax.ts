// Softmax and its logarithm along one axis.
//
//   softmax     y = e^(x - max x) / Σ e^(x - max x)              gx = y · (gy - Σ gy · y)
//   logSoftmax  y = x - max x - log Σ e^(x - max x)              gx = gy - e^y · Σ gy
//
// Taking the maximum away first changes nothing but keeps e^x from overflowing. Sums run in double. A line of nothing but
// -∞ gives NaN, as everywhere.

import { contribute, record } from "../autograd.ts";
import { type Floats, kernel } from "../kernel.ts";
import { fastExp } from "../portable/exp.ts";
import { asTensor, empty, type Tensor } from "../tensor.ts";
import { type AxisDims, alongAxis, forEachLine, largestOf, sumOfPowers } from "./along-axis.ts";

type Forward = { y: Floats; x: Floats };
type Gradient = { gx: Floats; gy: Floats; y: Floats };

const forwardRoles = { y: "write", x: "read" } as const;
const gradientRoles = { gx: "write", gy: "read", y: "read" } as const;

/** `y = e^x / Σ e^x` along the axis. */
export const softmaxForward = kernel(
  "softmax.forward",
  forwardRoles,
  ({ y, x }: Forward, d: AxisDims) => {
    forEachLine(d, (first) => {
      const largest = largestOf(x, first, d);
      const sum = sumOfPowers(x, first, d, largest, Math.exp);
      for (let k = 0; k < d.size; k++) {
        const at = first + k * d.inner;
        y[at] = Math.exp(x[at] - largest) / sum;
      }
    });
  },
  {
    inPlace: { y: "x" },
    portable: ({ y, x }, d) => {
      const powers = new Float64Array(d.size);
      forEachLine(d, (first) => {
        const largest = largestOf(x, first, d);
        let sum = 0;
        for (let k = 0; k < d.size; k++) {
          powers[k] = fastExp(x[first + k * d.inner] - largest);
          sum += powers[k];
        }
        const share = 1 / sum;
        for (let k = 0; k < d.size; k++) y[first + k * d.inner] = powers[k] * share;
      });
    },
  },
);

/** `gx = y · (gy - Σ gy · y)`. */
export const softmaxGradient = kernel(
  "softmax.gradient",
  gradientRoles,
  ({ gx, gy, y }: Gradient, d: AxisDims) => {
    const end = d.size * d.inner;
    forEachLine(d, (first) => {
      let sum = 0;
      for (let at = first; at < first + end; at += d.inner) sum += gy[at] * y[at];
      for (let at = first; at < first + end; at += d.inner) gx[at] = y[at] * (gy[at] - sum);
    });
  },
);

/** `y = x - log Σ e^x` along the axis. */
export const logSoftmaxForward = kernel("logSoftmax.forward", forwardRoles, logSoftmaxWith(Math.exp), {
  inPlace: { y: "x" },
  portable: logSoftmaxWith(fastExp),
});

function logSoftmaxWith(exp: (x: number) => number): (arrays: Forward, d: AxisDims) => void {
  return ({ y, x }, d) =>
    forEachLine(d, (first) => {
      const largest = largestOf(x, first, d);
      const logarithm = Math.log(sumOfPowers(x, first, d, largest, exp));
      for (let k = 0; k < d.size; k++) {
        const at = first + k * d.inner;
        y[at] = x[at] - largest - logarithm;
      }
    });
}

/** `gx = gy - e^y · Σ gy`. */
export const logSoftmaxGradient = kernel(
  "logSoftmax.gradient",
  gradientRoles,
  logSoftmaxGradientWith(Math.exp),
  { portable: logSoftmaxGradientWith(fastExp) },
);

function logSoftmaxGradientWith(exp: (x: number) => number): (arrays: Gradient, d: AxisDims) => void {
  return ({ gx, gy, y }, d) => {
    const end = d.size * d.inner;
    forEachLine(d, (first) => {
      let sum = 0;
      for (let at = first; at < first + end; at += d.inner) sum += gy[at];
      for (let at = first; at < first + end; at += d.inner) gx[at] = gy[at] - exp(y[at]) * sum;
    });
  };
}

/**
 * Positive numbers that add up to 1 along an axis, in the proportions of `e^x`.
 *
 * @param axis default the last; negative ones count from the end
 * @throws RangeError where the axis does not exist
 * @example
 * console.log(String(softmax(tensor([[0, 0, 0, 0], [1000, 1000, 0, 0]])))); // Tensor [2,4] [[0.25, 0.25, 0.25, 0.25], [0.5, 0.5, 0, 0]]
 */
export function softmax(x: Tensor, axis = -1): Tensor {
  const from = asTensor("softmax", "x", x);
  const { dims } = alongAxis("softmax", from.shape, axis);
  const y = empty(from.shape);
  softmaxForward({ y: y.data, x: from.data }, dims);
  return record("softmax", y, [from], (gy) =>
    contribute([from], (gx) => softmaxGradient({ gx, gy, y: y.data }, dims)),
  );
}

/**
 * The logarithm of {@link softmax}, exact where a probability is too small for a 32-bit number.
 *
 * @param axis default the last; negative ones count from the end
 * @throws RangeError where the axis does not exist
 * @example
 * console.log(String(logSoftmax(tensor([0, -1000])))); // Tensor [2] [0, -1000]
 */
export function logSoftmax(x: Tensor, axis = -1): Tensor {
  const from = asTensor("logSoftmax", "x", x);
  const { dims } = alongAxis("logSoftmax", from.shape, axis);
  const y = empty(from.shape);
  logSoftmaxForward({ y: y.data, x: from.data }, dims);
  return record("logSoftmax", y, [from], (gy) =>
    contribute([from], (gx) => logSoftmaxGradient({ gx, gy, y: y.data }, dims)),
  );
}

// The largest element over axes.
//
//   y[short] = max x[long]      gx = gy / n where x = y, n = how many elements tie for the maximum
//
// Sharing among ties is TensorFlow's rule (tf.reduce_max). NaN propagates.

import { contribute, record } from "../autograd.ts";
import { forEachRun, type Walk, walkOver } from "../broadcast.ts";
import { formatShape } from "../errors.ts";
import { type Floats, kernel } from "../kernel.ts";
import { asTensor, empty, type Tensor } from "../tensor.ts";
import { type ReduceOptions, reducedShapes } from "./sum.ts";

/** `y[short] = max x[long]`; strides of the walk: x, y. */
export const maxForward = kernel(
  "max.forward",
  { y: "write", x: "read" },
  ({ y, x }: { y: Floats; x: Floats }, walk: Walk) => {
    const [stepX, stepY] = walk.strides.map((own) => own.at(-1)!) as [number, number];
    y.fill(Number.NEGATIVE_INFINITY);
    forEachRun(walk, (length, i, o) => {
      for (let k = 0; k < length; k++) {
        const value = x[i + k * stepX];
        if (value > y[o + k * stepY] || Number.isNaN(value)) y[o + k * stepY] = value;
      }
    });
  },
);

/** `gx[long] = gy[short] / ties` where `x = y`, else 0; strides of the walk: x, y. */
export const maxGradient = kernel(
  "max.gradient",
  { gx: "write", gy: "read", x: "read", y: "read" },
  ({ gx, gy, x, y }: { gx: Floats; gy: Floats; x: Floats; y: Floats }, walk: Walk) => {
    const [stepX, stepY] = walk.strides.map((own) => own.at(-1)!) as [number, number];
    const ties = new Float64Array(y.length);
    forEachRun(walk, (length, i, o) => {
      for (let k = 0; k < length; k++) if (x[i + k * stepX] === y[o + k * stepY]) ties[o + k * stepY]++;
    });
    forEachRun(walk, (length, i, o) => {
      for (let k = 0; k < length; k++) {
        const at = o + k * stepY;
        gx[i + k * stepX] = x[i + k * stepX] === y[at] ? gy[at] / ties[at] : 0;
      }
    });
  },
);

/**
 * The largest element over axes. Elements that tie share the gradient evenly.
 *
 * @throws RangeError where an axis does not exist, is named twice, or there is nothing to compare
 * @example
 * console.log(String(max(tensor([[1, 5], [3, 2]]), { axes: 1 }))); // Tensor [2] [5, 3]
 */
export function max(x: Tensor, options: ReduceOptions = {}): Tensor {
  x = asTensor("max", "x", x);
  const { kept, result, count } = reducedShapes("max", x.shape, options);
  if (count === 0) throw new RangeError(`max: x ${formatShape(x.shape)} has nothing to compare`);
  const y = empty(result);
  const walk = walkOver(x.shape, [x.shape, kept]);
  maxForward({ y: y.data, x: x.data }, walk);
  return record("max", y, [x], (gy) =>
    contribute([x], (gx) => maxGradient({ gx, gy, x: x.data, y: y.data }, walk)),
  );
}

// Where the largest element along an axis lies. Of equal ones the first counts, and the first NaN of all (NumPy). Places
// are whole numbers, exact up to 2^24, and pass no gradient.

import { formatShape } from "../errors.ts";
import { type Floats, kernel } from "../kernel.ts";
import { asTensor, empty, type Tensor } from "../tensor.ts";
import { type AxisDims, alongAxis } from "./along-axis.ts";

/** `y[o,i] = k` with the largest `x[o,k,i]`. */
export const argmaxForward = kernel(
  "argmax.forward",
  { y: "write", x: "read" },
  ({ y, x }: { y: Floats; x: Floats }, { outer, size, inner }: AxisDims) => {
    for (let o = 0; o < outer; o++)
      for (let i = 0; i < inner; i++) {
        const first = o * size * inner + i;
        let best = 0;
        for (let k = 1; k < size; k++) {
          const [value, largest] = [x[first + k * inner], x[first + best * inner]];
          if (value > largest || (Number.isNaN(value) && !Number.isNaN(largest))) best = k;
        }
        y[o * inner + i] = best;
      }
  },
);

/**
 * The place of the largest element along an axis: the class that a classifier chose.
 *
 * @param axis default the last; negative ones count from the end
 * @returns whole numbers, without that axis
 * @throws RangeError where the axis does not exist or has no elements
 * @example
 * console.log(String(argmax(tensor([[1, 5, 2], [7, 0, 7]])))); // Tensor [2] [1, 0]
 */
export function argmax(x: Tensor, axis = -1): Tensor {
  const from = asTensor("argmax", "x", x);
  const { axis: which, dims } = alongAxis("argmax", from.shape, axis);
  if (dims.size === 0)
    throw new RangeError(`argmax: x ${formatShape(from.shape)} has nothing to compare along axis ${which}`);
  const y = empty(from.shape.filter((_, at) => at !== which));
  argmaxForward({ y: y.data, x: from.data }, dims);
  return y;
}

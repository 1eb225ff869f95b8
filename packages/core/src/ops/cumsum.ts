// Running sums along one axis.
//
//   y[k] = Σ x[j] over j ≤ k  (with reverse over j ≥ k)      gx = the same of gy, in the other direction
//
// Sums run in double.

import { contribute, record } from "../autograd.ts";
import { expectOptions } from "../errors.ts";
import { type Floats, kernel } from "../kernel.ts";
import { asTensor, empty, type Tensor } from "../tensor.ts";
import { type AxisDims, alongAxis, forEachLine } from "./along-axis.ts";

/** The axis, and from which end its sums run. */
export interface CumsumDims extends AxisDims {
  readonly reverse: boolean;
}

/** `y[k] = Σ x[j]` over `j ≤ k`, or `j ≥ k`. */
export const cumsumForward = kernel(
  "cumsum.forward",
  { y: "write", x: "read" },
  ({ y, x }: { y: Floats; x: Floats }, d: CumsumDims) => {
    forEachLine(d, (first) => {
      let sum = 0;
      for (let k = 0; k < d.size; k++) {
        const at = first + (d.reverse ? d.size - 1 - k : k) * d.inner;
        sum += x[at];
        y[at] = sum;
      }
    });
  },
  { inPlace: { y: "x" } },
);

/**
 * Running sums along an axis.
 *
 * @param axis default the last; negative ones count from the end
 * @param options.reverse whether they run from the end; default false
 * @throws RangeError where the axis does not exist
 * @example
 * console.log(String(cumsum(tensor([1, 2, 3])))); // Tensor [3] [1, 3, 6]
 * console.log(String(cumsum(tensor([1, 2, 3]), 0, { reverse: true }))); // Tensor [3] [6, 5, 3]
 */
export function cumsum(x: Tensor, axis = -1, options: { readonly reverse?: boolean } = {}): Tensor {
  expectOptions("cumsum", options, ["reverse"]);
  const { reverse = false } = options;
  const from = asTensor("cumsum", "x", x);
  const { dims } = alongAxis("cumsum", from.shape, axis);
  const y = empty(from.shape);
  cumsumForward({ y: y.data, x: from.data }, Object.freeze({ ...dims, reverse }));
  return record("cumsum", y, [from], (gy) =>
    contribute([from], (gx) =>
      cumsumForward({ y: gx, x: gy }, Object.freeze({ ...dims, reverse: !reverse })),
    ),
  );
}

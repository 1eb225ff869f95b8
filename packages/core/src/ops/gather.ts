// Entries of an axis by their numbers (`numpy.take`, `tf.gather`), which is also an embedding's lookup.
//
//   y[o,j,i] = x[o, indices[j], i]      gx[o,k,i] = Σ gy[o,j,i] over all j with indices[j] = k
//
// Indices are floats that hold integers, exact up to 2^24, and get no gradient. The gradient of x is added up where an
// entry was taken several times: in the precision of gx itself, in the order of the indices, since a second table in
// double may not fit beside a large one.

import { contribute, record } from "../autograd.ts";
import { expectIndex } from "../errors.ts";
import { type Floats, kernel } from "../kernel.ts";
import { asTensor, empty, type Operand, type Tensor } from "../tensor.ts";
import { type AxisDims, alongAxis } from "./along-axis.ts";

/** The axis that is read, and how many entries are taken. */
export interface GatherDims extends AxisDims {
  readonly count: number;
}

/** `y[o,j,i] = x[o, indices[j], i]`. */
export const gatherForward = kernel(
  "gather.forward",
  { y: "write", x: "read", indices: "read" },
  (
    { y, x, indices }: { y: Floats; x: Floats; indices: Floats },
    { outer, size, inner, count }: GatherDims,
  ) => {
    for (let o = 0; o < outer; o++)
      for (let j = 0; j < count; j++) {
        expectIndex("gather", "index", indices[j], j, size);
        const [to, from] = [(o * count + j) * inner, (o * size + indices[j]) * inner];
        for (let i = 0; i < inner; i++) y[to + i] = x[from + i];
      }
  },
);

/** `gx[o, indices[j], i]` is the sum of all `gy[o,j,i]`. */
export const gatherGradient = kernel(
  "gather.gradient",
  { gx: "write", gy: "read", indices: "read" },
  (
    { gx, gy, indices }: { gx: Floats; gy: Floats; indices: Floats },
    { outer, size, inner, count }: GatherDims,
  ) => {
    gx.fill(0);
    for (let o = 0; o < outer; o++)
      for (let j = 0; j < count; j++) {
        const [to, from] = [(o * size + indices[j]) * inner, (o * count + j) * inner];
        for (let i = 0; i < inner; i++) gx[to + i] += gy[from + i];
      }
  },
);

/**
 * Takes entries of an axis by their numbers. An embedding is `gather(table, tokens)`.
 *
 * @param indices integers from 0, of any shape, or one number
 * @param axis default the first; negative ones count from the end
 * @returns `x` with the axes of `indices` in place of that axis
 * @throws RangeError where the axis or an entry does not exist
 * @example
 * const table = tensor([[1, 2], [3, 4], [5, 6]]);
 * console.log(String(gather(table, tensor([2, 0, 2])))); // Tensor [3,2] [[5, 6], [1, 2], [5, 6]]
 * console.log(String(gather(table, 1, -1))); // Tensor [3] [2, 4, 6]
 */
export function gather(x: Tensor, indices: Operand, axis = 0): Tensor {
  const from = asTensor("gather", "x", x);
  const { data: places, shape } = asTensor("gather", "indices", indices);
  const { axis: which, dims } = alongAxis("gather", from.shape, axis);
  const d = Object.freeze({ ...dims, count: places.length });
  const y = empty([...from.shape.slice(0, which), ...shape, ...from.shape.slice(which + 1)]);
  gatherForward({ y: y.data, x: from.data, indices: places }, d);
  return record("gather", y, [from], (gy) =>
    contribute([from], (gx) => gatherGradient({ gx, gy, indices: places }, d)),
  );
}

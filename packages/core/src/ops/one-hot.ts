// Indices as rows of zeros with a one:  y[…,k] = 1 where indices[…] = k, else 0.  No gradient.

import { expectIndex, expectInteger } from "../errors.ts";
import { type Floats, kernel } from "../kernel.ts";
import { asTensor, empty, type Tensor } from "../tensor.ts";

/** `y[i,k] = 1` where `indices[i] = k`, else 0. */
export const oneHotForward = kernel(
  "oneHot.forward",
  { y: "write", indices: "read" },
  ({ y, indices }: { y: Floats; indices: Floats }, { classes }: { readonly classes: number }) => {
    y.fill(0);
    for (let i = 0; i < indices.length; i++) {
      expectIndex("oneHot", "index", indices[i], i, classes);
      y[i * classes + indices[i]] = 1;
    }
  },
);

/**
 * Turns classes into shares: a new last axis holds 1 at the place of the class and 0 elsewhere.
 *
 * @param indices integers from 0
 * @param classes how many there are
 * @returns `[…,classes]`
 * @throws RangeError where an index is no integer from 0 to `classes - 1`
 * @example
 * console.log(String(oneHot(tensor([2, 0]), 3))); // Tensor [2,3] [[0, 0, 1], [1, 0, 0]]
 */
export function oneHot(indices: Tensor, classes: number): Tensor {
  expectInteger("oneHot", "classes", classes, 1);
  const from = asTensor("oneHot", "indices", indices);
  const y = empty([...from.shape, classes]);
  oneHotForward({ y: y.data, indices: from.data }, { classes });
  return y;
}

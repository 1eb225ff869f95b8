// The walk over the products of a batch, for the forms of the matrix product.

import { forEachRun } from "../broadcast.ts";
import type { Floats } from "../kernel.ts";
import type { MatmulDims } from "./matmul-dims.ts";

/** The arrays of a product. */
export type Factors = {
  readonly y: Floats;
  readonly a: Floats;
  readonly b: Floats;
};

/** Calls `visit` for every product, with where its matrices begin. */
export function forEachProduct({ walk }: MatmulDims, visit: (y: number, a: number, b: number) => void): void {
  const [stepY, stepA, stepB] = walk.strides.map((own) => own.at(-1)!) as [number, number, number];
  forEachRun(walk, (length, y, a, b) => {
    for (let i = 0; i < length; i++) visit(y + i * stepY, a + i * stepA, b + i * stepB);
  });
}

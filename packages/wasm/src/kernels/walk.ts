// Walks of core (broadcast.ts) as rows: what generated code goes along. More than two axes stay with the portable form.

import type { Walk } from "@saunet/core/kernels";

/** How an array moves, in elements: from row to row and inside a row. */
export interface Step {
  readonly outer: number;
  /** 1, or 0 where the array repeats one element. */
  readonly inner: number;
}

export interface Rows {
  readonly rows: number;
  readonly length: number;
  /** Of each array. */
  readonly steps: readonly Step[];
}

/** A walk of one or two axes as rows; a single axis is one row. */
export function rowsOf({ shape, strides }: Walk): Rows | undefined {
  const [rows, length] = shape.length === 1 ? [1, shape[0]] : shape;
  if (shape.length > 2 || strides.some((own) => own.at(-1)! > 1)) return undefined;
  const steps = strides.map((own) => ({ outer: own.length === 1 ? 0 : own[0], inner: own.at(-1)! }));
  return { rows, length, steps };
}

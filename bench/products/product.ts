// What the contenders of the matrix product compute on, and what one has to do.

import { normal, randomState, readSafetensors, Tensor, writeSafetensors } from "@saunet/core";

/** The sizes of a product: `batch` times `[m,k]` by `[k,n]`. */
export interface ProductShape {
  readonly batch: number;
  readonly m: number;
  readonly k: number;
  readonly n: number;
}

/** The factors `[m,k]` and `[k,n]`, or `[batch,m,k]` and `[batch,k,n]`. */
export interface Factors {
  readonly a: Tensor;
  readonly b: Tensor;
}

/** A square matrix is called by its side, another product by its m, k and n, a batch by its number before them. */
export function nameOfShape({ batch, m, k, n }: ProductShape): string {
  if (batch > 1) return `${batch}x${m}x${k}x${n}`;
  return m === k && k === n ? `${m}` : `${m}x${k}x${n}`;
}

/** Two for each term. */
export const flopsOf = ({ batch, m, k, n }: ProductShape): number => 2 * batch * m * k * n;

/** Normal numbers, scaled so that results are about 1. */
export function makeFactors({ batch, m, k, n }: ProductShape): Factors {
  const random = randomState(1);
  const shapes = [
    [m, k],
    [k, n],
  ].map((shape) => (batch === 1 ? shape : [batch, ...shape]));
  const [a, b] = shapes.map((shape) => normal(shape, random)) as [Tensor, Tensor];
  return {
    a,
    b: new Tensor(
      b.data.map((value) => value / Math.sqrt(k)),
      b.shape,
    ),
  };
}

/** The bytes of a file of factors. */
export const writeFactors = ({ a, b }: Factors): Uint8Array => writeSafetensors({ a, b });

/** Reads such a file. */
export function readFactors(bytes: Uint8Array): Factors {
  const { a, b } = readSafetensors(bytes).tensors;
  return { a, b };
}

/**
 * Everything that is done once for some factors. What it gives is timed: from factors in the contender's own form to
 * floats that JavaScript can read.
 */
export type PrepareProduct = (
  factors: Factors,
  threads: number,
) => Promise<() => Float32Array | Promise<Float32Array>>;

// The integers of a matrix product, for the operator, its kernel, accelerators, FLOP counts and benches.

import { type Walk, walkOver } from "../broadcast.ts";
import { type Shape, sizeOf } from "../shape.ts";

/** The integers of `batch` products of `m` × `k` and `k` × `n` matrices, each of them row-major without gaps. */
export interface MatmulDims {
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Whether the matrices in `a` are stored `k` × `m`. */
  readonly transposeA: boolean;
  /** Whether the matrices in `b` are stored `n` × `k`. */
  readonly transposeB: boolean;
  /** Over the batch axes. Strides: from one matrix to the next in y, a and b, in elements; 0 where it is the same. */
  readonly walk: Walk;
  /** Two (one multiplication, one addition) per term. */
  readonly flops: number;
}

/** The batch axes of y, to which those of a and b broadcast, and which factors lie transposed. */
export interface Products {
  readonly batch?: Shape;
  readonly batchA?: Shape;
  readonly batchB?: Shape;
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

/**
 * The integers of products of `m` × `k` and `k` × `n` matrices; one product by default.
 *
 * @example
 * const { batch, walk, flops } = matmulDims(2, 3, 4, { batch: [5], batchA: [5] });
 * console.log(batch, walk, flops); // 5 { shape: [ 5 ], strides: [ [ 6 ], [ 8 ], [ 0 ] ] } 240
 */
export function matmulDims(
  m: number,
  n: number,
  k: number,
  { batch = [], batchA = [], batchB = [], transposeA = false, transposeB = false }: Products = {},
): MatmulDims {
  const { shape, strides } = walkOver(batch, [batch, batchA, batchB]);
  const sizes = [m * n, m * k, k * n];
  const walk = { shape, strides: strides.map((own, i) => own.map((step) => step * sizes[i])) };
  const products = sizeOf(batch);
  const flops = 2 * products * m * n * k;
  return Object.freeze({ batch: products, m, n, k, transposeA, transposeB, walk, flops });
}

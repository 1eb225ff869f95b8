// Matrix product, one or many (`numpy.matmul`, `torch.matmul`).
//
//   y[…,i,j] = Σ_t a[…,i,t] · b[…,t,j]      ga = gy · bᵀ      gb = aᵀ · gy
//
//   a [B…,M,K]   b [B…,K,N]   y [B…,M,N];  with transposeA a is [B…,K,M], with transposeB b is [B…,N,K]
//
// Batch axes broadcast. A vector counts as a row on the left and as a column on the right, and its axis disappears from
// the result. Sums run in double. Both gradients are products again, so one kernel does everything.

import { record } from "../autograd.ts";
import { expectOptions, expectShape, formatShape, ShapeError } from "../errors.ts";
import { kernel } from "../kernel.ts";
import { portableMatmul } from "../portable/matmul.ts";
import { broadcastShapes, type Shape, sizeOf } from "../shape.ts";
import { asTensor, empty, type Tensor } from "../tensor.ts";
import { add } from "./arithmetic.ts";
import { type MatmulDims, matmulDims } from "./matmul-dims.ts";
import { reshape } from "./movement.ts";
import { type Factors, forEachProduct } from "./products.ts";
import { contributeStretched } from "./stretched.ts";

/** Which factors lie transposed. */
export interface MatmulOptions {
  /** Whether `a` is `[…,K,M]`; default false. */
  readonly transposeA?: boolean;
  /** Whether `b` is `[…,N,K]`; default false. */
  readonly transposeB?: boolean;
}

function multiplyPlainly({ y, a, b }: Factors, d: MatmulDims): void {
  const [rowA, termA] = d.transposeA ? [1, d.m] : [d.k, 1];
  const [termB, columnB] = d.transposeB ? [1, d.k] : [d.n, 1];
  forEachProduct(d, (atY, atA, atB) => {
    for (let i = 0; i < d.m; i++)
      for (let j = 0; j < d.n; j++) {
        let sum = 0;
        for (let t = 0; t < d.k; t++) sum += a[atA + i * rowA + t * termA] * b[atB + t * termB + j * columnB];
        y[atY + i * d.n + j] = sum;
      }
  });
}

/** `y = a · b` for every matrix of the batch. */
export const matmulForward = kernel("matmul.forward", { y: "write", a: "read", b: "read" }, multiplyPlainly, {
  portable: (arrays, d) => portableMatmul(arrays, d, multiplyPlainly),
});

/** A factor of a product: its array, the shape of its batch, whether its matrices lie transposed. */
interface Factor {
  readonly data: Float32Array;
  readonly batch: Shape;
  readonly transposed: boolean;
}

/** `y = a · b` with `y` `[batch…,m,n]`. */
function multiply(
  y: Float32Array,
  batch: Shape,
  [m, k, n]: readonly [number, number, number],
  a: Factor,
  b: Factor,
): void {
  const apart = { batchA: a.batch, batchB: b.batch, transposeA: a.transposed, transposeB: b.transposed };
  matmulForward({ y, a: a.data, b: b.data }, matmulDims(m, n, k, { batch, ...apart }));
}

/**
 * The matrix product, by NumPy's rules: the last two axes are multiplied, the axes before them broadcast, and a vector
 * counts as a row on the left and as a column on the right.
 *
 * @param a `[…,M,K]`, or `[…,K,M]` with `transposeA`, or a vector `[K]`
 * @param b `[…,K,N]`, or `[…,N,K]` with `transposeB`, or a vector `[K]`
 * @returns `[…,M,N]`, without the axis of a vector
 * @throws ShapeError where the shapes do not fit or an operand has no axes; TypeError on an unknown option
 * @example
 * const a = tensor([[1, 2], [3, 4]]);
 * console.log(String(matmul(a, tensor([[0, 1], [1, 0]])))); // Tensor [2,2] [[2, 1], [4, 3]]
 * console.log(String(matmul(a, a, { transposeB: true }))); // Tensor [2,2] [[5, 11], [11, 25]]
 * console.log(String(matmul(a, tensor([1, 10])))); // Tensor [2] [21, 43]
 * console.log(matmul(ones([8, 1, 4, 3]), ones([5, 3, 2])).shape); // [ 8, 5, 4, 2 ]
 */
export function matmul(a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor {
  expectOptions("matmul", options, ["transposeA", "transposeB"]);
  const { transposeA = false, transposeB = false } = options;
  const [left, right] = [asTensor("matmul", "a", a), asTensor("matmul", "b", b)];
  expectMatrix("a", left.shape, transposeA);
  expectMatrix("b", right.shape, transposeB);
  const [isRow, isColumn] = [left.shape.length === 1, right.shape.length === 1];
  const y = product(
    isRow ? reshape(left, [1, left.size]) : left,
    isColumn ? reshape(right, [right.size, 1]) : right,
    transposeA,
    transposeB,
  );
  if (!isRow && !isColumn) return y;
  const batch = y.shape.slice(0, -2);
  return reshape(y, [...batch, ...(isRow ? [] : [y.shape.at(-2)!]), ...(isColumn ? [] : [y.shape.at(-1)!])]);
}

function expectMatrix(name: string, shape: Shape, transposed: boolean): void {
  if (shape.length >= (transposed ? 2 : 1)) return;
  throw new ShapeError(
    `matmul: ${name} must be ${transposed ? "a matrix to lie transposed" : "a vector or matrix"} but is ${formatShape(shape)}`,
  );
}

/** The product of matrices. */
function product(a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): Tensor {
  const [batchA, batchB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const [rows, k] = transposeA ? [a.shape.at(-1)!, a.shape.at(-2)!] : [a.shape.at(-2)!, a.shape.at(-1)!];
  const [terms, n] = transposeB ? [b.shape.at(-1)!, b.shape.at(-2)!] : [b.shape.at(-2)!, b.shape.at(-1)!];
  if (k !== terms) {
    const lying = (shape: Shape, transposed: boolean) =>
      `${formatShape(shape)}${transposed ? " transposed" : ""}`;
    throw new ShapeError(
      `matmul: a ${lying(a.shape, transposeA)} has ${k} columns but b ${lying(b.shape, transposeB)} has ${terms} rows`,
    );
  }
  const batch = broadcastShapes("matmul, batch axes", batchA, batchB);
  const y = empty([...batch, rows, n]);
  // Many matrices times the same one are one tall matrix times it.
  const tall = !transposeA && sizeOf(batchB) === 1;
  const m = tall ? sizeOf(batchA) * rows : rows;
  const products = tall ? [] : batch;
  const left = { data: a.data, batch: tall ? [] : batchA, transposed: transposeA };
  const right = { data: b.data, batch: tall ? [] : batchB, transposed: transposeB };
  multiply(y.data, products, [m, k, n], left, right);
  return record("matmul", y, [a, b], (gy) => {
    const flipped = (factor: Factor) => ({ ...factor, transposed: !factor.transposed });
    const slope = { data: gy, batch: products, transposed: false };
    contributeStretched(a, [...batch, ...a.shape.slice(-2)], (ga) => {
      if (transposeA) multiply(ga, products, [k, n, m], right, flipped(slope));
      else multiply(ga, products, [m, n, k], slope, flipped(right));
    });
    contributeStretched(b, tall ? b.shape : [...batch, ...b.shape.slice(-2)], (gb) => {
      if (transposeB) multiply(gb, products, [n, m, k], flipped(slope), left);
      else multiply(gb, products, [k, m, n], flipped(left), slope);
    });
  });
}

/**
 * A dense (fully connected, linear) layer: `x · weights + bias` over the last axis.
 *
 * @param x `[…,I]`
 * @param weights `[I,O]`, as Keras keeps them; PyTorch's `Linear` keeps `[O,I]`
 * @param bias `[O]`, or `undefined` for none
 * @returns `[…,O]`
 * @throws ShapeError where the shapes do not fit
 * @example
 * const weights = tensor([[1, 0, 2], [0, 1, 2]]);
 * console.log(String(dense(tensor([[1, 2], [3, 4]]), weights, tensor([10, 20, 30])))); // Tensor [2,3] [[11, 22, 36], [13, 24, 44]]
 */
export function dense(x: Tensor, weights: Tensor, bias?: Tensor): Tensor {
  const [input, matrix] = [asTensor("dense", "x", x), asTensor("dense", "weights", weights)];
  const size = input.shape.at(-1);
  if (matrix.shape.length !== 2 || matrix.shape[0] !== size) {
    throw new ShapeError(
      `dense: weights must be [${size ?? "I"},O] for x ${formatShape(input.shape)} but is ${formatShape(matrix.shape)}`,
    );
  }
  if (bias !== undefined)
    expectShape("dense", "bias", asTensor("dense", "bias", bias).shape, [matrix.shape[1]]);
  const y = matmul(input, matrix);
  return bias === undefined ? y : add(y, bias);
}

// Sum and stretch, a linear map and its adjoint: each is the other's gradient.
//
//   sum          y = scale · Σ x over some axes        (mean: scale = 1/n)
//   broadcastTo  y = x, repeated along axes of size 1
//
// A reduced axis disappears, or stays with size 1 where `keepDims` asks for it. Sums run in double and are rounded
// once.

import { contribute, record } from "../autograd.ts";
import { forEachRun, type Walk, walkOver } from "../broadcast.ts";
import { expectList, expectOptions, formatShape, ShapeError } from "../errors.ts";
import { type Floats, kernel } from "../kernel.ts";
import { broadcastShapes, normalizeAxes, type Shape } from "../shape.ts";
import { asTensor, empty, type Tensor } from "../tensor.ts";

/** Over which axes to reduce. */
export interface ReduceOptions {
  /** Axes, negative ones counted from the end; default all. */
  readonly axes?: number | readonly number[] | undefined;
  /** Whether a reduced axis stays, with size 1. */
  readonly keepDims?: boolean;
}

/** The walk of the longer array and, in step, the shorter one; every number is multiplied by `scale`. */
export interface ScaledWalk {
  readonly walk: Walk;
  readonly scale: number;
}

/** `out[short] = scale · Σ x[long]`; strides of the walk: x, out. */
export const sumForward = kernel(
  "sum.forward",
  { out: "write", x: "read" },
  ({ out, x }: { out: Floats; x: Floats }, { walk, scale }: ScaledWalk) => {
    const sums = new Float64Array(out.length);
    const stepX = walk.strides[0].at(-1)!;
    const stepOut = walk.strides[1].at(-1)!;
    forEachRun(walk, (length, i, o) => {
      if (stepOut === 0) {
        let sum = 0;
        for (let k = 0; k < length; k++) sum += x[i + k * stepX];
        sums[o] += sum;
      } else for (let k = 0; k < length; k++) sums[o + k * stepOut] += x[i + k * stepX];
    });
    for (let o = 0; o < out.length; o++) out[o] = scale * sums[o];
  },
);

/** `out[long] = scale · x[short]`; strides of the walk: out, x. */
export const stretchForward = kernel(
  "stretch.forward",
  { out: "write", x: "read" },
  ({ out, x }: { out: Floats; x: Floats }, { walk, scale }: ScaledWalk) => {
    const stepOut = walk.strides[0].at(-1)!;
    const stepX = walk.strides[1].at(-1)!;
    forEachRun(walk, (length, o, i) => {
      for (let k = 0; k < length; k++) out[o + k * stepOut] = scale * x[i + k * stepX];
    });
  },
);

/**
 * The shapes of a reduction's result: with the reduced axes as 1, and as the caller wants it.
 *
 * @throws TypeError on an unknown option; RangeError where an axis does not exist
 * @example
 * console.log(reducedShapes("sum", [2, 3], { axes: 1 })); // { kept: [ 2, 1 ], result: [ 2 ], count: 3 }
 */
export function reducedShapes(
  op: string,
  shape: Shape,
  options: ReduceOptions,
): { kept: Shape; result: Shape; count: number } {
  expectOptions(op, options, ["axes", "keepDims"]);
  const axes = new Set(normalizeAxes(op, options.axes, shape.length));
  const kept = shape.map((size, axis) => (axes.has(axis) ? 1 : size));
  const result = options.keepDims ? kept : shape.filter((_, axis) => !axes.has(axis));
  return {
    kept,
    result,
    count: shape.reduce((count, size, axis) => (axes.has(axis) ? count * size : count), 1),
  };
}

function scaledSum(op: string, x: Tensor, kept: Shape, result: Shape, scale: number): Tensor {
  const out = empty(result);
  const dims = { walk: walkOver(x.shape, [x.shape, kept]), scale };
  sumForward({ out: out.data, x: x.data }, dims);
  return record(op, out, [x], (gradient) =>
    contribute([x], (gx) => stretchForward({ out: gx, x: gradient }, dims)),
  );
}

/**
 * Sums over axes.
 *
 * @throws RangeError where an axis does not exist or is named twice; TypeError on an unknown option
 * @example
 * console.log(String(sum(tensor([[1, 2], [3, 4]]), { axes: 0 }))); // Tensor [2] [4, 6]
 */
export function sum(x: Tensor, options: ReduceOptions = {}): Tensor {
  x = asTensor("sum", "x", x);
  const { kept, result } = reducedShapes("sum", x.shape, options);
  return scaledSum("sum", x, kept, result, 1);
}

/**
 * Averages over axes.
 *
 * @throws RangeError where an axis does not exist, is named twice, or there is nothing to average
 * @example
 * console.log(mean(tensor([[1, 2], [3, 6]])).item()); // 3
 */
export function mean(x: Tensor, options: ReduceOptions = {}): Tensor {
  x = asTensor("mean", "x", x);
  const { kept, result, count } = reducedShapes("mean", x.shape, options);
  if (count === 0) throw new RangeError(`mean: x ${formatShape(x.shape)} has nothing to average`);
  return scaledSum("mean", x, kept, result, 1 / count);
}

/**
 * Repeats a tensor along axes of size 1 (and along new axes at the front) until it has the given shape.
 *
 * @throws ShapeError where the shape is not one that `x` broadcasts to
 * @example
 * console.log(String(broadcastTo(tensor([[1], [2]]), [2, 3]))); // Tensor [2,3] [[1, 1, 1], [2, 2, 2]]
 */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  x = asTensor("broadcastTo", "x", x);
  expectList("broadcastTo", "shape", shape);
  if (formatShape(broadcastShapes("broadcastTo", x.shape, shape)) !== formatShape(shape)) {
    throw new ShapeError(`broadcastTo: x ${formatShape(x.shape)} does not stretch to ${formatShape(shape)}`);
  }
  const out = empty(shape);
  const dims = { walk: walkOver(shape, [shape, x.shape]), scale: 1 };
  stretchForward({ out: out.data, x: x.data }, dims);
  return record("broadcastTo", out, [x], (gradient) =>
    contribute([x], (gx) => sumForward({ out: gx, x: gradient }, dims)),
  );
}

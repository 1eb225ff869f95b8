// Movement: elements change place, not value.
//
//   reshape    the same array under another shape (no kernel)
//   transpose  y[i_p0, i_p1, …] = x[i_0, i_1, …]
//   slice      y = a box out of x
//   pad        y = x with a margin of one value
//   concat     y = tensors side by side along one axis
//
// Two kernels and their adjoints do it: gather reads x at a stride and fills y in order, scatter is the reverse (slice
// and pad are each other's gradient), and concat joins two arrays, which split takes apart.

import { contribute, pass, record } from "../autograd.ts";
import { forEachRun, joinAxes, type Walk } from "../broadcast.ts";
import { expectInteger, expectList, formatShape, ShapeError } from "../errors.ts";
import { type Floats, kernel } from "../kernel.ts";
import { normalizeAxes, type Shape, sizeOf, stridesOf } from "../shape.ts";
import { asTensor, empty, expectTensors, Tensor } from "../tensor.ts";

/** Where a box lies in a larger array: strides of the walk: dense array, larger array; the box begins at `offset`. */
export interface Box {
  readonly walk: Walk;
  readonly offset: number;
}

/** Fills `y` in order from the box in `x`. */
export const readBox = kernel(
  "movement.readBox",
  { y: "write", x: "read" },
  ({ y, x }: { y: Floats; x: Floats }, { walk, offset }: Box) => {
    const [stepY, stepX] = walk.strides.map((own) => own.at(-1)!) as [number, number];
    forEachRun(walk, (length, o, i) => {
      for (let k = 0; k < length; k++) y[o + k * stepY] = x[offset + i + k * stepX];
    });
  },
);

/** Lays `x`, read in order, into the box in `y`; the rest of `y` becomes `value`. */
export const writeBox = kernel(
  "movement.writeBox",
  { y: "write", x: "read" },
  ({ y, x }: { y: Floats; x: Floats }, { walk, offset, value }: Box & { readonly value: number }) => {
    const [stepX, stepY] = walk.strides.map((own) => own.at(-1)!) as [number, number];
    y.fill(value);
    forEachRun(walk, (length, i, o) => {
      for (let k = 0; k < length; k++) y[offset + o + k * stepY] = x[i + k * stepX];
    });
  },
);

/** Two arrays that alternate in a third: `sizeA` elements of the first, then `sizeB` of the second. */
export interface Alternation {
  readonly sizeA: number;
  readonly sizeB: number;
}

/** Joins: `y` takes runs of `a` and `b` in turn. */
export const concatForward = kernel(
  "movement.concat",
  { y: "write", a: "read", b: "read" },
  ({ y, a, b }: { y: Floats; a: Floats; b: Floats }, { sizeA, sizeB }: Alternation) => {
    for (let o = 0, i = 0, j = 0; o < y.length; ) {
      for (let k = 0; k < sizeA; k++) y[o++] = a[i++];
      for (let k = 0; k < sizeB; k++) y[o++] = b[j++];
    }
  },
);

/** Takes apart what {@link concatForward} joined. */
export const splitForward = kernel(
  "movement.split",
  { a: "write", b: "write", y: "read" },
  ({ a, b, y }: { a: Floats; b: Floats; y: Floats }, { sizeA, sizeB }: Alternation) => {
    for (let o = 0, i = 0, j = 0; o < y.length; ) {
      for (let k = 0; k < sizeA; k++) a[i++] = y[o++];
      for (let k = 0; k < sizeB; k++) b[j++] = y[o++];
    }
  },
);

/**
 * The same elements under another shape. The result shares the array of `x`.
 *
 * @param shape sizes; one of them may be -1 and is then worked out
 * @throws ShapeError where the number of elements differs; TypeError where the shape is no list
 * @example
 * console.log(String(reshape(tensor([1, 2, 3, 4]), [2, -1]))); // Tensor [2,2] [[1, 2], [3, 4]]
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  x = asTensor("reshape", "x", x);
  expectList("reshape", "shape", shape);
  const known = sizeOf(shape.filter((size) => size !== -1));
  const resolved = shape.map((size) => (size === -1 ? x.size / known : size));
  if (
    shape.filter((size) => size === -1).length > 1 ||
    resolved.some((size) => !Number.isInteger(size) || size < 0) ||
    sizeOf(resolved) !== x.size
  ) {
    throw new ShapeError(`reshape: x ${formatShape(x.shape)} does not take the shape ${formatShape(shape)}`);
  }
  return record("reshape", new Tensor(x.data, resolved), [x], (gy) => pass(x, gy));
}

/**
 * Reorders axes: axis `i` of the result is axis `permutation[i]` of `x`.
 *
 * @param permutation every axis once, negative ones counted from the end; default all in reverse order
 * @throws RangeError where `permutation` does not name every axis once
 * @example
 * console.log(String(transpose(tensor([[1, 2, 3], [4, 5, 6]])))); // Tensor [3,2] [[1, 4], [2, 5], [3, 6]]
 * console.log(transpose(zeros([2, 3, 4]), [0, -1, 1]).shape); // [ 2, 4, 3 ]
 */
export function transpose(x: Tensor, permutation?: readonly number[]): Tensor {
  x = asTensor("transpose", "x", x);
  const rank = x.shape.length;
  if (permutation !== undefined) expectList("transpose", "permutation", permutation);
  const named = permutation ?? [...x.shape.keys()].reverse();
  const order = named.map((axis) => (axis < 0 ? axis + rank : axis));
  if (order.length !== rank || order.some((_, axis) => !order.includes(axis))) {
    throw new RangeError(
      `transpose: permutation must name each of the ${rank} axes once but is ${formatShape(named)}`,
    );
  }
  const y = empty(order.map((axis) => x.shape[axis]));
  const gathered = (shape: Shape, from: Shape, axes: readonly number[]): Box => {
    const strides = stridesOf(from);
    return { walk: joinAxes(shape, [stridesOf(shape), axes.map((axis) => strides[axis])]), offset: 0 };
  };
  readBox({ y: y.data, x: x.data }, gathered(y.shape, x.shape, order));
  const inverse = order.map((_, axis) => order.indexOf(axis));
  return record("transpose", y, [x], (gy) =>
    contribute([x], (gx) => readBox({ y: gx, x: gy }, gathered(x.shape, y.shape, inverse))),
  );
}

/** The box of shape `inner` at `begin` inside an array of shape `outer`. */
function boxWithin(inner: Shape, outer: Shape, begin: readonly number[]): Box {
  const strides = stridesOf(outer);
  return {
    walk: joinAxes(inner, [stridesOf(inner), strides]),
    offset: begin.reduce((offset, index, axis) => offset + index * strides[axis], 0),
  };
}

/**
 * Cuts a box out of a tensor.
 *
 * @param begin where the box begins on each axis
 * @param size how far it reaches on each axis; -1 goes to the end
 * @throws RangeError where the box does not lie inside `x`
 * @example
 * console.log(String(slice(tensor([[1, 2, 3], [4, 5, 6]]), [0, 1], [-1, 2]))); // Tensor [2,2] [[2, 3], [5, 6]]
 */
export function slice(x: Tensor, begin: readonly number[], size: readonly number[]): Tensor {
  x = asTensor("slice", "x", x);
  expectList("slice", "begin", begin);
  expectList("slice", "size", size);
  const { shape } = x;
  const resolved = size.map((extent, axis) => (extent === -1 ? shape[axis] - begin[axis] : extent));
  const inside = (extent: number, axis: number) =>
    Number.isInteger(begin[axis]) &&
    Number.isInteger(extent) &&
    begin[axis] >= 0 &&
    extent >= 0 &&
    begin[axis] + extent <= shape[axis];
  if (begin.length !== shape.length || size.length !== shape.length || !resolved.every(inside)) {
    throw new RangeError(
      `slice: begin ${formatShape(begin)} with size ${formatShape(size)} is no box inside x ${formatShape(shape)}`,
    );
  }
  const y = empty(resolved);
  const box = boxWithin(resolved, shape, begin);
  readBox({ y: y.data, x: x.data }, box);
  return record("slice", y, [x], (gy) =>
    contribute([x], (gx) => writeBox({ y: gx, x: gy }, { ...box, value: 0 })),
  );
}

/**
 * Puts a margin around a tensor.
 *
 * @param paddings how many elements to put before and after, for each axis
 * @param value what the margin holds
 * @throws RangeError where `paddings` is not one pair of counts an axis
 * @example
 * console.log(String(pad(tensor([1, 2]), [[1, 2]]))); // Tensor [5] [0, 1, 2, 0, 0]
 */
export function pad(x: Tensor, paddings: readonly (readonly [number, number])[], value = 0): Tensor {
  x = asTensor("pad", "x", x);
  expectList("pad", "paddings", paddings);
  if (paddings.length !== x.shape.length) {
    throw new RangeError(
      `pad: paddings must be ${x.shape.length} pairs, one an axis of x ${formatShape(x.shape)}, but are ${paddings.length}`,
    );
  }
  for (const [before, after] of paddings)
    for (const count of [before, after]) expectInteger("pad", "padding", count, 0);
  const y = empty(x.shape.map((size, axis) => paddings[axis][0] + size + paddings[axis][1]));
  const box = boxWithin(
    x.shape,
    y.shape,
    paddings.map(([before]) => before),
  );
  writeBox({ y: y.data, x: x.data }, { ...box, value });
  return record("pad", y, [x], (gy) => contribute([x], (gx) => readBox({ y: gx, x: gy }, box)));
}

/**
 * Joins tensors side by side along one axis. More than two are joined in halves, so that one kernel of two serves.
 *
 * @param axis default the first; negative ones count from the end
 * @throws ShapeError where the other axes differ; RangeError on no tensors, or an axis that does not exist
 * @example
 * console.log(String(concat([tensor([[1], [2]]), tensor([[3], [4]])], 1))); // Tensor [2,2] [[1, 3], [2, 4]]
 */
export function concat(tensors: readonly Tensor[], axis = 0): Tensor {
  expectTensors("concat", tensors);
  const [first] = tensors;
  if (first === undefined) throw new RangeError("concat: tensors must hold at least one tensor but is empty");
  const [joined] = normalizeAxes("concat", [axis], first.shape.length);
  tensors.forEach(({ shape }, which) => {
    const differs = (size: number, at: number) => at !== joined && size !== first.shape[at];
    if (shape.length !== first.shape.length || shape.some(differs)) {
      throw new ShapeError(
        `concat: tensor ${which} ${formatShape(shape)} does not continue ${formatShape(first.shape)} along axis ${joined}`,
      );
    }
  });
  return joinHalves(tensors, joined);
}

function joinHalves(tensors: readonly Tensor[], axis: number): Tensor {
  if (tensors.length === 1) return tensors[0];
  const half = Math.ceil(tensors.length / 2);
  const a = joinHalves(tensors.slice(0, half), axis);
  const b = joinHalves(tensors.slice(half), axis);
  const y = empty(a.shape.with(axis, a.shape[axis] + b.shape[axis]));
  const dims = { sizeA: sizeOf(a.shape.slice(axis)), sizeB: sizeOf(b.shape.slice(axis)) };
  concatForward({ y: y.data, a: a.data, b: b.data }, dims);
  return record("concat", y, [a, b], (gy) =>
    contribute([a, b], (ga, gb) => splitForward({ a: ga, b: gb, y: gy }, dims)),
  );
}

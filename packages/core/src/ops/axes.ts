// Movement by axes, made of reshape, concat and slice: no kernel of its own.
//
//   expandDims  a new axis of size 1        squeeze  axes of size 1 disappear
//   stack       tensors along a new axis    split    parts along an axis: concat taken apart

import { formatShape, ShapeError } from "../errors.ts";
import { normalizeAxes } from "../shape.ts";
import { asTensor, expectTensors, type Tensor } from "../tensor.ts";
import { concat, reshape, slice } from "./movement.ts";

/**
 * Adds an axis of size 1.
 *
 * @param axis where it is in the result; negative ones count from its end
 * @throws RangeError where the result has no such axis
 * @example
 * console.log(expandDims(zeros([2, 3]), 0).shape, expandDims(zeros([2, 3]), -1).shape); // [ 1, 2, 3 ] [ 2, 3, 1 ]
 */
export function expandDims(x: Tensor, axis: number): Tensor {
  const from = asTensor("expandDims", "x", x);
  const [place] = normalizeAxes("expandDims", [axis], from.shape.length + 1);
  return reshape(from, from.shape.toSpliced(place, 0, 1));
}

/**
 * Removes axes of size 1.
 *
 * @param axes which ones, negative ones counted from the end; default all of size 1
 * @throws ShapeError where an axis is not of size 1; RangeError where it does not exist or is named twice
 * @example
 * console.log(squeeze(zeros([1, 3, 1])).shape, squeeze(zeros([1, 3, 1]), -1).shape); // [ 3 ] [ 1, 3 ]
 */
export function squeeze(x: Tensor, axes?: number | readonly number[]): Tensor {
  const from = asTensor("squeeze", "x", x);
  const { shape } = from;
  const ofOne = [...shape.keys()].filter((axis) => shape[axis] === 1);
  const gone = axes === undefined ? ofOne : normalizeAxes("squeeze", axes, shape.length);
  const wrong = gone.find((axis) => shape[axis] !== 1);
  if (wrong !== undefined)
    throw new ShapeError(`squeeze: axis ${wrong} of x ${formatShape(shape)} must have size 1`);
  return reshape(
    from,
    shape.filter((_, axis) => !gone.includes(axis)),
  );
}

/**
 * Lays tensors of one shape one after another along a new axis.
 *
 * @param axis where the new axis is in the result; default the first; negative ones count from its end
 * @throws ShapeError where the shapes differ; RangeError on no tensors, or an axis that the result has not
 * @example
 * console.log(String(stack([tensor([1, 2]), tensor([3, 4])]))); // Tensor [2,2] [[1, 2], [3, 4]]
 * console.log(String(stack([tensor([1, 2]), tensor([3, 4])], -1))); // Tensor [2,2] [[1, 3], [2, 4]]
 */
export function stack(tensors: readonly Tensor[], axis = 0): Tensor {
  expectTensors("stack", tensors);
  if (tensors.length === 0) throw new RangeError("stack: tensors must hold at least one tensor but is empty");
  const [{ shape }] = tensors;
  tensors.forEach((each, which) => {
    if (formatShape(each.shape) === formatShape(shape)) return;
    throw new ShapeError(
      `stack: tensor ${which} must be ${formatShape(shape)} like the first but is ${formatShape(each.shape)}`,
    );
  });
  const [place] = normalizeAxes("stack", [axis], shape.length + 1);
  return concat(
    tensors.map((each) => expandDims(each, place)),
    place,
  );
}

/**
 * Takes a tensor apart along an axis.
 *
 * @param parts how many equal parts, or the size of each
 * @param axis default the first; negative ones count from the end
 * @throws RangeError where the parts do not make up the axis, or it does not exist
 * @example
 * const [a, b] = split(tensor([[1, 2, 3, 4]]), 2, 1);
 * console.log(String(a), String(b)); // Tensor [1,2] [[1, 2]] Tensor [1,2] [[3, 4]]
 * console.log(split(zeros([6, 2]), [1, 2, 3]).map(({ shape }) => shape)); // [ [ 1, 2 ], [ 2, 2 ], [ 3, 2 ] ]
 */
export function split(x: Tensor, parts: number | readonly number[], axis = 0): Tensor[] {
  const from = asTensor("split", "x", x);
  const { shape } = from;
  const [which] = normalizeAxes("split", [axis], shape.length);
  const extent = shape[which];
  const isList = Array.isArray(parts);
  const sizes: readonly number[] = isList
    ? parts
    : Number.isInteger(parts) && (parts as number) > 0
      ? new Array<number>(parts as number).fill(extent / (parts as number))
      : [];
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total !== extent || sizes.length === 0 || sizes.some((size) => !Number.isInteger(size) || size < 0)) {
    const wanted = isList ? `sizes ${formatShape(parts)}` : `${String(parts)} equal parts`;
    throw new RangeError(
      `split: ${wanted} do not make up axis ${which} of x ${formatShape(shape)}, which has ${extent}`,
    );
  }
  let start = 0;
  return sizes.map((size) => {
    const begin = shape.map((_, at) => (at === which ? start : 0));
    start += size;
    return slice(from, begin, shape.with(which, size));
  });
}

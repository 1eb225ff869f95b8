// Arithmetic on shapes: sizes, strides, broadcasting, padding. Row-major throughout: the last axis is contiguous.

import { expectList, formatShape, numberOrKind, ShapeError } from "./errors.ts";

/** Sizes of the axes, outermost first. `[]` is a scalar. */
export type Shape = readonly number[];

/**
 * The number of elements: the product of the sizes, 1 for a scalar.
 *
 * @example
 * console.log(sizeOf([2, 3, 4]), sizeOf([])); // 24 1
 */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

/**
 * How far apart two neighbours along each axis lie in memory (row-major), in elements.
 *
 * @example
 * console.log(stridesOf([2, 3, 4])); // [ 12, 4, 1 ]
 */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

/**
 * The shape two operands broadcast to (NumPy's rule: align at the right, a size of 1 stretches).
 *
 * @throws ShapeError, naming `op`, where the shapes do not broadcast
 * @example
 * console.log(broadcastShapes("add", [4, 1, 3], [2, 1])); // [ 4, 2, 3 ]
 */
export function broadcastShapes(op: string, a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const sizeA = a[axis - rank + a.length] ?? 1;
    const sizeB = b[axis - rank + b.length] ?? 1;
    if (sizeA !== sizeB && sizeA !== 1 && sizeB !== 1) {
      throw new ShapeError(
        `${op}: a ${formatShape(a)} and b ${formatShape(b)} do not broadcast (axis ${axis}: ${sizeA} and ${sizeB})`,
      );
    }
    return sizeA === 1 ? sizeB : sizeA;
  });
}

/**
 * Brings a list of axes to non-negative, distinct, ascending numbers; `undefined` means all axes.
 *
 * @throws TypeError where the axes are no numbers; RangeError where one does not exist or is named twice
 * @example
 * console.log(normalizeAxes("sum", [-1, 0], 3)); // [ 0, 2 ]
 */
export function normalizeAxes(
  op: string,
  axes: number | readonly number[] | undefined,
  rank: number,
): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, axis) => axis);
  const list = typeof axes === "number" ? [axes] : axes;
  expectList(op, "axes", list);
  const normalized = list.map((axis) => {
    if (typeof axis !== "number")
      throw new TypeError(`${op}: an axis must be an integer but is ${numberOrKind(axis)}`);
    if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
      throw new RangeError(`${op}: axis ${axis} is outside a tensor of ${rank} axes`);
    }
    return axis < 0 ? axis + rank : axis;
  });
  if (new Set(normalized).size !== normalized.length) {
    throw new RangeError(`${op}: axes ${formatShape(list)} name an axis twice`);
  }
  return normalized.sort((left, right) => left - right);
}

/** Zeros to put around two spatial axes: one number for all sides, or each side by name. */
export type Padding =
  | "same"
  | "valid"
  | number
  | { top: number; bottom: number; left: number; right: number };

/** Zeros before and after one axis. */
export interface AxisPadding {
  readonly before: number;
  readonly after: number;
}

/**
 * TensorFlow's SAME padding along one axis: the output has `ceil(size / stride)` elements, and what does not
 * divide evenly is padded *after*. For stride 2, filter 3 and an even size that is 0 before and 1 after,
 * where PyTorch's `padding=1` would pad 1 before.
 *
 * @example
 * console.log(samePadding(8, 3, 2)); // { before: 0, after: 1 }
 */
export function samePadding(size: number, filter: number, stride: number, dilation = 1): AxisPadding {
  const reach = (filter - 1) * dilation + 1;
  const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + reach - size);
  const before = Math.floor(total / 2);
  return { before, after: total - before };
}

/**
 * The padding of both spatial axes, rows first.
 *
 * @example
 * console.log(resolvePadding("valid", [8, 8], [3, 3], [1, 1], [1, 1])[0]); // { before: 0, after: 0 }
 */
export function resolvePadding(
  padding: Padding,
  size: readonly [number, number],
  filter: readonly [number, number],
  stride: readonly [number, number],
  dilation: readonly [number, number],
): readonly [AxisPadding, AxisPadding] {
  if (padding === "same") {
    return [
      samePadding(size[0], filter[0], stride[0], dilation[0]),
      samePadding(size[1], filter[1], stride[1], dilation[1]),
    ];
  }
  if (padding === "valid") padding = 0;
  if (typeof padding === "number") padding = { top: padding, bottom: padding, left: padding, right: padding };
  return [
    { before: padding.top, after: padding.bottom },
    { before: padding.left, after: padding.right },
  ];
}

/**
 * How many positions a filter takes along a padded axis; 0 or less when it does not fit.
 *
 * @example
 * console.log(outputSize(8, { before: 0, after: 1 }, 3, 2)); // 4
 */
export function outputSize(
  size: number,
  pad: AxisPadding,
  filter: number,
  stride: number,
  dilation = 1,
): number {
  return Math.floor((size + pad.before + pad.after - (filter - 1) * dilation - 1) / stride) + 1;
}

/** A number for both spatial axes, or one for rows and one for columns. */
export type Pair = number | readonly [number, number];

/**
 * Spreads a `Pair` to rows and columns.
 *
 * @example
 * console.log(pair(2), pair([1, 3])); // [ 2, 2 ] [ 1, 3 ]
 */
export function pair(value: Pair): readonly [number, number] {
  return typeof value === "number" ? [value, value] : value;
}

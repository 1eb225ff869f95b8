// A tensor is a flat array with a shape; a gradient and a history are added where something is to be learned.
// It knows no operator: those are free functions in ops/.

import { expectList, formatShape, kindOf, ShapeError } from "./errors.ts";
import { type Shape, sizeOf, stridesOf } from "./shape.ts";
import { shared } from "./shared.ts";

/** How a tensor came about: what it was computed from, and how its gradient flows back to there. */
export interface History {
  readonly op: string;
  /** Emptied once the graph has been used, so that what it refers to can be freed. */
  inputs: readonly Tensor[];
  /** Position in the order of execution: a later result never feeds an earlier one. */
  readonly order: number;
  /** Hands the gradient of the result on to the inputs; gone once the graph has been used. */
  backward: ((gradient: Float32Array) => void) | undefined;
}

/**
 * Numbers with a shape, row-major. Images are `[N, H, W, C]`, filters `[KH, KW, Cin, Cout]`.
 *
 * @example
 * const x = new Tensor(new Float32Array([1, 2, 3, 4]), [2, 2]); // tensor([[1, 2], [3, 4]]) is shorter
 * console.log(x.size, x.shape, x.requiresGrad); // 4 [ 2, 2 ] false
 */
export class Tensor {
  readonly data: Float32Array;
  readonly shape: Shape;
  /** Whether `backward` is to leave a gradient here (parameters), or passes one through here (results). */
  requiresGrad: boolean;
  /** d loss / d this, laid out like `data`; filled by `backward`. */
  grad: Float32Array | undefined;
  /** Set on results that a gradient must flow through. */
  history: History | undefined;

  constructor(data: Float32Array, shape: Shape, requiresGrad = false) {
    // Doubles are for gradient checks; anything else would be read as floats by faster kernels.
    if (!(data instanceof Float32Array) && !/^Float(32|64)Array$/.test(kindOf(data))) {
      throw new TypeError(`tensor: data must be a Float32Array but is a ${kindOf(data)}; tensor() converts`);
    }
    if (data.length !== sizeOf(shape)) {
      throw new ShapeError(`tensor: ${data.length} numbers do not fill the shape ${formatShape(shape)}`);
    }
    this.data = data;
    this.shape = Object.freeze([...shape]);
    this.requiresGrad = requiresGrad;
  }

  /** The number of elements. */
  get size(): number {
    return this.data.length;
  }

  /** The one number of a tensor of one element. */
  item(): number {
    if (state.whyNotRead !== undefined) throw new Error(`item: ${state.whyNotRead}`);
    if (this.size !== 1)
      throw new ShapeError(`item: wants a tensor of one element but is ${formatShape(this.shape)}`);
    return this.data[0];
  }

  /**
   * The numbers as nested lists, or one number where there are no axes: what {@link tensor} takes.
   *
   * @example
   * console.log(tensor([[1, 2], [3, 4]]).toArray()); // [ [ 1, 2 ], [ 3, 4 ] ]
   */
  toArray(): NestedNumbers {
    if (state.whyNotRead !== undefined) throw new Error(`toArray: ${state.whyNotRead}`);
    return nested(this.data, this.shape, 0, 0, this.size);
  }

  /** Shape and values, long axes shortened: `Tensor [2,3] [[1, 2, 3], [4, 5, 6]]`. */
  toString(): string {
    return `Tensor ${formatShape(this.shape)} ${formatValues(this.data, this.shape, stridesOf(this.shape), 0, 0)}`;
  }
}

/** The part of `size` numbers from `start` on, its axes beginning with `axis`. */
function nested(data: Float32Array, shape: Shape, axis: number, start: number, size: number): NestedNumbers {
  if (axis === shape.length) return data[start];
  const step = size / shape[axis];
  return Array.from({ length: shape[axis] }, (_, i) => nested(data, shape, axis + 1, start + i * step, step));
}

const LONGEST_PRINTED_AXIS = 8;

function formatValues(
  data: Float32Array,
  shape: Shape,
  strides: number[],
  axis: number,
  offset: number,
): string {
  if (axis === shape.length) return String(Number(data[offset].toPrecision(6)));
  const shown = Math.min(shape[axis], LONGEST_PRINTED_AXIS);
  const parts = Array.from({ length: shown }, (_, i) =>
    formatValues(data, shape, strides, axis + 1, offset + i * strides[axis]),
  );
  if (shown < shape[axis]) parts.push("…");
  return `[${parts.join(", ")}]`;
}

/** Where the arrays of operators come from. */
export interface Allocator {
  floats(size: number): Float32Array;
  indices(size: number): Int32Array;
}

const host: Allocator = {
  floats: (size) => new Float32Array(size),
  indices: (size) => new Int32Array(size),
};
const state = /* @__PURE__ */ shared(
  "tensor",
  (): { allocator: Allocator; whyNotRead: string | undefined } => ({
    allocator: host,
    whyNotRead: undefined,
  }),
);

/**
 * Every array that an operator fills comes from here. What it holds at first is unspecified: a kernel writes it.
 *
 * @example
 * console.log(allocate(3).length); // 3
 */
export function allocate(size: number): Float32Array {
  return state.allocator.floats(size);
}

/**
 * {@link allocate} for integers, such as the places of maxima.
 *
 * @example
 * console.log(allocateIndices(2) instanceof Int32Array); // true
 */
export function allocateIndices(size: number): Int32Array {
  return state.allocator.indices(size);
}

/**
 * Has the arrays of this process come from elsewhere; what is left out comes from the host.
 *
 * @example
 * installAllocator({ floats: (size) => new Float32Array(size).fill(7) });
 * console.log(allocate(2)); // Float32Array(2) [ 7, 7 ]
 * installAllocator({});
 */
export function installAllocator(other: Partial<Allocator>): void {
  state.allocator = { ...host, ...other };
}

/**
 * Runs `body` with another source of arrays: doubles for a gradient check, arrays that a program keeps track of.
 *
 * @example
 * const doubles = { floats: (size: number) => new Float64Array(size) as never };
 * console.log(withAllocator(doubles, () => add(1, 0.1)).item()); // 1.1
 */
export function withAllocator<T>(other: Partial<Allocator>, body: () => T): T {
  const previous = state.allocator;
  state.allocator = { ...previous, ...other };
  try {
    return body();
  } finally {
    state.allocator = previous;
  }
}

/**
 * Runs `body`; inside, reading a number out of a tensor is an error with this reason.
 *
 * @example
 * try { withoutReading("not now", () => tensor(1).item()); }
 * catch (error) { console.log(error.message); } // item: not now
 */
export function withoutReading<T>(reason: string, body: () => T): T {
  const previous = state.whyNotRead;
  state.whyNotRead = reason;
  try {
    return body();
  } finally {
    state.whyNotRead = previous;
  }
}

/**
 * A fresh tensor for an operator to fill.
 *
 * @example
 * const y = empty([2, 3]);
 * y.data.fill(1);
 * console.log(y.shape); // [ 2, 3 ]
 */
export function empty(shape: Shape): Tensor {
  return new Tensor(allocate(sizeOf(shape)), shape);
}

/** Numbers, or lists of equal length of them, to any depth. */
export type NestedNumbers = number | readonly NestedNumbers[];

/**
 * Makes a tensor from nested lists, or from a flat array-like of numbers and a shape. A `Float32Array` is used as it is,
 * not copied; every other typed array is converted.
 *
 * @throws ShapeError where lists of one level differ in length, or the numbers do not fill the shape; TypeError where
 *   there is anything but numbers
 * @example
 * const x = tensor([[1, 2], [3, 4]]);
 * const image = tensor(new Float32Array(592 * 592 * 3), [1, 592, 592, 3]);
 * console.log(x.shape, image.size); // [ 2, 2 ] 1051392
 * console.log(String(tensor(new Uint8Array([0, 255])))); // Tensor [2] [0, 255]
 */
export function tensor(values: NestedNumbers | ArrayLike<number>, shape?: Shape): Tensor {
  if (kindOf(values) === "Float32Array") {
    const data = values as Float32Array;
    return new Tensor(data, shape ?? [data.length]);
  }
  const own = shapeOfNested(values);
  const data = allocate(sizeOf(own));
  fillNested(data, 0, values);
  return new Tensor(data, shape ?? own);
}

const isNumber = (value: unknown): value is number => typeof value === "number" || typeof value === "bigint";

function shapeOfNested(values: unknown): number[] {
  if (isNumber(values)) return [];
  const { length } = Object(values) as { length?: unknown };
  if (typeof values === "string" || !Number.isInteger(length)) {
    throw new TypeError(`tensor: wants numbers, or lists of them, but got ${describe(values)}`);
  }
  const list = values as ArrayLike<unknown>;
  if (list.length === 0) return [0];
  const inner = shapeOfNested(list[0]);
  for (let i = 1; i < list.length; i++) {
    if (inner.length === 0 && isNumber(list[i])) continue;
    const other = shapeOfNested(list[i]);
    if (formatShape(other) !== formatShape(inner)) {
      throw new ShapeError(
        `tensor: lists of one level must be alike but hold ${formatShape(inner)} and ${formatShape(other)}`,
      );
    }
  }
  return [list.length, ...inner];
}

function describe(value: unknown): string {
  const isThing = value !== null && (typeof value === "object" || typeof value === "function");
  const kind = kindOf(value);
  if (isThing) return `${/^[aeio]/i.test(kind) ? "an" : "a"} ${kind}`;
  return JSON.stringify(value) ?? "undefined";
}

/** Lays the numbers of nested lists one after the other; returns the place after the last. */
function fillNested(data: Float32Array, start: number, values: unknown): number {
  let at = start;
  if (isNumber(values)) data[at++] = Number(values);
  else {
    const list = values as ArrayLike<unknown>;
    for (let i = 0; i < list.length; i++) at = fillNested(data, at, list[i]);
  }
  return at;
}

/** What operators take beside tensors: a number stands for the tensor of shape `[]` that holds it. */
export type Operand = Tensor | number;

/**
 * The tensor that an argument of an operator is or stands for.
 *
 * @throws TypeError where it is neither a tensor nor a number
 * @example
 * console.log(String(asTensor("mul", "b", 2))); // Tensor [] 2
 */
export function asTensor(op: string, name: string, value: Operand): Tensor {
  if (typeof value === "number") return full([], value);
  // By its parts, since another copy of this package has a class of its own.
  if (ArrayBuffer.isView(value?.data) && Array.isArray(value.shape)) return value;
  throw new TypeError(
    `${op}: ${name} must be a tensor or a number but is ${describe(value)}; tensor() converts`,
  );
}

/**
 * Throws unless the argument is a list of tensors.
 *
 * @throws TypeError otherwise
 * @example
 * try { expectTensors("concat", [tensor(1), 2 as never]); }
 * catch (error) { console.log(error.message); } // concat: tensor 1 must be a tensor but is 2
 */
export function expectTensors(op: string, tensors: readonly Tensor[]): void {
  expectList(op, "tensors", tensors);
  tensors.forEach((each, which) => {
    if (asTensor(op, `tensor ${which}`, each) !== each)
      throw new TypeError(`${op}: tensor ${which} must be a tensor but is ${each}`);
  });
}

/**
 * A tensor filled with one number.
 *
 * @example
 * console.log(String(full([2, 2], 7))); // Tensor [2,2] [[7, 7], [7, 7]]
 */
export function full(shape: Shape, value: number): Tensor {
  const result = empty(shape);
  result.data.fill(value);
  return result;
}

/**
 * A tensor of zeros.
 *
 * @example
 * console.log(String(zeros([2, 3]))); // Tensor [2,3] [[0, 0, 0], [0, 0, 0]]
 */
export function zeros(shape: Shape): Tensor {
  return full(shape, 0);
}

/**
 * A tensor of ones.
 *
 * @example
 * console.log(String(ones([3]))); // Tensor [3] [1, 1, 1]
 */
export function ones(shape: Shape): Tensor {
  return full(shape, 1);
}

/**
 * Marks a tensor as one that learns: `backward` leaves its gradient in `grad`.
 *
 * @example
 * const w = parameter(tensor([1, 2]));
 * backward(sum(mul(w, w)));
 * console.log(w.grad); // Float32Array(2) [ 2, 4 ]
 */
export function parameter(values: Tensor): Tensor {
  return new Tensor(values.data, values.shape, true);
}

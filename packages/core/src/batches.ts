// A data set in batches, one after the other, for `for await`.

import { expectInteger, expectOptions, kindOf, ShapeError } from "./errors.ts";
import { permutation, randomState } from "./random.ts";
import type { AbortSignalLike } from "./run.ts";
import { sizeOf } from "./shape.ts";
import { Tensor } from "./tensor.ts";

/** An array of numbers of one type. */
export type TypedArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array;

/** Rows by number: the elements of an array, or what lies along the first axis of a tensor. */
export type Rows = Tensor | TypedArray | readonly unknown[];

/** How a data set is cut into batches. */
export interface BatchOptions {
  /** Rows in a batch. */
  readonly size: number;
  /** Whether rows come in random order; default not. A source of unknown length cannot be shuffled. */
  readonly shuffle?: boolean;
  /** Of the order: equal seeds give equal batches; default 0. Another one each epoch gives each its own order. */
  readonly seed?: number;
  /** Whether a last batch of fewer rows is left out; default not. */
  readonly dropLast?: boolean;
  /** Ends the iteration: it rejects with the signal's reason, and the source is closed. */
  readonly signal?: AbortSignalLike | undefined;
}

/**
 * Cuts a data set into batches of the same form: of an array each batch is an array, of a typed array one of the same type,
 * of a tensor `[N,…]` a tensor `[size,…]`, and of a record of these, all equally long, a record of their rows. A batch is
 * a copy. Of an iterable, such as a generator that reads files, it is an array of what came; the iterable is closed when the
 * loop is left.
 *
 * @throws TypeError where the data set is none of these, or an iterable is to be shuffled; RangeError where `size` is no
 *   integer from 1, or the arrays of a record differ in length; the signal's reason where it says stop
 * @example
 * const digits = { images: zeros([5, 8, 8]), classes: [3, 1, 4, 1, 5] };
 * for await (const { images, classes } of batches(digits, { size: 2 }))
 *   console.log(images.shape[0], classes.join("")); // 2 31, 2 41, 1 5
 */
export function batches<T extends Rows | Readonly<Record<string, Rows>>>(
  dataset: T,
  options: BatchOptions,
): AsyncGenerator<T, void, undefined>;
export function batches<T>(
  source: Iterable<T> | AsyncIterable<T>,
  options: BatchOptions,
): AsyncGenerator<T[], void, undefined>;
export function batches(dataset: unknown, options: BatchOptions): AsyncGenerator<unknown, void, undefined> {
  expectOptions("batches", options, ["size", "shuffle", "seed", "dropLast", "signal"]);
  const { size, shuffle = false, seed = 0, dropLast = false, signal } = options;
  expectInteger("batches", "size", size, 1);
  if (isIterable(dataset) && !isRows(dataset)) {
    if (!shuffle) return ofIterable(dataset, size, dropLast, signal);
    throw new TypeError("batches: an iterable cannot be shuffled; collect it in an array first");
  }
  const rows = cutterOf(dataset);
  expectInteger("batches", "seed", seed, 0);
  const order = shuffle ? permutation(rows.count, randomState(seed)) : undefined;
  return ofRows(rows, order, size, dropLast, signal);
}

/** How many rows there are, and what gives those of some numbers. */
interface Cutter {
  readonly count: number;
  readonly take: (numbers: readonly number[]) => unknown;
}

const isTypedArray = (value: unknown): value is TypedArray =>
  ArrayBuffer.isView(value) && "length" in value && !/^Big/.test(kindOf(value));

/** By its parts, since another copy of this package has a class of its own. */
function isTensor(value: unknown): value is Tensor {
  const { data, shape } = Object(value);
  return ArrayBuffer.isView(data) && Array.isArray(shape);
}

const isRows = (value: unknown): value is Rows =>
  Array.isArray(value) || isTypedArray(value) || isTensor(value);

function isIterable(value: unknown): value is Iterable<unknown> | AsyncIterable<unknown> {
  const { [Symbol.iterator]: sync, [Symbol.asyncIterator]: async } = Object(value);
  return typeof value === "object" && (sync ?? async) !== undefined;
}

function cutterOf(dataset: unknown): Cutter {
  if (isRows(dataset)) return cutterOfRows("the data set", dataset);
  const columns = Object.entries(Object(dataset));
  if (kindOf(dataset) !== "object" || columns.length === 0) {
    throw new TypeError(
      `batches: the data set must be an array, a tensor, a record of these or an iterable but is ${kindOf(dataset)}`,
    );
  }
  const cutters = columns.map(([name, column]) => [name, cutterOfRows(name, column)] as const);
  const [[first, { count }]] = cutters;
  for (const [name, { count: own }] of cutters) {
    if (own !== count) throw new RangeError(`batches: ${name} has ${own} rows but ${first} has ${count}`);
  }
  const take = (numbers: readonly number[]) =>
    Object.fromEntries(cutters.map(([name, cutter]) => [name, cutter.take(numbers)]));
  return { count, take };
}

function cutterOfRows(name: string, rows: unknown): Cutter {
  if (!isRows(rows)) {
    throw new TypeError(
      `batches: ${name} must be an array, a typed array or a tensor but is ${kindOf(rows)}`,
    );
  }
  if (isTensor(rows)) return cutterOfTensor(name, rows);
  if (!isTypedArray(rows)) {
    return { count: rows.length, take: (numbers) => numbers.map((number) => rows[number]) };
  }
  const like = rows.constructor as new (length: number) => TypedArray;
  const take = (numbers: readonly number[]) => {
    const some = new like(numbers.length);
    numbers.forEach((number, at) => {
      some[at] = rows[number];
    });
    return some;
  };
  return { count: rows.length, take };
}

function cutterOfTensor(name: string, { data, shape }: Tensor): Cutter {
  if (shape.length === 0)
    throw new ShapeError(`batches: ${name} must have a first axis but is a single number`);
  const [count, ...inner] = shape;
  const length = sizeOf(inner);
  const take = (numbers: readonly number[]) => {
    const some = new Float32Array(numbers.length * length);
    numbers.forEach((number, at) => {
      some.set(data.subarray(number * length, (number + 1) * length), at * length);
    });
    return new Tensor(some, [numbers.length, ...inner]);
  };
  return { count, take };
}

async function* ofRows(
  { count, take }: Cutter,
  order: readonly number[] | undefined,
  size: number,
  dropLast: boolean,
  signal: AbortSignalLike | undefined,
): AsyncGenerator<unknown, void, undefined> {
  const end = dropLast ? count - (count % size) : count;
  for (let first = 0; first < end; first += size) {
    if (signal?.aborted) throw signal.reason;
    const length = Math.min(size, count - first);
    yield take(Array.from({ length }, (_, at) => order?.[first + at] ?? first + at));
  }
}

async function* ofIterable<T>(
  source: Iterable<T> | AsyncIterable<T>,
  size: number,
  dropLast: boolean,
  signal: AbortSignalLike | undefined,
): AsyncGenerator<T[], void, undefined> {
  const iterator =
    Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  let abort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal?.reason);
  });
  // Nobody may be waiting when the signal comes.
  aborted.catch(() => {});
  signal?.addEventListener("abort", abort);
  // A source that has ended, or failed, needs no closing.
  let isOpen = true;
  const advance = async () => {
    isOpen = false;
    const next = await iterator.next();
    isOpen = next.done !== true;
    return next;
  };
  try {
    let batch: T[] = [];
    for (;;) {
      if (signal?.aborted) throw signal.reason;
      const next = await Promise.race([aborted, advance()]);
      if (next.done) break;
      batch.push(next.value);
      if (batch.length < size) continue;
      yield batch;
      batch = [];
    }
    if (!dropLast && batch.length > 0) yield batch;
  } finally {
    signal?.removeEventListener("abort", abort);
    const isAborted = signal?.aborted === true;
    // A generator that waits for something closes when that has come: whoever said stop does not wait for it.
    if (isAborted) Promise.resolve(iterator.return?.()).catch(() => {});
    else if (isOpen) await iterator.return?.();
  }
}

// A data set in batches, one after the other, for `for await`.

import { expectInteger, expectOptions, kindOf, ShapeError } from "./errors.ts";
import { permutation, randomState } from "./random.ts";
import type { AbortSignalLike } from "./run.ts";
import { sizeOf } from "./shape.ts";
import { Tensor } from "./tensor.ts";

/** Rows by number: the elements of an array of any kind, or what lies along the first axis of a tensor. */
export type Rows = Tensor | readonly unknown[] | (ArrayBufferView & { readonly [row: number]: number });

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
  const { shuffle = false, seed = 0 } = options;
  expectInteger("batches", "size", options.size, 1);
  expectInteger("batches", "seed", seed, 0);
  if (!isRows(dataset) && isIterable(dataset)) {
    if (!shuffle) return ofIterable(dataset, options);
    throw new TypeError("batches: an iterable cannot be shuffled; collect it in an array first");
  }
  const columns = columnsOf(dataset);
  const count = lengthOf(columns);
  const order = shuffle ? permutation(count, randomState(seed)) : Array.from({ length: count }, (_, i) => i);
  const rowsOf = (numbers: readonly number[]) =>
    isRows(dataset)
      ? take(dataset, numbers)
      : Object.fromEntries(columns.map(([name, rows]) => [name, take(rows, numbers)]));
  return ofOrder(order, rowsOf, options);
}

/** By its parts, since another copy of this package has a class of its own. */
const isTensor = (value: unknown): value is Tensor =>
  ArrayBuffer.isView(Object(value).data) && Array.isArray(Object(value).shape);

const isRows = (value: unknown): value is Rows =>
  Array.isArray(value) || (ArrayBuffer.isView(value) && "length" in value) || isTensor(value);

const isIterable = (value: unknown): value is Iterable<unknown> | AsyncIterable<unknown> =>
  typeof value === "object" && (Symbol.iterator in Object(value) || Symbol.asyncIterator in Object(value));

type Columns = readonly (readonly [name: string, rows: Rows])[];

function columnsOf(dataset: unknown): Columns {
  if (isRows(dataset)) return [["the data set", dataset]];
  const columns = Object.entries(Object(dataset));
  if (kindOf(dataset) !== "object" || columns.length === 0) {
    throw new TypeError(
      `batches: the data set must be an array, a tensor, a record of these or an iterable but is ${kindOf(dataset)}`,
    );
  }
  return columns.map(([name, rows]) => {
    if (isRows(rows)) return [name, rows];
    throw new TypeError(`batches: ${name} must be an array or a tensor but is ${kindOf(rows)}`);
  });
}

/** How many rows each of them has. */
function lengthOf(columns: Columns): number {
  const lengths = columns.map(([name, rows]) => {
    const length = isTensor(rows) ? rows.shape[0] : (rows as readonly unknown[]).length;
    if (length !== undefined) return length;
    throw new ShapeError(`batches: ${name} must have a first axis but is a single number`);
  });
  const other = lengths.findIndex((length) => length !== lengths[0]);
  if (other < 0) return lengths[0];
  throw new RangeError(
    `batches: ${columns[other][0]} has ${lengths[other]} rows but ${columns[0][0]} has ${lengths[0]}`,
  );
}

function take(rows: Rows, numbers: readonly number[]): Rows {
  if (!isTensor(rows)) {
    // A Buffer's own `from` takes no function.
    const like = (rows instanceof Uint8Array ? Uint8Array : rows.constructor) as ArrayConstructor;
    return like.from(numbers, (number) => (rows as readonly unknown[])[number]);
  }
  const inner = rows.shape.slice(1);
  const size = sizeOf(inner);
  const data = new Float32Array(numbers.length * size);
  numbers.forEach((number, at) => {
    data.set(rows.data.subarray(number * size, (number + 1) * size), at * size);
  });
  return new Tensor(data, [numbers.length, ...inner]);
}

async function* ofOrder(
  order: readonly number[],
  rowsOf: (numbers: readonly number[]) => unknown,
  { size, dropLast = false, signal }: BatchOptions,
): AsyncGenerator<unknown, void, undefined> {
  const end = dropLast ? order.length - (order.length % size) : order.length;
  for (let first = 0; first < end; first += size) {
    if (signal?.aborted) throw signal.reason;
    yield rowsOf(order.slice(first, first + size));
  }
}

async function* ofIterable<T>(
  source: Iterable<T> | AsyncIterable<T>,
  { size, dropLast = false, signal }: BatchOptions,
): AsyncGenerator<T[], void, undefined> {
  const iterator =
    Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  /** Ends the wait at hand. */
  let abort: (reason: unknown) => void = () => {};
  const onAbort = () => abort(signal?.reason);
  signal?.addEventListener("abort", onAbort);
  const advance = () =>
    new Promise<IteratorResult<T>>((resolve, reject) => {
      abort = reject;
      Promise.resolve(iterator.next()).then(resolve, reject);
    });
  // A source that has ended, or failed, needs no closing.
  let isOpen = true;
  try {
    let batch: T[] = [];
    for (;;) {
      if (signal?.aborted) throw signal.reason;
      isOpen = false;
      const next = await advance();
      if (next.done) break;
      isOpen = true;
      batch.push(next.value);
      if (batch.length < size) continue;
      yield batch;
      batch = [];
    }
    if (!dropLast && batch.length > 0) yield batch;
  } finally {
    signal?.removeEventListener("abort", onAbort);
    const isAborted = signal?.aborted === true;
    // A generator that waits for something closes when that has come: whoever said stop does not wait for it.
    if (isAborted) Promise.resolve(iterator.return?.()).catch(() => {});
    else if (isOpen) await iterator.return?.();
  }
}

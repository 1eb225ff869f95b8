// Kernels whose elements do not know of each other: element i of what is written depends on element i of what is read.
//
//   for (i = from; i < to; i++) writes[i] = compute(reads[i])
//
// The code does not depend on the length, so one module serves all shapes. With broadcasting, arrays go along a walk, some
// of them standing still on an axis. A walk of one axis is a run like the one above; one of two axes is rows, and each row
// is a run:
//
//   for (row = from; row < to; row++)
//     for (k = 0; k < length; k++) write[row·outer + k·inner] = compute(reads[row·outer + k·inner])

import type { Kernel, Walk } from "@saunet/core/kernels";
import { FLOAT, type FunctionBuilder, type I32, type Operand, type V128 } from "../asm/index.ts";
import { type Generator, generator, nameOf, type PhaseLocals } from "../plan.ts";
import { ARITHMETIC_GRAIN, MEMORY_GRAIN, SMALLEST, stream, type Vectors, vectorsFor } from "./stream.ts";

/** How an array moves, in elements: from row to row and inside a row. */
export interface Step {
  readonly outer: number;
  /** 1, or 0 where the array repeats one element. */
  readonly inner: number;
}

export interface Rows {
  readonly rows: number;
  readonly length: number;
  /** Of each array. */
  readonly steps: readonly Step[];
}

/** A walk of one or two axes as rows; a single axis is one row. More axes stay with the portable form. */
export function rowsOf({ shape, strides }: Walk): Rows | undefined {
  const [rows, length] = shape.length === 1 ? [1, shape[0]] : shape;
  if (shape.length > 2 || strides.some((own) => own.at(-1)! > 1)) return undefined;
  const steps = strides.map((own) => ({ outer: own.length === 1 ? 0 : own[0], inner: own.at(-1)! }));
  return { rows, length, steps };
}

/** How a kernel goes over its elements. */
interface Elementwise<D> {
  /** How many vectors at once; default 4. */
  readonly vectors?: number;
  /** Fewer elements are not worth another thread; default: where arithmetic sets the pace. */
  readonly grain?: number;
  /** Whether there is code for such dims; default: for all. */
  readonly suits?: (dims: D) => boolean;
}

/** Declares constants; what it returns writes the code for some vectors. With a walk it leaves those that are read. */
type Prepare<A, D> = (
  f: FunctionBuilder,
  dims: D,
  locals: PhaseLocals<A>,
) => (values: Vectors<keyof A & string>) => void;

/** The walk of dims that are one or have one, and what else the code holds of them. */
function walkOf(dims: unknown): { walk?: Walk; others: unknown } {
  if (typeof dims !== "object" || dims === null) return { others: dims };
  if ("strides" in dims) return { walk: dims as Walk, others: undefined };
  const { walk, ...others } = dims as { walk?: Walk };
  return { ...(walk && { walk }), others };
}

/**
 * A generator of such kernels. Arrays go along the walk in the order of the kernel's roles; without a walk each is a run
 * as long as the first, or a single number, read where the code begins.
 */
export function elementwise<A, D>(
  kernel: Kernel<A, D>,
  { vectors: most = 4, grain = ARITHMETIC_GRAIN, suits = () => true }: Elementwise<D>,
  prepare: Prepare<A, D>,
): Generator {
  const { roles } = kernel;
  const names = Object.keys(roles) as (keyof A & string)[];
  return generator(kernel, (dims, lengths) => {
    const { walk, others } = walkOf(dims);
    const whole = lengths[names[0]]!;
    const arrays = walk ? names : names.filter((name) => lengths[name] === whole);
    const run = { rows: 1, length: whole, steps: arrays.map(() => ({ outer: 0, inner: 1 })) };
    const found = walk ? rowsOf(walk) : run;
    if (found === undefined || found.rows * found.length < SMALLEST || !suits(dims)) return undefined;
    const { rows, length, steps } = found;
    const single = rows === 1;
    const vectors = single || length % 4 !== 0 ? most : vectorsFor(length);
    return {
      name: `${nameOf(kernel)}${single ? "" : "_rows"}_f32_4x${vectors}_simd`,
      fixed: [single || length, steps, others],
      phases: [
        {
          items: single ? length : rows,
          grain: single ? grain : Math.ceil(grain / length),
          write: (f, locals) => {
            const { from, to, arrays: pointers } = locals;
            const compute = prepare(f, dims, locals);
            const moving = arrays.map((array, i) => ({ array, pointer: pointers[array], ...steps[i] }));
            const still = moving
              .filter(({ inner }) => inner === 0)
              .map(({ array, pointer }) => ({ array, pointer, splat: f.local(`${array}All`, "v128") }));
            const splats = still.map(({ array, splat }) => [array, Array(vectors).fill(splat)]);
            const reads = arrays.filter((array, i) => roles[array] !== "write" && steps[i].inner === 1);
            const writes = arrays.filter((array) => roles[array] !== "read");
            const runOf = (count: I32) => {
              for (const { pointer, splat } of still) f.set(splat, f.v128.load32_splat(pointer));
              stream(f, { pointers, reads, writes, count, vectors }, (values) =>
                compute({ ...values, ...Object.fromEntries(splats) }),
              );
            };
            const count = f.let("count", f.i32.sub(to, from));
            for (const { pointer, outer, inner } of moving)
              f.advance(pointer, from, FLOAT * (single ? inner : outer));
            if (single) {
              runOf(count);
              return;
            }
            const elements = f.local("elements", "i32");
            f.whileAtLeast(count, 1, () => {
              f.set(elements, length);
              runOf(elements);
              for (const { pointer, outer, inner } of moving)
                f.advance(pointer, FLOAT * (outer - inner * length));
            });
          },
        },
      ],
    };
  });
}

/**
 * A generator of kernels whose result, their first array, is a value of a few instructions, so that memory sets the pace;
 * `prepare` declares constants and returns what writes that value from a vector of each array that is read, in their order.
 */
export const valuewise = <A, D>(
  kernel: Kernel<A, D>,
  prepare: (f: FunctionBuilder, dims: D) => (first: V128, second: V128, third: V128) => Operand<"v128">,
  suits?: (dims: D) => boolean,
): Generator =>
  elementwise(kernel, { grain: MEMORY_GRAIN, ...(suits && { suits }) }, (f, dims) => {
    const value = prepare(f, dims);
    return (vectors) => {
      const [result, first, second, third] = Object.keys(kernel.roles).map(
        (name) => vectors[name as keyof A & string],
      );
      f.setEach(result, (i) => value(first[i], second?.[i], third?.[i]));
    };
  });

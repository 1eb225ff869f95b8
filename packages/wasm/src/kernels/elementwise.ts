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

import { exactKey, type Kernel, type Walk } from "@saunet/core/kernels";
import type { FunctionBuilder } from "../asm/index.ts";
import { type Generator, generator, type PhaseLocals } from "../plan.ts";
import {
  ARITHMETIC_GRAIN,
  FLOAT,
  type I32,
  moveBy,
  SMALLEST,
  stream,
  type Vectors,
  vectorsFor,
  whileAtLeast,
} from "./stream.ts";
import { rowsOf } from "./walk.ts";

/** What one kernel goes over. */
export interface Elementwise<A, D> {
  /** Stands first in the plan's name. */
  readonly name: string;
  readonly reads: readonly (keyof A & string)[];
  /** May name arrays that are read as well; all arrays have as many elements as the first one, but for a walk. */
  readonly writes: readonly (keyof A & string)[];
  /** The walk of what is written and what is read, in this order; without one, every array is a run of elements. */
  readonly walk?: (dims: D) => Walk;
  /** What the code holds of the dims; default: all of them, and nothing of a walk. */
  readonly constants?: (dims: D) => unknown;
  /** How many vectors at once; default 4. */
  readonly vectors?: number;
  /** Fewer elements are not worth another thread; default: where arithmetic sets the pace. */
  readonly grain?: number;
}

/** Declares constants; what it returns writes the code for some vectors. With a walk it leaves those that are read. */
type Prepare<A, D> = (
  f: FunctionBuilder,
  dims: D,
  locals: PhaseLocals<A>,
) => (values: Vectors<keyof A & string>) => void;

/** A generator of such kernels. */
export function elementwise<A, D>(
  kernel: Kernel<A, D>,
  { name, reads, writes, walk, constants, vectors: most = 4, grain = ARITHMETIC_GRAIN }: Elementwise<A, D>,
  prepare: Prepare<A, D>,
): Generator {
  const arrays = [...new Set([...writes, ...reads])];
  const run = arrays.map(() => ({ outer: 0, inner: 1 }));
  return generator(kernel, (dims, lengths) => {
    const found = walk ? rowsOf(walk(dims)) : { rows: 1, length: lengths[writes[0]]!, steps: run };
    if (found === undefined || found.rows * found.length < SMALLEST) return undefined;
    const { rows, length, steps } = found;
    const single = rows === 1;
    const vectors = single || length % 4 !== 0 ? most : vectorsFor(length);
    const plan = `${name}${single ? "" : "_rows"}_f32_4x${vectors}_simd`;
    const held = constants?.(dims) ?? (walk ? [] : dims);
    return {
      name: plan,
      key: `${plan} ${exactKey([single || length, steps, held])}`,
      phases: [
        {
          items: single ? length : rows,
          grain: single ? grain : Math.ceil(grain / length),
          write: (f, locals) => {
            const { from, to, arrays: pointers } = locals;
            const compute = prepare(f, dims, locals);
            const moving = arrays.map((array, i) => ({ array, pointer: pointers[array], ...steps[i] }));
            const streamed = reads.filter((array) => steps[arrays.indexOf(array)].inner === 1);
            const still = moving
              .filter(({ inner }) => inner === 0)
              .map(({ array, pointer }) => ({ array, pointer, splat: f.local(`${array}All`, "v128") }));
            const runOf = (count: I32) => {
              for (const { pointer, splat } of still) f.set(splat, f.v128.load32_splat(pointer));
              const splats = still.map(({ array, splat }) => [array, Array(vectors).fill(splat)]);
              stream(f, { pointers, reads: streamed, writes, count, vectors }, (values) =>
                compute({ ...values, ...Object.fromEntries(splats) }),
              );
            };
            const count = f.let("count", f.i32.sub(to, from));
            for (const { pointer, outer, inner } of moving)
              moveBy(f, pointer, from, FLOAT * (single ? inner : outer));
            if (single) {
              runOf(count);
              return;
            }
            const elements = f.local("elements", "i32");
            whileAtLeast(f, count, 1, () => {
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

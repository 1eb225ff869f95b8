// Elementwise kernels with broadcasting: arrays that go along a walk (core's broadcast.ts), some of them standing
// still on an axis. A walk of one axis is a run of elements; one of two axes is rows, and each row is a run:
//
//   for (row = from; row < to; row++)
//     for (k = 0; k < length; k++) out[row·outer + k·inner] = compute(a[…], b[…])
//
// with inner 1, or 0 where an array repeats one element. More axes stay with the portable form.

import { exactKey, type Kernel, type Walk } from "@saunet/core/kernels";
import type { FunctionBuilder, Local } from "../asm/index.ts";
import { type Generator, generator, type PhaseLocals } from "../plan.ts";
import { FLOAT, MEMORY_GRAIN, moveBy, SMALLEST, stream, type Vectors, whileAtLeast } from "./stream.ts";

/** How an array moves, in elements: from row to row and inside a row. */
interface Step {
  readonly outer: number;
  readonly inner: number;
}

interface Rows {
  readonly rows: number;
  readonly length: number;
  readonly steps: readonly Step[];
}

/** A walk of one or two axes as rows; a single axis is one row. */
export function rowsOf({ shape, strides }: Walk): Rows | undefined {
  const [rows, length] = shape.length === 1 ? [1, shape[0]] : shape;
  if (shape.length > 2 || strides.some((own) => own.at(-1)! > 1)) return undefined;
  const steps = strides.map((own) => ({ outer: own.length === 1 ? 0 : own[0], inner: own.at(-1)! }));
  return { rows, length, steps };
}

/** What one kernel does along a walk. */
export interface Walking<A, D> {
  /** Stands first in the plan's name. */
  readonly name: string;
  /** The walk, and the arrays in the order of its strides; the first is written, the others are read. */
  readonly walk: (dims: D) => Walk;
  readonly arrays: readonly (keyof A & string)[];
  /** Numbers of the dims that the code holds. */
  readonly constants?: (dims: D) => readonly number[];
  /** Declares constants; what it returns writes the code for some vectors, without changing those that are read. */
  readonly prepare: (
    f: FunctionBuilder,
    dims: D,
    locals: PhaseLocals<A>,
  ) => (values: Vectors<keyof A & string>) => void;
}

/** A generator of such kernels. */
export function alongWalk<A, D>(
  kernel: Kernel<A, D>,
  { name, walk, arrays, constants = () => [], prepare }: Walking<A, D>,
): Generator {
  return generator(kernel, (dims: D) => {
    const found = rowsOf(walk(dims));
    if (found === undefined || found.rows * found.length < SMALLEST) return undefined;
    const { rows, length, steps } = found;
    const single = rows === 1;
    const vectors = single ? 4 : ([4, 3, 2, 1].find((count) => length % (4 * count) === 0) ?? 4);
    const plan = `${name}${single ? "" : "_rows"}_f32_4x${vectors}_simd`;
    return {
      name: plan,
      key: `${plan} ${exactKey([single || length, steps, constants(dims)])}`,
      phases: [
        {
          items: single ? length : rows,
          grain: single ? MEMORY_GRAIN : Math.ceil(MEMORY_GRAIN / length),
          write: (f, locals) => {
            const { from, to } = locals;
            const compute = prepare(f, dims, locals);
            const moving = arrays.map((array, i) => ({
              array,
              pointer: locals.arrays[array],
              ...steps[i],
              splat: f.local(`${array}All`, "v128"),
            }));
            const count = f.let("count", f.i32.sub(to, from));
            const run = (elements: Local<"i32">) => {
              const still = moving.filter(({ inner }) => inner === 0);
              for (const { pointer, splat } of still) f.set(splat, f.v128.load32_splat(pointer));
              const streamed = moving.filter(({ inner }) => inner === 1).map(({ array }) => array);
              stream(
                f,
                {
                  pointers: locals.arrays,
                  reads: streamed.filter((array) => array !== arrays[0]),
                  writes: [arrays[0]],
                  count: elements,
                  vectors,
                },
                (values) => {
                  const splats = still.map(({ array, splat }) => [array, Array(vectors).fill(splat)]);
                  compute({ ...values, ...Object.fromEntries(splats) });
                },
              );
            };
            for (const { pointer, outer, inner } of moving)
              moveBy(f, pointer, from, FLOAT * (single ? inner : outer));
            if (single) {
              run(count);
              return;
            }
            const elements = f.local("elements", "i32");
            whileAtLeast(f, count, 1, () => {
              f.set(elements, length);
              run(elements);
              for (const { pointer, outer, inner } of moving)
                f.advance(pointer, FLOAT * (outer - inner * length));
            });
          },
        },
      ],
    };
  });
}

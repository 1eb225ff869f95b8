// Kernels whose elements do not know of each other: every array has as many elements as the first one that is written,
// and element i of what is written depends on element i of what is read.
//
//   for (i = from; i < to; i++) writes[i] = compute(reads[i])
//
// The code does not depend on the length, so one module serves all shapes.

import { exactKey, type Kernel } from "@saunet/core/kernels";
import type { FunctionBuilder } from "../asm/index.ts";
import { type Generator, generator, type PhaseLocals } from "../plan.ts";
import { ARITHMETIC_GRAIN, moveBy, SMALLEST, stream, type Vectors } from "./stream.ts";

/** What one kernel does to an element. */
export interface Elementwise<A, D> {
  /** Stands first in the plan's name. */
  readonly name: string;
  readonly reads: readonly (keyof A & string)[];
  readonly writes: readonly (keyof A & string)[];
  /** How many vectors at once. */
  readonly vectors: number;
  /** Fewer elements are not worth another thread. */
  readonly grain?: number;
  /** Declares constants; what it returns writes the code for some vectors. */
  readonly prepare: (
    f: FunctionBuilder,
    dims: D,
    locals: PhaseLocals<A>,
  ) => (values: Vectors<keyof A & string>) => void;
}

/** A generator of such kernels. */
export function elementwise<A, D>(
  kernel: Kernel<A, D>,
  { name, reads, writes, vectors, grain = ARITHMETIC_GRAIN, prepare }: Elementwise<A, D>,
): Generator {
  return generator(kernel, (dims, lengths) => {
    const items = lengths[writes[0]]!;
    if (items < SMALLEST) return undefined;
    const plan = `${name}_f32_4x${vectors}_simd`;
    return {
      name: plan,
      key: `${plan} ${exactKey(dims)}`,
      phases: [
        {
          items,
          grain,
          write: (f, locals) => {
            const { from, to, arrays } = locals;
            const compute = prepare(f, dims, locals);
            const count = f.let("count", f.i32.sub(to, from));
            for (const array of new Set([...reads, ...writes])) moveBy(f, arrays[array], from);
            stream(f, { pointers: arrays, reads, writes, count, vectors }, compute);
          },
        },
      ],
    };
  });
}

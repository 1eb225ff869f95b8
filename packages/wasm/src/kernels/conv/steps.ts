// The steps of a convolution before they know what a kernel calls its arrays: all three kernels share them.

import type { FunctionBuilder, Local } from "../../asm/index.ts";
import type { Plan } from "../../plan.ts";

type I32 = Local<"i32">;

/** Where a call's arrays begin. */
export interface Operands {
  readonly input: I32;
  readonly output: I32;
  readonly filter: I32;
  readonly bias: I32 | undefined;
  /** Further channels of the input, and one number a pixel by which they are multiplied; where there are such. */
  readonly gated?: I32 | undefined;
  readonly gate?: I32 | undefined;
  /** Mean and variance of groups of the output's channels, where they are wanted. */
  readonly mean?: I32 | undefined;
  readonly variance?: I32 | undefined;
}

/** The items that a thread does, and its memory. */
export interface Range {
  readonly from: I32;
  readonly to: I32;
  /** Memory of all threads. */
  readonly shared: I32;
  /** Memory of this thread. */
  readonly own: I32;
}

/** A phase of a plan. */
export interface Step {
  readonly items: number;
  /** Fewer items than this are not worth waking another thread for. */
  readonly grain?: number;
  /** Which operands it reads, where it depends on the weights alone. */
  readonly reads?: readonly ("filter" | "bias")[];
  readonly write: (f: FunctionBuilder, range: Range, operands: Operands) => void;
}

/** The phases of a plan and the scratch memory they want. */
export interface Steps {
  /** The algorithm, its register tile and its instructions, for the plan's name. */
  readonly tile: string;
  readonly sharedBytes: number;
  readonly ownBytes: number;
  readonly steps: readonly Step[];
}

const EXTRAS = ["gated", "gate", "mean", "variance"] as const;

/** The operands by the names that a kernel has for them. */
export type Names<N extends string> = Readonly<Record<"input" | "output" | "filter", N>> & {
  /** Undefined where there is none. */
  readonly bias: N | undefined;
} & Readonly<Partial<Record<(typeof EXTRAS)[number], N>>>;

/**
 * The plan of a kernel.
 *
 * @param specialised everything that the code depends on, as text
 */
export function planOf<N extends string>(
  kernel: string,
  { tile, sharedBytes, ownBytes, steps }: Steps,
  names: Names<N>,
  specialised: string,
): Plan<Record<N, unknown>> {
  const name = `${kernel}_f32_${tile}`;
  return {
    name,
    key: `${name} ${specialised}`,
    sharedBytes,
    ownBytes,
    phases: steps.map(({ items, grain, reads, write }) => ({
      items,
      ...(grain !== undefined && { grain }),
      ...(reads && { reads: reads.map((operand) => names[operand]!) }),
      write: (f, { arrays, ...range }) => {
        const at = arrays as Readonly<Record<N, I32>>;
        const { input, output, filter } = names;
        const optional = (name: N | undefined) => (name === undefined ? undefined : at[name]);
        write(f, range, {
          input: at[input],
          output: at[output],
          filter: at[filter],
          bias: optional(names.bias),
          ...Object.fromEntries(EXTRAS.map((extra) => [extra, optional(names[extra])])),
        });
      },
    })),
  };
}

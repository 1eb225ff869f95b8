// The steps of a convolution before they know what a kernel calls its arrays: all kernels share them.

import type { FunctionBuilder, I32 } from "../../asm/index.ts";
import type { Draft, Phase, PhaseLocals } from "../../plan.ts";

/** Where the arrays of a call begin. */
export interface Operands {
  readonly input: I32;
  readonly output: I32;
  readonly filter: I32;
  readonly bias?: I32 | undefined;
  /** Further channels of the input, and one number a pixel by which they are multiplied. */
  readonly gated?: I32 | undefined;
  readonly gate?: I32 | undefined;
  /** Mean and variance of groups of the output's channels. */
  readonly mean?: I32 | undefined;
  readonly variance?: I32 | undefined;
}

/** The items that a thread does, its memory, and the operands of the call. */
export type StepLocals = Omit<PhaseLocals<unknown>, "arrays"> & Operands;

/** A phase of a plan. */
export interface Step extends Omit<Phase<unknown>, "reads" | "write"> {
  /** Which operands it reads, where it depends on the weights alone. */
  readonly reads?: readonly "filter"[];
  readonly write: (f: FunctionBuilder, locals: StepLocals) => void;
}

/** The phases of a plan and the scratch memory they want. */
export interface Steps {
  /** The algorithm, its register tile and its instructions, for the plan's name. */
  readonly tile: string;
  /** Everything that the code depends on, but for which operands there are. */
  readonly key: readonly unknown[];
  readonly sharedBytes?: number;
  readonly ownBytes?: number;
  readonly steps: readonly Step[];
}

/** What a kernel calls the operands that a call has. */
export type Names = { readonly [K in keyof Operands]?: string | undefined };

/** The plan of a kernel. */
export function planOf<A>(kernel: string, { tile, key, steps, ...scratch }: Steps, names: Names): Draft<A> {
  return {
    name: `${kernel}_f32_${tile}`,
    fixed: [names, ...key],
    ...scratch,
    phases: steps.map(({ reads, write, ...phase }) => ({
      ...phase,
      ...(reads && { reads: reads.map((operand) => names[operand] as keyof A) }),
      write: (f, { arrays, ...range }) => {
        const operands = Object.entries(names).map(([operand, name]) => [
          operand,
          name && arrays[name as keyof A],
        ]);
        write(f, { ...range, ...(Object.fromEntries(operands) as Operands) });
      },
    })),
  };
}

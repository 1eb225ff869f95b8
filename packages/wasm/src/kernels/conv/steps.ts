// The steps of a correlation before they know what a kernel calls its arrays: forward and transposed convolutions
// share them.

import type { FunctionBuilder, Local } from "../../asm/index.ts";

type I32 = Local<"i32">;

/** Where a call's arrays begin. */
export interface Operands {
  readonly input: I32;
  readonly output: I32;
  readonly filter: I32;
  readonly bias: I32 | undefined;
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
  /** Which operands it reads, where it depends on the weights alone. */
  readonly reads?: readonly ("filter" | "bias")[];
  readonly write: (f: FunctionBuilder, range: Range, operands: Operands) => void;
}

/** The phases of a plan and the scratch memory they want. */
export interface Steps {
  /** The algorithm and its register tile, for the plan's name. */
  readonly tile: string;
  readonly sharedBytes: number;
  readonly ownBytes: number;
  readonly steps: readonly Step[];
}

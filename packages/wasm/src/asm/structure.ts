// What functions, blocks and modules know of each other, and the error of a program that is wrong.

import type { Operand } from "./instructions.ts";
import type { ValueType } from "./opcodes.ts";

/**
 * A program that WebAssembly would refuse, found while it is being written.
 *
 * @example
 * const module = new ModuleBuilder();
 * try { module.func("wrong", { params: {}, results: ["i32"] }, () => undefined as never); }
 * catch (error) { console.log(error.name); } // AssemblyError
 */
export class AssemblyError extends Error {
  override readonly name = "AssemblyError";
}

/** Types of several values, in order. */
export type Types = readonly ValueType[];

/** What the callback of a block may return: its results, unless they lie on the stack already. */
// biome-ignore lint/suspicious/noConfusingVoidType: a callback that returns nothing returns void
export type BlockResult = Operand | readonly Operand[] | undefined | void;

/** A function, to be called. */
export interface Func<R extends Types = Types> {
  readonly name: string;
  readonly index: number;
  readonly params: Types;
  readonly results: R;
}

/** What a function has to know of its module. */
export interface ModuleContext {
  readonly hasMemory: boolean;
  typeIndex(params: Types, results: Types): number;
}

/** An open block, and where a branch to it goes: to its end, or to the start of a loop. */
export interface Label {
  readonly kind: "function" | "block" | "loop" | "if";
  readonly results: Types;
  /** How high the stack was before; what lies below belongs to the blocks around. */
  readonly height: number;
  /** The instruction after which nothing in this block is reached any more. */
  leftBy?: string;
}

// How a kernel of core becomes WebAssembly: the contract between the generators in kernels/ and whoever runs them.
//
// A generator looks at the integers of a call and answers with a plan: one or more phases, each a number of
// independent items (rows, strips, stretches of elements) and the code that does items `from` to `to - 1`. Whoever
// runs the plan gives every thread a range of items, waits for all of them, and goes on with the next phase. So a
// generator knows nothing of threads, and the runner nothing of numbers.
//
// Generated code touches no byte but those of its arrays and of the scratch that its plan asks for, not even to throw away
// what it finds there: whatever is given to it may end with the last byte of memory, where one byte more traps. Vectors
// at an end are read lane by lane, or overlap the ones before. It sees nothing that it, or the caller, has not written:
// written arrays and scratch hold anything before. `testing-edges.ts` holds every generator to this.
//
// A sum over items must not depend on how they are shared out: a phase writes one partial sum an item into scratch
// memory and the next phase adds them in order. Then the result is the same, bit for bit, for any number of threads.

import { type AnyKernel, type Arrays, exactKey, type Kernel } from "@saunet/core/kernels";
import type { FunctionBuilder, Local } from "./asm/index.ts";

/**
 * What convolutions may run with: `fastest` chooses for each geometry; `winograd6` and `winograd4` are the larger and
 * the smaller tiles of Winograd's algorithms, which round a little more than products of the taps themselves;
 * `direct` is those products alone. A geometry that a Winograd algorithm does not suit runs directly.
 */
export type Convolutions = (typeof CONVOLUTIONS)[number];

export const CONVOLUTIONS = ["fastest", "winograd6", "winograd4", "direct"] as const;

/** What generated code may use, as probed on this host and wished by its user. */
export interface CodeFeatures {
  /** Whether `a·b + c` may be one instruction that rounds once (relaxed SIMD). */
  readonly relaxed: boolean;
  /** Default `fastest`. */
  readonly convolutions?: Convolutions;
}

/** The variables of a phase's code. All addresses are in bytes. */
export interface PhaseLocals<A> {
  /** First item. */
  readonly from: Local<"i32">;
  /** The item after the last. */
  readonly to: Local<"i32">;
  /** Scratch memory that all threads and all phases of this call share: `sharedBytes` of the plan, 64-byte aligned. */
  readonly shared: Local<"i32">;
  /** Scratch memory of the thread that runs this range: `ownBytes` of the plan, 64-byte aligned. */
  readonly own: Local<"i32">;
  /**
   * Where each array of the call begins. Arrays of their own are 64-byte aligned, parts of others only to an element, and
   * they end anywhere. An absent array has no address.
   */
  readonly arrays: { readonly [K in keyof A]-?: Local<"i32"> };
}

/** One step of a plan: its items may run in any order and at the same time, each of them once. */
export interface Phase<A> {
  readonly items: number;
  /** Fewer items than this are not worth waking another thread for. */
  readonly grain?: number;
  /**
   * Set where the phase reads nothing but these arrays (it packs or transforms weights into `shared`): a program may
   * then run it once instead of every time.
   */
  readonly reads?: readonly (keyof A)[];
  /** Writes the body of a function that does the items `from` … `to - 1`. */
  readonly write: (f: FunctionBuilder, locals: PhaseLocals<A>) => void;
}

/** What a generator makes of a call. */
export interface Draft<A> {
  /** Kernel, type, tile and instruction set: `conv2d_f32_2x16_simd`. Stands in reports, benches and traces. */
  readonly name: string;
  /** Everything that the code was specialised for, but for the name; default: the dims of the call. */
  readonly fixed?: unknown;
  readonly phases: readonly Phase<A>[];
  /** Set where the code traps on numbers that the portable form refuses: that is run then, to say which they are. */
  readonly refuses?: boolean;
  /** Bytes of scratch memory for all threads together. */
  readonly sharedBytes?: number;
  /** Bytes of scratch memory for each thread. */
  readonly ownBytes?: number;
}

/** A call of a kernel, made into WebAssembly. */
export interface Plan<A = Arrays> extends Draft<A> {
  /** Equal keys mean equal code. */
  readonly key: string;
}

/** The lengths of a call's arrays, in elements; `undefined` where one is absent. */
export type Lengths<A> = { readonly [K in keyof A]: number | undefined };

/** Code for a kernel: what it makes of a call, or `undefined` where the portable form is to run (too small, too odd). */
export interface Generator {
  readonly kernel: AnyKernel;
  plan(dims: unknown, lengths: Lengths<Arrays>, features: CodeFeatures): Plan | undefined;
}

/** Makes a generator; `draft` sees the types of its kernel. */
export function generator<A, D>(
  kernel: Kernel<A, D>,
  draft: (dims: D, lengths: Lengths<A>, features: CodeFeatures) => Draft<A> | undefined,
): Generator {
  const plan = (dims: D, lengths: Lengths<A>, features: CodeFeatures): Plan<A> | undefined => {
    const made = draft(dims, lengths, features);
    return made && { ...made, key: `${made.name} ${exactKey(made.fixed ?? dims)}` };
  };
  // Whoever holds a list of generators calls each with the arrays and dims of a call of its own kernel.
  return { kernel, plan } as unknown as Generator;
}

/** What plans of a kernel are called: `sigmoidCrossEntropy.gradient` becomes `sigmoid_cross_entropy_gradient`. */
export const nameOf = ({ name }: { readonly name: string }): string =>
  name
    .replace(/\.(forward|update)$/, "")
    .replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    .replace(".", "_");

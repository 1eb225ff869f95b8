// Rewrites of a captured program: calls whose only link are temporary buffers become one call that never writes those.
// A rewrite sees the list of calls alone, so each is small, and each can be left out.

import type { AnyKernel, Program, ProgramCall } from "@saunet/core";
import type { CodeFeatures } from "../plan.ts";

/** One rewrite. */
export interface Fusion {
  /** Stands in reports and switches it off: `normalize+silu`. */
  readonly name: string;
  readonly rewrite: (program: Program, features: CodeFeatures) => Program;
}

/** Joins a call with the one that consumes its result. */
export interface Pair {
  /** The kernel whose result disappears, and which of its arrays that is. */
  readonly producer: AnyKernel;
  readonly result: string;
  /** The kernel that alone reads it, and as which array. */
  readonly consumer: AnyKernel;
  readonly operand: string;
  /** The call that does both; `undefined` where these dims do not suit. */
  readonly join: (producer: ProgramCall, consumer: ProgramCall) => ProgramCall | undefined;
}

/** Which calls touch each buffer, in order. */
export function callsTouching({ calls }: Program): ReadonlyMap<number, readonly number[]> {
  const touched = new Map<number, number[]>();
  calls.forEach((call, at) => {
    for (const buffer of new Set(Object.values(call.buffers))) {
      if (buffer === undefined) continue;
      const list = touched.get(buffer);
      if (list === undefined) touched.set(buffer, [at]);
      else list.push(at);
    }
  });
  return touched;
}

/** The calls that touch a buffer which nobody outside the program sees; none where somebody does. */
export function privateUses(program: Program): (buffer: number | undefined) => readonly number[] {
  const touched = callsTouching(program);
  const isOutput = new Set(program.outputs.map(({ buffer }) => buffer));
  return (buffer) => {
    if (buffer === undefined || program.buffers[buffer].external !== undefined || isOutput.has(buffer))
      return [];
    return touched.get(buffer) ?? [];
  };
}

/** Joins a pair of calls wherever there is one. The joined call stands where the consumer stood. */
export function joinPairs(program: Program, pair: Pair): Program {
  const { calls } = program;
  const uses = privateUses(program);
  const joined: (ProgramCall | undefined)[] = [...calls];
  calls.forEach((call, at) => {
    if (call.kernel.name !== pair.producer.name) return;
    const buffer = call.buffers[pair.result];
    const [, reader, ...others] = uses(buffer);
    if (reader === undefined || others.length > 0) return;
    const consumer = calls[reader];
    if (consumer.kernel.name !== pair.consumer.name || consumer.buffers[pair.operand] !== buffer) return;
    const both = pair.join(call, consumer);
    if (both === undefined) return;
    // There, everything that either reads has been written.
    joined[at] = undefined;
    joined[reader] = both;
  });
  return { ...program, calls: joined.filter((call) => call !== undefined) };
}

// Rewrites of a captured program: two calls whose only link is a temporary buffer become one call that never writes
// that buffer. A rewrite sees the list of calls alone, so each is small, and each can be left out.

import type { AnyKernel, Program, ProgramCall } from "@saunet/core";

/** Joins a call with the one that consumes its result. */
export interface Fusion {
  /** Stands in reports and switches it off: `normalize+silu`. */
  readonly name: string;
  /** The kernel whose result disappears, and which of its arrays that is. */
  readonly producer: AnyKernel;
  readonly result: string;
  /** The kernel that alone reads it, and as which array. */
  readonly consumer: AnyKernel;
  readonly operand: string;
  /** The call that does both; `undefined` where these dims do not suit. */
  readonly join: (producer: ProgramCall, consumer: ProgramCall) => ProgramCall | undefined;
}

/** Applies a fusion wherever it fits. */
export function fuse(program: Program, fusion: Fusion): Program {
  const { buffers, calls, outputs } = program;
  const isOutput = new Set(outputs.map(({ buffer }) => buffer));
  const touchedBy = new Map<number, number[]>();
  calls.forEach((call, at) => {
    for (const buffer of Object.values(call.buffers)) {
      if (buffer !== undefined) touchedBy.set(buffer, [...(touchedBy.get(buffer) ?? []), at]);
    }
  });
  const fused: (ProgramCall | undefined)[] = [...calls];
  calls.forEach((call, at) => {
    if (call.kernel.name !== fusion.producer.name) return;
    const buffer = call.buffers[fusion.result];
    if (buffer === undefined || buffers[buffer].external !== undefined || isOutput.has(buffer)) return;
    const [, reader, ...others] = touchedBy.get(buffer)!;
    if (reader === undefined || others.length > 0) return;
    const consumer = calls[reader];
    if (consumer.kernel.name !== fusion.consumer.name || consumer.buffers[fusion.operand] !== buffer) return;
    const joined = fusion.join(call, consumer);
    if (joined === undefined) return;
    // The joined call stands where the consumer stood: there, everything that either reads has been written.
    fused[at] = undefined;
    fused[reader] = joined;
  });
  return { ...program, calls: fused.filter((call) => call !== undefined) };
}

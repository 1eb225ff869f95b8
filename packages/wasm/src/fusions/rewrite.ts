// How a list of calls may be rewritten, and the one rule that says whether it may.
//
// A rewrite joins calls: one call does the work of several, at the place of one of them. The others move there. Two
// calls may change places only if neither writes what the other reads or writes:
//
//   the first   the second
//   reads a     writes a      no: the first would read the later value
//   writes a    reads a       no: the second would read the earlier value
//   writes a    writes a      no: the later value would be lost
//
// An array that is updated counts as written: that is what conflicts with all else. Parameters, inputs and other arrays from outside obey the same rule:
// an optimiser's step between two calls is a write like any other. `rewrite` alone holds every candidate to it, so a
// pattern that looks for candidates needs no idea of safety.

import type { Program } from "@saunet/core";
import type { AnyKernel, ProgramBuffer, ProgramCall } from "@saunet/core/kernels";
import type { CodeFeatures } from "../plan.ts";

/** A kind of rewrite that can be left out. */
export interface Fusion {
  /** Stands in reports and switches it off: `normalize+silu`. */
  readonly name: string;
  /** What it looks for, tried one after the other. */
  readonly patterns: readonly Pattern[];
}

/** One call in place of several. */
export interface Join {
  /** Where it stands: the place of one of the calls that it replaces. */
  readonly at: number;
  readonly call: ProgramCall;
  /** The places of the other calls that it does the work of. */
  readonly absorbs: readonly number[];
}

/** The calls of a program while it is rewritten. Places stay what they are: a call that was absorbed leaves a hole. */
export interface Site {
  readonly calls: readonly (ProgramCall | undefined)[];
  /** Places of the calls that touch a buffer, in order. */
  readonly uses: (buffer: number | undefined) => readonly number[];
  /** Whether a buffer is of use to nobody outside of the program. */
  readonly isPrivate: (buffer: number | undefined) => boolean;
  /** Adds a buffer to the program and returns its number. */
  readonly add: (buffer: ProgramBuffer) => number;
}

/** Looks at one call and proposes joins that belong together; all of them are done, or none. */
export type Pattern = (site: Site, at: number, features: CodeFeatures) => readonly Join[] | undefined;

const buffersOf = (call: ProgramCall, isAsked: (role: string) => boolean): number[] =>
  Object.entries(call.kernel.roles).flatMap(([name, role]) => {
    const buffer = call.buffers[name];
    return buffer !== undefined && isAsked(role) ? [buffer] : [];
  });

/** The buffers that a call reads and leaves as they are. */
export const readsOf = (call: ProgramCall): number[] => buffersOf(call, (role) => role === "read");

/** The buffers whose values a call changes. */
export const writesOf = (call: ProgramCall): number[] => buffersOf(call, (role) => role !== "read");

/** The rule: whether two calls may change places. Buffers that are `gone` are written no more. */
export function commute(a: ProgramCall, b: ProgramCall, gone: ReadonlySet<number> = new Set()): boolean {
  const left = (buffers: readonly number[]) => buffers.filter((buffer) => !gone.has(buffer));
  const [readByA, writtenByA] = [left(readsOf(a)), left(writesOf(a))];
  const [readByB, writtenByB] = [left(readsOf(b)), left(writesOf(b))];
  return (
    !writtenByA.some((buffer) => readByB.includes(buffer) || writtenByB.includes(buffer)) &&
    !writtenByB.some((buffer) => readByA.includes(buffer))
  );
}

/** Whether no array of a call is written while it is another of its arrays too, save where its kernel allows it. */
export function isSeparate({ kernel, buffers }: ProgramCall): boolean {
  const used = Object.keys(kernel.roles).filter((name) => buffers[name] !== undefined);
  return used.every(
    (written) =>
      kernel.roles[written] === "read" ||
      used.every(
        (other) =>
          other === written ||
          buffers[other] !== buffers[written] ||
          (kernel.inPlace[written] === other && kernel.roles[other] === "read"),
      ),
  );
}

/** The calls after some joins, or `undefined` where those would change what the program computes. */
function joined(site: Site, joins: readonly Join[]): (ProgramCall | undefined)[] | undefined {
  const { calls, uses, isPrivate } = site;
  const partsOf = ({ at, absorbs }: Join): number[] => [at, ...absorbs];
  const touched = new Set(joins.flatMap(partsOf));
  const after = calls.map((call, at) => (touched.has(at) ? undefined : call));
  for (const { at, call } of joins) after[at] = call;

  // What is written no more must be of use to nobody: neither to a call that is left nor outside.
  const stillUsed = new Set(after.flatMap((call) => Object.values(call?.buffers ?? {})));
  const stillWritten = new Set(joins.flatMap(({ call }) => writesOf(call)));
  const gone = new Set(
    [...touched].flatMap((at) => writesOf(calls[at]!)).filter((buffer) => !stillWritten.has(buffer)),
  );
  for (const buffer of gone) if (stillUsed.has(buffer) || !isPrivate(buffer)) return undefined;

  const placesOf = (at: number): readonly number[] =>
    touched.has(at) ? joins.filter((join) => partsOf(join).includes(at)).map((join) => join.at) : [at];
  const keepsOrder = (moved: number, place: number, other: number): boolean =>
    placesOf(other).every((now) => now === place || moved < other === place < now);
  /** The places of all calls that touch what this one touches: with any other it may change places. */
  const related = (at: number) => new Set(Object.values(calls[at]!.buffers).flatMap(uses));
  const isSafe = joins.every(
    (join) =>
      isSeparate(join.call) &&
      partsOf(join).every((moved) =>
        [...related(moved)].every(
          (other) => keepsOrder(moved, join.at, other) || commute(calls[moved]!, calls[other]!, gone),
        ),
      ),
  );
  return isSafe ? after : undefined;
}

function siteOf(
  { outputs }: Program,
  buffers: ProgramBuffer[],
  calls: readonly (ProgramCall | undefined)[],
): Site {
  const touching = new Map<number, number[]>();
  calls.forEach((call, at) => {
    for (const buffer of new Set(Object.values(call?.buffers ?? {}))) {
      if (buffer === undefined) continue;
      const list = touching.get(buffer);
      if (list === undefined) touching.set(buffer, [at]);
      else list.push(at);
    }
  });
  const isOutput = new Set(outputs.map(({ buffer }) => buffer));
  return {
    calls,
    uses: (buffer) => (buffer === undefined ? [] : (touching.get(buffer) ?? [])),
    isPrivate: (buffer) =>
      buffer !== undefined && buffers[buffer].external === undefined && !isOutput.has(buffer),
    add: (buffer) => buffers.push(buffer) - 1,
  };
}

/** Does whatever a pattern proposes, wherever the rule allows it. */
export function rewrite(program: Program, pattern: Pattern, features: CodeFeatures): Program {
  const buffers = [...program.buffers];
  let site = siteOf(program, buffers, program.calls);
  for (let at = 0; at < program.calls.length; at++) {
    if (site.calls[at] === undefined) continue;
    const joins = pattern(site, at, features);
    const calls = joins && joined(site, joins);
    if (calls !== undefined) site = siteOf(program, buffers, calls);
  }
  return { ...program, buffers, calls: site.calls.filter((call) => call !== undefined) };
}

/** Two calls that become one: the second reads what the first writes. */
export interface Pair {
  /** The kernel that writes, and as which array; `join` decides where none is named. */
  readonly writer?: AnyKernel;
  readonly result: string;
  /** The kernel that reads it, and as which array. */
  readonly reader: AnyKernel;
  readonly operand: string;
  /** Where the call stands that does both. */
  readonly place: "writer" | "reader";
  /** That call; `undefined` where these kernels or dims do not suit. */
  readonly join: (
    writer: ProgramCall,
    reader: ProgramCall,
    features: CodeFeatures,
  ) => ProgramCall | undefined;
}

/** Joins a pair of calls. */
export const joinPair =
  ({ writer, result, reader, operand, place, join }: Pair): Pattern =>
  ({ calls, uses }, at, features) => {
    const second = calls[at]!;
    const read = second.buffers[operand];
    if (second.kernel.name !== reader.name || read === undefined) return undefined;
    const from = uses(read).findLast((other) => other < at && writesOf(calls[other]!).includes(read));
    const first = from === undefined ? undefined : calls[from];
    if (from === undefined || first?.buffers[result] !== read) return undefined;
    if (writer !== undefined && first.kernel.name !== writer.name) return undefined;
    const call = join(first, second, features);
    return call && [place === "writer" ? { at: from, call, absorbs: [at] } : { at, call, absorbs: [from] }];
  };

// Results that lie outside of a program: in an array of their own that stays from run to run, or in one that the program
// works with already, as where statistics are written into running ones or a gradient into a buffer that is kept.

import type { Program } from "@saunet/core";
import type { FlatArray, ProgramCall } from "@saunet/core/kernels";
import { type Aim, NOT_NEGATIVE, POSITIVE_ROLES } from "./disturbances.ts";
import { pick } from "./operators.ts";
import type { Recipe } from "./recipe.ts";

/** Arrays that no result is written into: random states, and those of optimisers, which are many and far away. */
const UNSHARED = /^(random|sgd|adam)/;

/** Where arrays outside come from. */
interface Outside {
  /** All that there are, by name. */
  readonly known: ReadonlyMap<string, FlatArray>;
  /** Makes one. */
  readonly array: (name: string, length: number, low: number, high: number) => Float32Array;
}

/** A result that is to lie outside. */
interface Wish {
  readonly call: number;
  readonly name: string;
  readonly buffer: number;
  readonly choice: number;
}

/**
 * A program with some results outside, those of its steps that ask for it and those that disturbances meet before they
 * are written; the program itself where there are none.
 */
export function resultsOutside(
  program: Program,
  { steps, disturbances }: Recipe,
  ranges: ReadonlyMap<number, readonly [number, number]>,
  aims: readonly (Aim | undefined)[],
  { known, array }: Outside,
): Program {
  const buffers = [...program.buffers];
  let calls = program.calls;
  let { outputs } = program;
  const numberOf = (external: FlatArray): number => {
    const found = buffers.findIndex((buffer) => buffer.external === external);
    return found >= 0 ? found : buffers.push({ length: external.length, type: "f32", external }) - 1;
  };
  const moveTo = (from: number, to: number): void => {
    const now = (buffer: number | undefined) => (buffer === from ? to : buffer);
    calls = calls.map((call) => ({
      ...call,
      buffers: Object.fromEntries(Object.entries(call.buffers).map(([name, buffer]) => [name, now(buffer)])),
    }));
    outputs = outputs.map((output) => ({ ...output, buffer: output.buffer === from ? to : output.buffer }));
  };
  /**
   * Those that calls with an array in common with a call work with, and it does not: joined with one of them, the call
   * must not write them. All where there are none.
   */
  const nearOrAny = (at: number, named: readonly (readonly [string, FlatArray])[]) => {
    const own = new Set(Object.values(calls[at].buffers));
    const used = calls.map((call) => Object.values(call.buffers).filter((buffer) => buffer !== undefined));
    const theirs = used.filter((buffers) => buffers.some((buffer) => own.has(buffer))).flat();
    const arrays = new Set(
      theirs.filter((buffer) => !own.has(buffer)).map((buffer) => buffers[buffer].external),
    );
    const near = named.filter(([, array]) => arrays.has(array));
    return near.length > 0 ? near : named;
  };
  const isInput = new Set(program.inputs.map(({ buffer }) => buffer));
  const resultsOf = (call: number, choice: number): Wish[] => {
    const { kernel, buffers: used } = program.calls[call];
    return Object.keys(kernel.roles).flatMap((name) => {
      const buffer = used[name];
      return kernel.roles[name] === "write" && buffer !== undefined ? [{ call, name, buffer, choice }] : [];
    });
  };
  const wished = steps.flatMap(({ label, outside, choice }) => {
    const [first, end] = ranges.get(label)!;
    const results = program.calls.slice(first, end).flatMap((_, i) => resultsOf(first + i, choice));
    return results.filter((_, n) => (outside >> n) & 1);
  });
  const awaited = aims.flatMap((found, i) =>
    found && found.call > found.after
      ? resultsOf(found.call, disturbances[i].call).filter(({ name }) => name === found.name)
      : [],
  );
  for (const { call, name, buffer, choice } of [...wished, ...awaited]) {
    const { external, type, length } = buffers[buffer];
    if (external !== undefined || type !== "f32") continue;
    const own = () => numberOf(array(`result ${call}.${name} of ${length}`, length, 0.5, 1));
    const shared = [...known].filter(
      ([other, { length: size }]) => size === length && !UNSHARED.test(other) && !NOT_NEGATIVE.test(other),
    );
    const isShared = choice % 4 > 0 && shared.length > 0 && !POSITIVE_ROLES.includes(name);
    const to = isShared ? numberOf(pick(nearOrAny(call, shared), choice >> 2)[1]) : own();
    if (!isInput.has(to) && calls.every((one) => mayShare(one, buffer, to))) moveTo(buffer, to);
  }
  return calls === program.calls ? program : { ...program, buffers, calls, outputs };
}

/** Whether a call may have two of its arrays in one place: where it writes neither, or where its kernel allows it. */
function mayShare({ kernel, buffers }: ProgramCall, a: number, b: number): boolean {
  const names = Object.keys(kernel.roles).filter((name) => buffers[name] === a || buffers[name] === b);
  if (new Set(names.map((name) => buffers[name])).size < 2) return true;
  const written = names.filter((name) => kernel.roles[name] !== "read");
  if (written.length === 0) return true;
  return (
    names.length === 2 && written.length === 1 && names.some((name) => name === kernel.inPlace[written[0]])
  );
}

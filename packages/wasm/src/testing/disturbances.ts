// Kernel calls by themselves, placed between any two calls of a program: they write, change or read an array that the
// calls around them work with, as an optimiser's step, a reset or a copy for the host would.

import type { Program, RandomState } from "@saunet/core";
import {
  type AnyKernel,
  type Arrays,
  addSquares,
  type FlatArray,
  fillZero,
  type ProgramCall,
  readBox,
  reluForward,
  sgdUpdate,
  sigmoidForward,
  siluForward,
  uniformDraw,
} from "@saunet/core/kernels";
import { pick } from "./operators.ts";
import { BETWEEN, type Disturbance, LAST } from "./recipe.ts";

/** A kernel call with its arrays. */
export interface ArrayCall {
  readonly kernel: AnyKernel;
  readonly arrays: Arrays;
  readonly dims: unknown;
}

/** A disturbance with its place in a program and the array that it meets. */
export interface Placed {
  readonly kind: Disturbance["kind"];
  /** The call that it follows. */
  readonly after: number;
  /** The array that it meets: of which call, and under which name. */
  readonly call: number;
  readonly name: string;
  readonly length: number;
  /** Whether the array has to stay above zero: a variance, a learning rate. */
  readonly positive: boolean;
  /** The array itself, where it lies outside of the program. */
  readonly external: FlatArray | undefined;
  readonly which: number;
}

/** What disturbances work with besides the array that they meet. */
export interface Surroundings {
  readonly random: RandomState;
  /** An array outside of the program, made once: uniform numbers. */
  array(name: string, length: number, low: number, high: number): Float32Array;
}

const asAny = (kernel: object): AnyKernel => kernel as AnyKernel;

/** The call of a disturbance on the array that it meets. */
export function callOf(
  { kind, after, length, positive, which }: Placed,
  met: FlatArray,
  { random, array }: Surroundings,
): ArrayCall {
  const own = (what: string, size = length) =>
    array(`${what} of ${kind} ${after}.${which} ${size}`, size, 0.5, 1);
  const dense = { walk: { shape: [length], strides: [[1], [1]] }, offset: 0 };
  switch (kind) {
    case "zero":
      return { kernel: asAny(fillZero), arrays: { out: met }, dims: undefined };
    case "draw": {
      const [low, width] = positive ? [0.5, 1] : [-1, 2];
      return { kernel: asAny(uniformDraw), arrays: { out: met, state: random }, dims: { low, width } };
    }
    case "copyInto":
      return { kernel: asAny(readBox), arrays: { y: met, x: own("source") }, dims: dense };
    case "sgd": {
      const others = { velocity: own("velocity"), g: own("gradient"), rate: own("rate", 1) };
      return {
        kernel: asAny(sgdUpdate),
        arrays: { w: met, ...others },
        dims: { momentum: 0.5, nesterov: false },
      };
    }
    case "inPlace": {
      const forward = positive ? sigmoidForward : pick([reluForward, siluForward, sigmoidForward], which);
      return { kernel: asAny(forward), arrays: { y: met, x: met }, dims: undefined };
    }
    case "copy":
      return { kernel: asAny(readBox), arrays: { y: own("copy"), x: met }, dims: dense };
    case "squares":
      return { kernel: asAny(addSquares), arrays: { out: own("sum", 1), g: met }, dims: undefined };
    case "skip":
      return {
        kernel: asAny(uniformDraw),
        arrays: { out: own("drawn", 9), state: random },
        dims: { low: 0, width: 1 },
      };
  }
}

const READS: readonly Disturbance["kind"][] = ["copy", "squares"];
/** They would leave an array that has to stay above zero at zero or below. */
const LOWERS: readonly Disturbance["kind"][] = ["zero", "sgd"];
/** Roles of arrays that have to stay above zero. */
export const POSITIVE_ROLES: readonly string[] = ["variance", "runningVariance", "v", "rate"];

/** Names of arrays outside that have to stay above zero, and of step counts. */
export const NOT_NEGATIVE = /^(half|running\.variance)| v\.| rate$| count$/;

/** What is known of an array by whoever places disturbances. */
export interface Known {
  readonly isInput: boolean;
  /** Its name outside of the program, where it lies there. */
  readonly outside: string | undefined;
}

/** Where a disturbance stands, and which array of which call it meets. */
export interface Aim {
  readonly after: number;
  readonly call: number;
  readonly name: string;
}

/**
 * Finds where a disturbance stands.
 *
 * @param ranges of each step by its label: its first call and the one after its last
 * @param pairs of calls that rewrites may join
 */
export function aim(
  { after: label, call, back, which }: Disturbance,
  { calls, buffers }: Program,
  ranges: ReadonlyMap<number, readonly [number, number]>,
  pairs: readonly (readonly [number, number])[],
): Aim | undefined {
  const nameIn = (at: number): string | undefined => {
    const { kernel, buffers: used } = calls[at];
    const isFloats = (name: string) => used[name] !== undefined && buffers[used[name]].type === "f32";
    const names = Object.keys(kernel.roles).filter(isFloats);
    return names.length === 0 ? undefined : pick(names, which);
  };
  const aimAt = (after: number, at: number): Aim | undefined => {
    const name = nameIn(at);
    return name === undefined ? undefined : { after, call: at, name };
  };
  if (label === BETWEEN) {
    if (pairs.length === 0) return undefined;
    const [from, to] = pick(pairs, call);
    return aimAt(from + (which % (to - from)), back === 0 ? from : to);
  }
  const [first, end] = ranges.get(label) ?? [0, 0];
  if (end === first) return undefined;
  const after = call === LAST ? end - 1 : first + (call % (end - first));
  return aimAt(after, Math.max(after - back, 0));
}

/** The disturbance at a place, unless it may not meet its array like that. */
export function place(
  { kind, which }: Disturbance,
  { after, call, name }: Aim,
  { calls, buffers }: Program,
  know: (buffer: number) => Known,
): Placed | undefined {
  const buffer = calls[call].buffers[name]!;
  const { isInput, outside } = know(buffer);
  // What is not there yet can be met only where it lies outside.
  const earlier = calls.slice(0, after + 1).findIndex((one) => Object.values(one.buffers).includes(buffer));
  if (earlier < 0 && outside === undefined) return undefined;
  const isConstant = buffers[buffer].external !== undefined && outside === undefined && !isInput;
  const isCount = name === "count" || outside?.endsWith("count");
  if ((isConstant || isCount) && kind !== "skip" && !READS.includes(kind)) return undefined;
  const positive = POSITIVE_ROLES.includes(name) || NOT_NEGATIVE.test(outside ?? "");
  if (positive && LOWERS.includes(kind)) return undefined;
  const external = outside === undefined ? undefined : buffers[buffer].external;
  // An eager run knows an array by a call that has been made.
  const nameThere = (at: number) => Object.entries(calls[at].buffers).find(([, one]) => one === buffer)![0];
  const seen = earlier < 0 ? { call, name } : { call: earlier, name: nameThere(earlier) };
  return { kind, after, ...seen, length: buffers[buffer].length, positive, external, which };
}

/** The calls of a program with disturbances between them. */
export function disturbed(program: Program, placed: readonly Placed[], surroundings: Surroundings): Program {
  const buffers = [...program.buffers];
  const numberOf = (array: FlatArray): number => {
    const known = buffers.findIndex(({ external }) => external === array);
    if (known >= 0) return known;
    const type = array instanceof Uint32Array ? "u32" : "f32";
    return buffers.push({ length: array.length, type, external: array }) - 1;
  };
  const asCall = (one: Placed): ProgramCall => {
    const met = new Float32Array(one.length);
    const { kernel, arrays, dims } = callOf(one, met, surroundings);
    const number = program.calls[one.call].buffers[one.name]!;
    const used = Object.entries(arrays).map(([name, array]) => [
      name,
      array === met ? number : numberOf(array!),
    ]);
    return { kernel, buffers: Object.fromEntries(used), dims };
  };
  const calls = program.calls.flatMap((call, at) => [
    call,
    ...placed.filter(({ after }) => after === at).map(asCall),
  ]);
  return { ...program, buffers, calls };
}

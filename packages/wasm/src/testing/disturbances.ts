// Kernel calls by themselves, placed between any two calls of a program: they write, change or read an array that the
// calls around them work with, as an optimiser's step, a reset or a copy for the host would.

import {
  type AnyKernel,
  type Arrays,
  addSquares,
  type FlatArray,
  fillZero,
  gatherKernel,
  type Program,
  type ProgramCall,
  type RandomState,
  reluForward,
  sgdUpdate,
  sigmoidForward,
  siluForward,
  uniformKernel,
} from "@saunet/core";
import { pick } from "./operators.ts";
import { BUSY, type Disturbance, LAST } from "./recipe.ts";

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
      return { kernel: asAny(uniformKernel), arrays: { out: met, state: random }, dims: { low, width } };
    }
    case "copyInto":
      return { kernel: asAny(gatherKernel), arrays: { y: met, x: own("source") }, dims: dense };
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
      return { kernel: asAny(gatherKernel), arrays: { y: own("copy"), x: met }, dims: dense };
    case "squares":
      return { kernel: asAny(addSquares), arrays: { out: own("sum", 1), g: met }, dims: undefined };
    case "skip":
      return {
        kernel: asAny(uniformKernel),
        arrays: { out: own("drawn", 9), state: random },
        dims: { low: 0, width: 1 },
      };
  }
}

const READS: readonly Disturbance["kind"][] = ["copy", "squares"];
/** They would leave an array that has to stay above zero at zero or below. */
const LOWERS: readonly Disturbance["kind"][] = ["zero", "sgd"];
/** Roles of arrays that have to stay above zero. */
const POSITIVE = ["variance", "runningVariance", "v", "rate"];

/** Kernels of a backward pass after which somebody could come between two calls that are joined. */
const JOINED = ["dropBlock.apply", "conv2d.transposed", "conv2d.filterGradient", "silu.gradient"];

/** What is known of an array by whoever places disturbances. */
export interface Known {
  readonly isInput: boolean;
  /** Its name outside of the program, where it lies there. */
  readonly outside: string | undefined;
}

/**
 * Finds the place of a disturbance, and an array for it.
 *
 * @param first the first call of its step
 * @returns nothing where there is no such array, or where it may not be met like that
 */
export function place(
  { kind, call, back, which }: Disturbance,
  { calls, buffers }: Program,
  [first, end]: readonly [number, number],
  know: (buffer: number) => Known,
): Placed | undefined {
  if (end === first) return undefined;
  const own = Array.from({ length: end - first }, (_, i) => first + i);
  const busy = own.filter((one) => JOINED.includes(calls[one].kernel.name));
  const after =
    call === LAST
      ? end - 1
      : call === BUSY && busy.length > 0
        ? pick(busy, which)
        : pick(own, Math.abs(call));
  const at = Math.min(Math.max(after - back, 0), calls.length - 1);
  const { kernel, buffers: used } = calls[at];
  const names = Object.keys(kernel.roles).filter(
    (name) => used[name] !== undefined && buffers[used[name]].type === "f32",
  );
  if (names.length === 0) return undefined;
  const name = pick(names, which);
  const buffer = used[name]!;
  const { isInput, outside } = know(buffer);
  // What is not there yet can be met only if it lies outside and keeps its numbers from run to run.
  if (at > after && outside === undefined) return undefined;
  const isConstant = buffers[buffer].external !== undefined && outside === undefined && !isInput;
  const isCount = name === "count" || outside?.endsWith("count");
  if ((isConstant || isCount) && kind !== "skip" && !READS.includes(kind)) return undefined;
  const positive = POSITIVE.includes(name) || /^(half|running\.variance)| v\.| rate$/.test(outside ?? "");
  if (positive && LOWERS.includes(kind)) return undefined;
  const external = outside === undefined ? undefined : buffers[buffer].external;
  return { kind, after, call: at, name, length: buffers[buffer].length, positive, external, which };
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

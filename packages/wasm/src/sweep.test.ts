// Operators as a user calls them, accelerated, against the references: forward and backward over channels and sizes
// that suit no tile, on one to four threads, with and without relaxed arithmetic. Every array lies between bands of NaN.

import {
  backward,
  concat,
  conv2d,
  convTranspose2d,
  groupNorm,
  maxPool2d,
  mean,
  mul,
  normal,
  parameter,
  randomState,
  sigmoid,
  silu,
  sum,
  Tensor,
} from "@saunet/core";
import { withAllocator, withReferences } from "@saunet/core/kernels";
import { relativeError } from "@saunet/core/testing";
import { afterEach, describe, expect, it } from "vitest";
import { accelerate, restore } from "./accelerate.ts";
import { arithmetics, channels, sizes } from "./kernels/testing.ts";

/** The references take about a second for a hundred million. */
const MOST_PRODUCTS = 2e6;
/** Of the largest element: Winograd's bound for convolutions, the direct one for all else. */
const BOUNDS = { convolution: 1e-4, other: 1e-5 };

/** One operator on operands of its own. */
interface Case {
  readonly name: string;
  readonly shapes: readonly (readonly number[])[];
  readonly bound: number;
  readonly apply: (operands: readonly Tensor[]) => Tensor;
}

type Family = (H: number, W: number, C: number, turn: number) => Case | undefined;

/** The most output channels, from some place of the list on, for which the reference is quick. */
function outputsFor(pixels: number, taps: number, C: number, turn: number): number | undefined {
  const rotated = channels.map((_, i) => channels[(turn + i) % channels.length]);
  return rotated.find((O) => pixels * taps * C * O <= MOST_PRODUCTS);
}

const convolution =
  (size: number, stride: number): Family =>
  (H, W, C, turn) => {
    const O = outputsFor(Math.ceil(H / stride) * Math.ceil(W / stride), size * size, C, turn);
    if (O === undefined) return undefined;
    return {
      name: `conv2d ${size}x${size} / ${stride}, ${C} -> ${O}, ${H}x${W}`,
      shapes: [[1, H, W, C], [size, size, C, O], [O]],
      bound: BOUNDS.convolution,
      apply: ([x, w, b]) => conv2d(x, w, b, { stride }),
    };
  };

const families: readonly Family[] = [
  convolution(3, 1),
  convolution(1, 1),
  convolution(3, 2),
  convolution(7, 1),
  (H, W, C, turn) => {
    const O = outputsFor(H * W, 9, C, turn);
    if (O === undefined) return undefined;
    return {
      name: `convTranspose2d 3x3 / 2, ${C} -> ${O}, ${H}x${W}`,
      shapes: [[1, H, W, C], [3, 3, O, C], [O]],
      bound: BOUNDS.convolution,
      apply: ([x, w, b]) => convTranspose2d(x, w, b, { stride: 2 }),
    };
  },
  (H, W, C) => ({
    name: `groupNorm and silu, ${C} channels, ${H}x${W}`,
    shapes: [[2, H, W, C], [C], [C]],
    bound: BOUNDS.other,
    apply: ([x, gamma, beta]) => silu(groupNorm(x, gamma, beta, { groups: C % 4 === 0 ? C / 4 : 1 })),
  }),
  (H, W, C) => ({
    name: `gate, ${C} channels, ${H}x${W}`,
    shapes: [[2, H, W, C]],
    bound: BOUNDS.other,
    apply: ([x]) => concat([x, mul(x, sigmoid(mean(x, { axes: -1, keepDims: true })))], -1),
  }),
  (H, W, C) =>
    H > 1 && W > 1
      ? {
          name: `maxPool2d, ${C} channels, ${H}x${W}`,
          shapes: [[2, H, W, C]],
          bound: BOUNDS.other,
          apply: ([x]) => maxPool2d(x),
        }
      : undefined,
];

/** Every number of channels at every size; the families take turns. */
const cases = channels
  .flatMap((C, c) =>
    // Shifted by one from row to row, so that every family meets every size.
    sizes.map(([H, W], s) => families[(c + s) % families.length](H, W, C, c * sizes.length + s)),
  )
  .filter((found) => found !== undefined);

/** Every so many-th case runs on each number of threads. */
const COMMON = 13;
/** Which cases a number of threads has to itself: more threads than cores take long to meet. */
const SHARES = [
  { threads: 1, every: 2, from: 0 },
  { threads: 2, every: 4, from: 1 },
  { threads: 3, every: 8, from: 3 },
  { threads: 4, every: 8, from: 7 },
];
const GUARD = 16;

/** An allocator whose arrays lie between bands of NaN, and a way to ask whether all bands are as they were. */
function guardedMemory() {
  const wholes: Float32Array[] = [];
  const floats = (size: number): Float32Array => {
    const whole = new Float32Array(size + 2 * GUARD).fill(Number.NaN);
    wholes.push(whole);
    return whole.subarray(GUARD, GUARD + size);
  };
  const intact = () =>
    wholes.every((whole) =>
      [whole.subarray(0, GUARD), whole.subarray(-GUARD)].every((band) => band.every(Number.isNaN)),
    );
  return { floats, intact };
}

/** The result of a case and the gradients of all its operands. */
function outputsOf({ shapes, apply, name }: Case): Float32Array[] {
  const state = randomState(7);
  const { floats, intact } = guardedMemory();
  const outputs = withAllocator({ floats }, () => {
    const operands = shapes.map((shape) => {
      const tensor = parameter(new Tensor(floats(normal(shape, state).size), shape));
      tensor.data.set(normal(shape, state).data);
      return tensor;
    });
    const before = operands.map(({ data }) => data.slice());
    const out = apply(operands);
    backward(sum(mul(out, normal(out.shape, randomState(8)))));
    if (operands.some(({ data }, i) => data.some((value, at) => !Object.is(value, before[i][at]))))
      throw new Error(`${name}: an operand was changed`);
    return [out.data, ...operands.map(({ grad }) => grad!)].map((array) => array.slice());
  });
  if (!intact()) throw new Error(`${name}: something was written beside an array`);
  return outputs;
}

describe("operators, accelerated", () => {
  afterEach(restore);
  const wanted = new Map(cases.map((each) => [each, withReferences(() => outputsOf(each))]));
  const onAllThreads = new Map<Case, Float32Array[]>();

  const expectRight = (each: Case): Float32Array[] => {
    const outputs = outputsOf(each);
    outputs.forEach((array, i) => {
      const error = relativeError(array, wanted.get(each)![i]);
      expect(error, `${each.name}, output ${i}`).toBeLessThan(each.bound);
    });
    return outputs;
  };

  it("meet all channels and sizes", () => expect(cases.length).toBeGreaterThan(70));

  // Every case compiles code of its own, so the numbers of threads share the cases out; a few meet all.
  it.each(SHARES)(
    "are right on $threads threads, the same bit for bit twice and on each number",
    async ({ threads, every, from }) => {
      expect((await accelerate({ threads, relaxed: false })).threads).toBe(threads);
      const own = cases.filter((_, i) => i % every === from || i % COMMON === 0);
      for (const each of own) {
        const outputs = expectRight(each);
        expect(outputsOf(each), each.name).toEqual(outputs);
        if (cases.indexOf(each) % COMMON !== 0) continue;
        onAllThreads.set(each, onAllThreads.get(each) ?? outputs);
        expect(outputs, each.name).toEqual(onAllThreads.get(each));
      }
    },
  );

  it.runIf(arithmetics.includes(true))("are right with relaxed arithmetic", async () => {
    expect((await accelerate({ threads: 2 })).relaxed).toBe(true);
    for (const each of cases.filter((_, i) => i % 4 === 0)) expectRight(each);
  });
});

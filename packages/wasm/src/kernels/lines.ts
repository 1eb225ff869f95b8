// What works along the last axis, line by line. A line takes as many passes as it has sums to wait for; it stays in the
// first cache meanwhile.

import { type AxisDims, exactKey, type Kernel } from "@saunet/core/kernels";
import type { FunctionBuilder, Local } from "../asm/index.ts";
import { type Generator, generator, type PhaseLocals } from "../plan.ts";
import { acrossLanes, addDoubles, sumOfDoubles } from "./lanes.ts";
import { ARITHMETIC_GRAIN, FLOAT, moveBy, SMALLEST, stream, type Vectors } from "./stream.ts";

/** How many vectors at once: enough to fill the waits of e^x. */
const VECTORS = 4;

/** A pass over a line: what it reads and writes, and what it does to some vectors. */
export type Pass<N extends string> = (
  reads: readonly N[],
  writes: readonly N[],
  compute: (values: Vectors<N>) => void,
) => void;

/** What one kernel does along lines. */
export interface Lines<N extends string, D> {
  /** Stands first in the plan's name. */
  readonly name: string;
  /** Arrays that have a line for each line, and those that have one number for it. */
  readonly lines: (dims: D) => readonly N[];
  readonly single?: (dims: D) => readonly N[];
  /** Whatever else of the dims the code holds. */
  readonly constants?: (dims: D) => readonly unknown[];
  readonly refuses?: (dims: D) => boolean;
  /** Declares variables; what it returns writes the passes over one line, `at` being where each array's part begins. */
  readonly prepare: (
    f: FunctionBuilder,
    pass: Pass<N>,
    at: Readonly<Record<N, Local<"i32">>>,
    dims: D,
  ) => () => void;
}

/** A generator whose items are lines; axes but the last stay with the portable form. */
export function alongLines<A, D extends AxisDims>(
  kernel: Kernel<A, D>,
  { name, lines, single = () => [], constants = () => [], refuses, prepare }: Lines<keyof A & string, D>,
): Generator {
  type N = keyof A & string;
  return generator(kernel, (dims) => {
    const { outer, size, inner } = dims;
    if (inner !== 1 || outer * size < SMALLEST) return undefined;
    const plan = `${name}_f32_4x${VECTORS}_simd`;
    const steps = [
      ...lines(dims).map((array) => [array, size * FLOAT] as const),
      ...single(dims).map((array) => [array, FLOAT] as const),
    ];
    return {
      name: plan,
      key: `${plan} ${exactKey([size, constants(dims)])}`,
      ...(refuses?.(dims) && { refuses: true }),
      phases: [
        {
          items: outer,
          grain: Math.ceil(ARITHMETIC_GRAIN / size),
          write: (f, { from, to, arrays }: PhaseLocals<A>) => {
            const pointers = Object.fromEntries(
              lines(dims).map((array) => [array, f.local(`${array}At`, "i32")]),
            ) as Record<N, Local<"i32">>;
            const count = f.local("count", "i32");
            const item = f.local("item", "i32");
            const pass: Pass<N> = (reads, writes, compute) => {
              for (const array of new Set([...reads, ...writes])) f.set(pointers[array], arrays[array]);
              f.set(count, size);
              stream(f, { pointers, reads, writes, count, vectors: VECTORS }, compute);
            };
            const write = prepare(f, pass, arrays, dims);
            for (const [array, bytes] of steps) moveBy(f, arrays[array], from, bytes);
            f.forRange(item, { from, to }, () => {
              write();
              for (const [array, bytes] of steps) f.advance(arrays[array], bytes);
            });
          },
        },
      ],
    };
  });
}

/** Prepares a sum over a line in double; `add` takes vectors, or a single one of which the lowest lane counts. */
export function lineSum(f: FunctionBuilder) {
  const { v128, f32, f32x4 } = f;
  const zero = f.let("nothing", v128.const("f64x2", 0));
  const lowest = f.let("lowest", f.i32x4.replace_lane(v128.const("i32x4", 0), -1, 0));
  const halves = f.locals("half", "v128", 2) as [Local<"v128">, Local<"v128">];
  const term = f.local("term", "v128");
  const total = f.local("total", "v128");
  return {
    clear: () => {
      for (const half of halves) f.set(half, zero);
    },
    add: (vectors: readonly Local<"v128">[]) => {
      for (const vector of vectors) {
        f.set(term, vectors.length === 1 ? v128.and(vector, lowest) : f.get(vector));
        addDoubles(f, halves, term);
      }
    },
    /** The sum. */
    double: () => sumOfDoubles(f, halves),
    /** The sum in all lanes. */
    total: () => {
      f.set(total, f32x4.splat(f32.demote_f64(sumOfDoubles(f, halves))));
      return total;
    },
  };
}

/** Prepares the largest element of a line; what it returns writes the pass, and gives it in all lanes. */
export function lineMaximum<N extends string>(f: FunctionBuilder, pass: Pass<N>, x: N): () => Local<"v128"> {
  const { v128, f32x4 } = f;
  const least = f.let("least", v128.const("f32x4", Number.NEGATIVE_INFINITY));
  const largest = f.local("largest", "v128");
  return () => {
    f.set(largest, least);
    pass([x], [], (values) => {
      const xs = values[x];
      if (xs.length === 1) f.set(xs[0], f32x4.splat(f32x4.extract_lane(xs[0], 0)));
      for (const vector of xs) f.set(largest, f32x4.max(largest, vector));
    });
    acrossLanes(f, "max", largest);
    return largest;
  };
}

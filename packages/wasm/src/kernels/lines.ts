// What works along lines of neighbouring elements, one line an item. A line takes as many passes as it has sums to wait
// for; it stays in the first cache meanwhile.

import type { AxisDims, Kernel } from "@saunet/core/kernels";
import { FLOAT, type FunctionBuilder, type I32, type V128, type Value } from "../asm/index.ts";
import { type Draft, type Generator, generator, nameOf } from "../plan.ts";
import { exponential } from "./exp.ts";
import { ARITHMETIC_GRAIN, SMALLEST, stream, type Vectors } from "./stream.ts";

/** How many vectors at once: enough to fill the waits of e^x. */
const VECTORS = 4;

/** A pass over a line: what it reads and writes, and what it does to some vectors. */
export type Pass<N extends string> = (
  reads: readonly N[],
  writes: readonly N[],
  compute: (values: Vectors<N>) => void,
) => void;

/** Prepares passes over a line of so many elements; each begins where `at` says. */
export function passes<N extends string>(
  f: FunctionBuilder,
  size: number,
  at: { readonly [K in N]: I32 },
): Pass<N> {
  const count = f.local("count", "i32");
  const pointers: Partial<Record<N, I32>> = {};
  return (reads, writes, compute) => {
    for (const name of new Set([...reads, ...writes])) {
      pointers[name] ??= f.local(`${name}At`, "i32");
      f.set(pointers[name], at[name]);
    }
    f.set(count, size);
    const known = pointers as Record<N, I32>;
    stream(f, { pointers: known, reads, writes, count, vectors: VECTORS }, compute);
  };
}

/** What a kernel does along lines. */
export interface Lines<N extends string> {
  /** Arrays that have a line for each line, and those that have one number for it. The others stay where they are. */
  readonly lines: readonly N[];
  readonly single?: readonly N[];
  /** So many elements are worth another thread. */
  readonly grain?: number;
  /** Whatever else the code was specialised for. */
  readonly fixed?: unknown;
  readonly refuses?: boolean;
  /** Declares variables; what it returns writes the passes over one line, `at` being where each array's part begins. */
  readonly prepare: (f: FunctionBuilder, pass: Pass<N>, at: { readonly [K in N]: I32 }) => () => void;
}

/** The plan of `count` lines of `size` elements. */
export function planOfLines<A>(
  name: string,
  { count, size }: { readonly count: number; readonly size: number },
  { lines, single = [], grain = ARITHMETIC_GRAIN, fixed, refuses = false, prepare }: Lines<keyof A & string>,
): Draft<A> {
  return {
    name: `${name}_f32_4x${VECTORS}_simd`,
    fixed: [size, fixed],
    refuses,
    phases: [
      {
        items: count,
        grain: Math.ceil(grain / size),
        write: (f, { from, to, arrays }) => {
          const write = prepare(f, passes(f, size, arrays), arrays);
          const along = [
            ...lines.map((array) => [arrays[array], FLOAT * size] as const),
            ...single.map((array) => [arrays[array], FLOAT] as const),
          ];
          f.forEachItem({ from, to }, along, write);
        },
      },
    ],
  };
}

/** A generator of such plans; axes but the last stay with the portable form. */
export const alongLines = <A, D extends AxisDims>(
  kernel: Kernel<A, D>,
  linesOf: (dims: D) => Lines<keyof A & string>,
): Generator =>
  generator(kernel, (dims) => {
    const { outer: count, size, inner } = dims;
    if (inner !== 1 || count * size < SMALLEST) return undefined;
    return planOfLines(nameOf(kernel), { count, size }, linesOf(dims));
  });

/** The sum of some vectors, neighbours first. */
function sumOfVectors(f: FunctionBuilder, vectors: readonly V128[]): Value<"v128"> {
  if (vectors.length === 1) return f.get(vectors[0]);
  const half = vectors.length >> 1;
  return f.f32x4.add(sumOfVectors(f, vectors.slice(0, half)), sumOfVectors(f, vectors.slice(half)));
}

/**
 * Prepares a sum over a line: of vectors that are added at once, then in double. `add` takes vectors, or a single one of
 * which the lowest lane counts.
 */
export function lineSum(f: FunctionBuilder) {
  const { v128, f32, f32x4 } = f;
  const zero = f.let("nothing", v128.const("f64x2", 0));
  const lowest = f.let("lowest", f.i32x4.replace_lane(v128.const("i32x4", 0), -1, 0));
  const halves = f.locals("half", "v128", 2) as [V128, V128];
  const term = f.local("term", "v128");
  const total = f.local("total", "v128");
  return {
    clear: () => f.setEach(halves, () => zero),
    add: (vectors: readonly V128[]) => {
      f.set(term, vectors.length === 1 ? v128.and(vectors[0], lowest) : sumOfVectors(f, vectors));
      f.addDoubles(halves, term);
    },
    /** The same without rounding between neighbours, for what is added up and nothing else. */
    addExactly: (vectors: readonly V128[]) => {
      if (vectors.length === 1) f.set(vectors[0], v128.and(vectors[0], lowest));
      for (const vector of vectors) f.addDoubles(halves, vector);
    },
    /** The sum. */
    double: () => f.sumOfDoubles(halves),
    /** The sum in all lanes. */
    total: () => {
      f.set(total, f32x4.splat(f32.demote_f64(f.sumOfDoubles(halves))));
      return total;
    },
  };
}

/**
 * Prepares e^(x - max x) and its sum over a line; what it returns writes the two passes and gives the maximum, in all lanes.
 * The sum then is that of `sum`; the powers go to an array where one is named.
 */
export function linePowers<N extends string>(
  f: FunctionBuilder,
  pass: Pass<N>,
  sum: ReturnType<typeof lineSum>,
  x: N,
  powers?: N,
): () => V128 {
  const exp = exponential(f, 1);
  const maximum = lineMaximum(f, pass, x);
  return () => {
    const largest = maximum();
    sum.clear();
    pass([x], powers === undefined ? [] : [powers], (values) => {
      const to = values[powers ?? x];
      f.setEach(to, (i) => f.f32x4.sub(values[x][i], largest));
      exp(to);
      sum.add(to);
    });
    return largest;
  };
}

/**
 * Prepares the largest element of a line; what it returns writes the pass, and gives it in all lanes. pmax passes over
 * NaN, so NaNs are kept beside it: f32x4.max, which hands them on, takes seven instructions.
 */
export function lineMaximum<N extends string>(f: FunctionBuilder, pass: Pass<N>, x: N): () => V128 {
  const { v128, f32x4 } = f;
  const [least, ordered] = [f.constant("least", Number.NEGATIVE_INFINITY), f.constant("ordered", 0)];
  const [largest, unordered] = [f.local("largest", "v128"), f.local("unordered", "v128")];
  return () => {
    f.set(largest, least);
    f.set(unordered, ordered);
    pass([x], [], (values) => {
      const xs = values[x];
      if (xs.length === 1) f.set(xs[0], f32x4.splat(f32x4.extract_lane(xs[0], 0)));
      for (const vector of xs) {
        f.set(largest, f32x4.pmax(largest, vector));
        f.set(unordered, v128.or(unordered, f32x4.ne(vector, vector)));
      }
    });
    f.set(largest, v128.or(largest, unordered));
    f.acrossLanes("max", largest);
    return largest;
  };
}

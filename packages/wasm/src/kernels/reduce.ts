// Sums, their adjoint, and the maximum.
//
//   sum.forward      out = scale · Σ x      over everything, over the last axis, or over all but the last
//   stretch.forward  out = scale · x        repeated
//   max.forward      y = max x              over the last axis
//   max.gradient     gx = gy / ties where x = y
//
// Sums run in double. Where one number takes in many rows, these are cut into strips of a fixed size, which does not
// depend on the number of threads: a strip leaves its sums in scratch memory, and the second phase adds the strips in
// order.

import {
  type Kernel,
  maxForward,
  maxGradient,
  type ScaledWalk,
  stretchForward,
  sumForward,
  type Walk,
} from "@saunet/core/kernels";
import { DOUBLE, FLOAT, type FunctionBuilder, type I32, type Local, type Value } from "../asm/index.ts";
import { type Draft, type Generator, generator, type PhaseLocals } from "../plan.ts";
import { type Rows, rowsOf, valuewise } from "./elementwise.ts";
import { type Lines, lineMaximum, lineSum, planOfLines } from "./lines.ts";
import { MEMORY_GRAIN, SMALLEST, stream } from "./stream.ts";
import { addingStrips, addUp, stripPhase, summing, sumStrip } from "./strips.ts";

type SumArrays = { out: unknown; x: unknown };

export const stretch = valuewise(stretchForward, (f, { scale }) => {
  const factor = f.constant("scale", scale);
  return (x) => f.f32x4.mul(x, factor);
});

export const sum = generator(sumForward, ({ walk, scale }: ScaledWalk) => {
  const dense = denseRows(walk);
  if (dense) return dense.count === 1 ? sumOfAll(dense.size, scale) : sumOfRows(dense, scale);
  const found = rowsOf(walk);
  if (found === undefined || found.rows * found.length < SMALLEST || found.length % 4 !== 0) return undefined;
  const [x, out] = found.steps;
  const isColumns = x.outer === found.length && x.inner === 1 && out.outer === 0 && out.inner === 1;
  return isColumns ? sumOfColumns(found, scale) : undefined;
});

/** How elements are summed up. */
export interface Summing {
  /** Bytes of an element. */
  readonly size: number;
  /** Elements of a strip. */
  readonly strip: number;
  /** Prepares the sum of `count` elements from a pointer on, which is after them at the end. */
  readonly prepare: (f: FunctionBuilder) => (pointer: I32, count: I32) => Value<"f64">;
}

/** Floats; a strip fills the first cache. */
const ofFloats: Summing = {
  size: FLOAT,
  strip: 8192,
  prepare: (f) => {
    const sum = lineSum(f);
    return (x, count) => {
      sum.clear();
      stream(f, { pointers: { x }, reads: ["x"], writes: [], count, vectors: 4 }, (values) =>
        sum.addExactly(values.x),
      );
      return sum.double();
    };
  },
};

/** One number that comes of the sum of all elements of an array. */
interface Total<A> extends Summing {
  readonly name: string;
  readonly array: keyof A;
  readonly length: number;
  /** What `finish` was specialised for. */
  readonly fixed?: unknown;
}

/**
 * Phase 1, each strip: shared[strip] = Σ array[strip]
 * Phase 2: finish(Σ shared)
 */
export function planOfTotal<A>(
  { name, array, length, fixed, size, strip: most, prepare }: Total<A>,
  finish: (f: FunctionBuilder, total: Local<"f64">, arrays: PhaseLocals<A>["arrays"]) => void,
): Draft<A> {
  const strips = Math.ceil(length / most);
  return {
    name,
    fixed: [length, fixed],
    sharedBytes: DOUBLE * strips,
    phases: [
      {
        items: strips,
        grain: Math.ceil((FLOAT * MEMORY_GRAIN) / (size * most)),
        write: (f, { from, to, shared, arrays }) => {
          const sumOf = prepare(f);
          const count = f.local("count", "i32");
          f.advance(arrays[array], from, size * most);
          f.forEachItem({ from, to }, [[shared, DOUBLE]], (strip) => {
            f.cut(count, f.i32.mul(strip, most), length, most);
            f.f64.store(shared, sumOf(arrays[array], count));
          });
        },
      },
      {
        items: 1,
        write: (f, { shared, arrays }) => {
          const total = f.local("total", "f64");
          addUp(f, shared, [total], { count: strips, step: DOUBLE });
          finish(f, total, arrays);
        },
      },
    ],
  };
}

/** out = scale · Σ x */
const sumOfAll = (length: number, scale: number): Draft<SumArrays> =>
  planOfTotal(
    { name: "sum_all_f32_4x4_simd", array: "x", length, fixed: scale, ...ofFloats },
    ({ f32, f64 }, total, { out }) => f32.store(out, f32.demote_f64(f64.mul(total, scale))),
  );

/** Each row: out[row] = scale · Σ x[row, …] */
const sumOfRows = (rows: { count: number; size: number }, scale: number): Draft<SumArrays> =>
  planOfLines<SumArrays>("sum_rows", rows, {
    lines: ["x"],
    single: ["out"],
    grain: MEMORY_GRAIN,
    fixed: scale,
    prepare: (f, pass, { out }) => {
      const { f32, f64 } = f;
      const sum = lineSum(f);
      return () => {
        sum.clear();
        pass(["x"], [], ({ x }) => sum.addExactly(x));
        f32.store(out, f32.demote_f64(f64.mul(sum.double(), scale)));
      };
    },
  });

/**
 * Phase 1, each strip of rows: shared[strip, column] = Σ x[row, column]
 * Phase 2, each column: out[column] = scale · Σ shared[…, column]
 */
function sumOfColumns({ rows, length: C }: Rows, scale: number): Draft<SumArrays> {
  const strips = summing({ N: 1, P: rows, C }, 4);
  const { vectors, perImage: count } = strips;
  return {
    name: `sum_columns_f32_4x${vectors}_simd`,
    fixed: [rows, C, scale],
    sharedBytes: DOUBLE * C * count,
    phases: [
      stripPhase(strips, (f, { shared, arrays: { x } }) => {
        const { sums } = f.declare("v128", vectors);
        return (strip) =>
          sumStrip(f, strips, strip, [x], { shared, sums: [sums], inFloats: 1 }, ([at]) =>
            f.loadEach(sums, at),
          );
      }),
      addingStrips(C, { count, step: DOUBLE * C }, ["out"], scale),
    ],
  };
}

/** Rows that lie one after the other, whose second array has one element a row; else `undefined`. */
function denseRows(walk: Walk): { count: number; size: number } | undefined {
  const found = rowsOf(walk);
  if (found === undefined || found.rows * found.length < SMALLEST) return undefined;
  const { rows: count, length: size, steps } = found;
  const [long, short] = steps;
  const isDense = count === 1 || (long.outer === size && short.outer === 1);
  return isDense && long.inner === 1 && short.inner === 0 ? { count, size } : undefined;
}

/** A generator for such rows. */
const alongRows = <A>(kernel: Kernel<A, Walk>, name: string, lines: Lines<keyof A & string>): Generator =>
  generator(kernel, (walk) => {
    const rows = denseRows(walk);
    return rows && planOfLines(name, rows, lines);
  });

/** Each row: y[row] = max x[row, …] */
export const max = alongRows(maxForward, "max_rows", {
  lines: ["x"],
  single: ["y"],
  grain: MEMORY_GRAIN,
  prepare: (f, pass, { y }) => {
    const maximum = lineMaximum(f, pass, "x");
    return () => f.v128.store32_lane(y, maximum(), 0);
  },
});

/** Each row: ties = how often x[row, …] = y[row]; gx[row, …] = gy[row] / ties where x = y, else 0. */
export const gradientOfMax = alongRows(maxGradient, "max_rows_gradient", {
  lines: ["gx", "x"],
  single: ["gy", "y"],
  grain: MEMORY_GRAIN / 2,
  prepare: (f, pass, { gy, y }) => {
    const { f32x4, v128 } = f;
    const one = f.constant("one", 1);
    const ties = lineSum(f);
    const [largest, share] = f.locals("vector", "v128", 2);
    return () => {
      f.set(largest, v128.load32_splat(y));
      ties.clear();
      pass(["x"], [], ({ x }) => {
        f.setEach(x, (i) => v128.and(f32x4.eq(x[i], largest), one));
        ties.add(x);
      });
      f.set(share, f32x4.div(v128.load32_splat(gy), ties.total()));
      pass(["x"], ["gx"], ({ gx, x }) => f.setEach(gx, (i) => v128.and(f32x4.eq(x[i], largest), share)));
    };
  },
});

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
  exactKey,
  maxForward,
  maxGradient,
  type ScaledWalk,
  stretchForward,
  sumForward,
  type Walk,
} from "@saunet/core/kernels";
import type { FunctionBuilder, Local } from "../asm/index.ts";
import { type Generator, generator, type PhaseLocals, type Plan } from "../plan.ts";
import { acrossLanes, addDoubles, sumOfDoubles } from "./lanes.ts";
import {
  constant,
  DOUBLE,
  FLOAT,
  MEMORY_GRAIN,
  moveBy,
  SMALLEST,
  stream,
  VECTOR,
  whileAtLeast,
} from "./stream.ts";
import { alongWalk, rowsOf } from "./walk.ts";

/** Elements of a strip: they fill the first cache. */
const STRIP = 8192;

export const stretch = alongWalk(stretchForward, {
  name: "stretch",
  walk: ({ walk }) => walk,
  arrays: ["out", "x"],
  constants: ({ scale }) => [scale],
  prepare: (f, { scale }) => {
    const factor = constant(f, "scale", scale);
    return ({ out, x }) =>
      out.forEach((to, i) => {
        f.set(to, f.f32x4.mul(x[i], factor));
      });
  },
});

export const sum: Generator = generator(sumForward, ({ walk, scale }: ScaledWalk) => {
  const found = rowsOf(walk);
  if (found === undefined || found.rows * found.length < SMALLEST) return undefined;
  const { rows, length, steps } = found;
  const [x, out] = steps;
  if (x.inner !== 1) return undefined;
  if (rows === 1 && out.inner === 0) {
    const name = "sum_all_f32_4x4_simd";
    const plan = sumOfAll<SumArrays>(name, length, "x", (f, total, { out }) =>
      f.f32.store(out, f.f32.demote_f64(f.f64.mul(total, scale))),
    );
    return { ...plan, key: `${name} ${exactKey([length, scale])}` };
  }
  if (x.outer !== length) return undefined;
  if (out.outer === 1 && out.inner === 0) return sumOfRows(rows, length, scale);
  if (out.outer === 0 && out.inner === 1 && length % 4 === 0) return sumOfColumns(rows, length, scale);
  return undefined;
});

type V128 = Local<"v128">;
type SumArrays = { out: unknown; x: unknown };
type SumPlan = Plan<SumArrays>;

/** Sums `count` elements from `x` on, in four pairs of lanes; `x` points after them at the end. */
function sumOfRun(f: FunctionBuilder, x: Local<"i32">, count: Local<"i32">, sums: Local<"v128">[]) {
  for (const pair of sums) f.set(pair, f.v128.const("f64x2", 0));
  stream(f, { pointers: { x }, reads: ["x"], writes: [], count, vectors: 4 }, (values) => {
    values.x.forEach((vector, i) => {
      addDoubles(f, i % 2 === 0 ? [sums[0], sums[1]] : [sums[2], sums[3]], vector);
    });
  });
  return sumOfDoubles(f, sums);
}

/**
 * Phase 1, each strip: shared[strip] = Σ x[strip]
 * Phase 2: finish(Σ shared)
 */
export function sumOfAll<A>(
  name: string,
  length: number,
  x: keyof A,
  finish: (f: FunctionBuilder, total: Local<"f64">, arrays: PhaseLocals<A>["arrays"]) => void,
): Omit<Plan<A>, "key"> {
  const strips = Math.ceil(length / STRIP);
  return {
    name,
    sharedBytes: DOUBLE * strips,
    phases: [
      {
        items: strips,
        grain: Math.ceil(MEMORY_GRAIN / STRIP),
        write: (f, { from, to, shared, arrays }) => {
          const { i32, f64 } = f;
          const sums = f.locals("sums", "v128", 4);
          const [count, strip] = f.locals("index", "i32", 2);
          moveBy(f, arrays[x], from, FLOAT * STRIP);
          moveBy(f, shared, from, DOUBLE);
          f.forRange(strip, { from, to }, () => {
            f.set(count, i32.sub(length, i32.mul(strip, STRIP)));
            f.set(count, f.select(count, STRIP, i32.lt_s(count, STRIP)));
            f64.store(shared, sumOfRun(f, arrays[x], count, sums));
            f.advance(shared, DOUBLE);
          });
        },
      },
      {
        items: 1,
        write: (f, { shared, arrays }) => finish(f, sumOfColumn(f, shared, strips, DOUBLE), arrays),
      },
    ],
  };
}

/** Adds doubles that lie `step` bytes apart, in order; `pointer` is after them at the end. */
function sumOfColumn(f: FunctionBuilder, pointer: Local<"i32">, count: number, step: number): Local<"f64"> {
  const total = f.let("total", f.f64.const(0));
  const left = f.let("left", f.i32.const(count));
  whileAtLeast(f, left, 1, () => {
    f.set(total, f.f64.add(total, f.f64.load(pointer)));
    f.advance(pointer, step);
  });
  return total;
}

/** Each row: out[row] = scale · Σ x[row, …] */
function sumOfRows(rows: number, length: number, scale: number): SumPlan {
  const name = "sum_rows_f32_4x4_simd";
  return {
    name,
    key: `${name} ${exactKey([length, scale])}`,
    phases: [
      {
        items: rows,
        grain: Math.ceil(MEMORY_GRAIN / length),
        write: (f, { from, to, arrays: { x, out } }) => {
          const { f32, f64 } = f;
          const sums = f.locals("sums", "v128", 4);
          const count = f.local("count", "i32");
          const row = f.local("row", "i32");
          moveBy(f, x, from, FLOAT * length);
          moveBy(f, out, from);
          f.forRange(row, { from, to }, () => {
            f.set(count, length);
            const total = f.let("total", sumOfRun(f, x, count, sums));
            f32.store(out, f32.demote_f64(f64.mul(total, scale)));
            f.advance(out, FLOAT);
          });
        },
      },
    ],
  };
}

/**
 * Phase 1, each strip of rows, each block of 4·V columns: shared[strip, column] = Σ x[row, column]
 * Phase 2, each column: out[column] = scale · Σ shared[…, column]
 */
function sumOfColumns(rows: number, length: number, scale: number): SumPlan {
  const vectors = [4, 3, 2, 1].find((count) => length % (4 * count) === 0)!;
  const name = `sum_columns_f32_4x${vectors}_simd`;
  const stripRows = Math.max(1, Math.floor(STRIP / length));
  const strips = Math.ceil(rows / stripRows);
  return {
    name,
    key: `${name} ${exactKey([rows, length, scale])}`,
    sharedBytes: DOUBLE * strips * length,
    phases: [
      {
        items: strips,
        grain: Math.ceil(MEMORY_GRAIN / STRIP),
        write: (f, { from, to, shared, arrays: { x } }) => {
          const { i32, v128 } = f;
          const sums = Array.from({ length: vectors }, (_, v) => f.locals(`sum${v}_`, "v128", 2));
          const xs = f.locals("x", "v128", vectors);
          const [strip, column, pointer, left] = [
            f.local("strip", "i32"),
            f.local("column", "i32"),
            f.local("pointer", "i32"),
            f.local("left", "i32"),
          ];
          moveBy(f, x, from, FLOAT * length * stripRows);
          moveBy(f, shared, from, DOUBLE * length);
          f.forRange(strip, { from, to }, () => {
            const rest = f.let("rest", i32.sub(rows, i32.mul(strip, stripRows)));
            const count = f.let("count", f.select(rest, stripRows, i32.lt_s(rest, stripRows)));
            f.forRange(column, { to: length, step: 4 * vectors }, () => {
              for (const sum of sums.flat()) f.set(sum, v128.const("f64x2", 0));
              f.set(pointer, i32.add(x, i32.mul(column, FLOAT)));
              f.set(left, count);
              whileAtLeast(f, left, 1, () => {
                xs.forEach((vector, v) => {
                  f.set(vector, v128.load(pointer, { offset: VECTOR * v, align: FLOAT }));
                });
                xs.forEach((vector, v) => {
                  addDoubles(f, [sums[v][0], sums[v][1]], vector);
                });
                f.advance(pointer, FLOAT * length);
              });
              sums.flat().forEach((sum, i) => {
                v128.store(shared, sum, { offset: VECTOR * i });
              });
              f.advance(shared, 2 * VECTOR * vectors);
            });
            moveBy(f, x, count, FLOAT * length);
          });
        },
      },
      {
        items: length,
        grain: Math.ceil(MEMORY_GRAIN / strips),
        write: (f, { from, to, shared, arrays: { out } }) => {
          const { f32, f64, i32 } = f;
          const column = f.local("column", "i32");
          const pointer = f.local("pointer", "i32");
          moveBy(f, out, from);
          f.forRange(column, { from, to }, () => {
            f.set(pointer, i32.add(shared, i32.mul(column, DOUBLE)));
            const total = sumOfColumn(f, pointer, strips, DOUBLE * length);
            f32.store(out, f32.demote_f64(f64.mul(total, scale)));
            f.advance(out, FLOAT);
          });
        },
      },
    ],
  };
}

/** Rows of whole vectors whose second array has one element a row; else `undefined`. */
function wholeRows(walk: Walk): { rows: number; length: number } | undefined {
  const found = rowsOf(walk);
  if (found === undefined) return undefined;
  const { rows, length, steps } = found;
  const [long, short] = steps;
  const fits =
    length % 4 === 0 &&
    rows * length >= SMALLEST &&
    long.inner === 1 &&
    short.inner === 0 &&
    (rows === 1 || (long.outer === length && short.outer === 1));
  return fits ? { rows, length } : undefined;
}

/**
 * Each row: y[row] = max x[row, …]. pmax passes over NaN, so NaNs are kept beside it: f32x4.max, which hands them on,
 * takes seven instructions.
 */
export const max: Generator = generator(maxForward, (walk: Walk) => {
  const found = wholeRows(walk);
  if (found === undefined) return undefined;
  const { rows, length } = found;
  const name = "max_rows_f32_4x1_simd";
  return {
    name,
    key: `${name} ${length}`,
    phases: [
      {
        items: rows,
        grain: Math.ceil(MEMORY_GRAIN / length),
        write: (f, { from, to, arrays: { x, y } }) => {
          const { f32x4, v128 } = f;
          const [row, left] = [f.local("row", "i32"), f.local("left", "i32")];
          const [x4, largest, unordered] = f.locals("vector", "v128", 3) as [V128, V128, V128];
          moveBy(f, x, from, FLOAT * length);
          moveBy(f, y, from);
          f.forRange(row, { from, to }, () => {
            f.set(largest, v128.const("f32x4", Number.NEGATIVE_INFINITY));
            f.set(unordered, v128.const("f32x4", 0));
            f.set(left, length);
            whileAtLeast(f, left, 4, () => {
              f.set(x4, v128.load(x, { align: FLOAT }));
              f.set(largest, f32x4.pmax(largest, x4));
              f.set(unordered, v128.or(unordered, f32x4.ne(x4, x4)));
              f.advance(x, VECTOR);
            });
            f.set(largest, v128.or(largest, unordered));
            acrossLanes(f, "max", largest);
            v128.store32_lane(y, largest, 0);
            f.advance(y, FLOAT);
          });
        },
      },
    ],
  };
});

/** Each row: ties = how often x[row, …] = y[row]; gx[row, …] = gy[row] / ties where x = y, else 0. */
export const gradientOfMax: Generator = generator(maxGradient, (walk: Walk) => {
  const found = wholeRows(walk);
  if (found === undefined) return undefined;
  const { rows, length } = found;
  const name = "max_rows_gradient_f32_4x1_simd";
  return {
    name,
    key: `${name} ${length}`,
    phases: [
      {
        items: rows,
        grain: Math.ceil(MEMORY_GRAIN / (2 * length)),
        write: (f, { from, to, arrays: { gx, gy, x, y } }) => {
          const { f32x4, i32, v128 } = f;
          const [row, left] = [f.local("row", "i32"), f.local("left", "i32")];
          const [ties, share, largest] = f.locals("vector", "v128", 3) as [V128, V128, V128];
          const one = constant(f, "one", 1);
          for (const pointer of [gx, x]) moveBy(f, pointer, from, FLOAT * length);
          for (const pointer of [gy, y]) moveBy(f, pointer, from);
          f.forRange(row, { from, to }, () => {
            f.set(largest, v128.load32_splat(y));
            f.set(ties, v128.const("f32x4", 0));
            f.set(left, length);
            whileAtLeast(f, left, 4, () => {
              const equal = f32x4.eq(v128.load(x, { align: FLOAT }), largest);
              f.set(ties, f32x4.add(v128.and(equal, one), ties));
              f.advance(x, VECTOR);
            });
            acrossLanes(f, "add", ties);
            f.set(share, f32x4.div(v128.load32_splat(gy), ties));
            f.set(x, i32.sub(x, FLOAT * length));
            f.set(left, length);
            whileAtLeast(f, left, 4, () => {
              const equal = f32x4.eq(v128.load(x, { align: FLOAT }), largest);
              const own = f.let("own", v128.and(equal, share));
              v128.store(gx, own, { align: FLOAT });
              f.advance(x, VECTOR);
              f.advance(gx, VECTOR);
            });
            for (const pointer of [gy, y]) f.advance(pointer, FLOAT);
          });
        },
      },
    ],
  };
});

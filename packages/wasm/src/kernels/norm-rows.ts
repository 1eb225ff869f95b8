// Layer normalisation: group normalisation of images of one position and one group, so that a row has statistics of its own.
// A row is short and stays in the first cache while it is passed several times; its sums run in double.
//
//   x, y, gx, gy [N,C]   mean, variance [N]   gamma, beta [C]
//
// The gradients of gamma and beta are sums over rows. The rows are cut into parts, the same for any number of threads; a part
// adds in 32 bits through a few rows, then in double, and another phase adds the parts in order.

import type {
  GroupNormDims,
  groupNormForward,
  groupNormGradient,
  groupNormStatistics,
} from "@saunet/core/kernels";
import type { FunctionBuilder, Local } from "../asm/index.ts";
import { alignToLine } from "../memory.ts";
import type { Plan } from "../plan.ts";
import { lineSum } from "./lines.ts";
import { multiplyAdd } from "./multiply-add.ts";
import { keyOf, rootOf } from "./norm-strips.ts";
import {
  ARITHMETIC_GRAIN,
  DOUBLE,
  FLOAT,
  MEMORY_GRAIN,
  moveBy,
  SMALLEST,
  setEach,
  stream,
  type Vectors,
} from "./stream.ts";

type I32 = Local<"i32">;

/** Longer rows leave the first cache, and the sums of all parts would take much memory. */
const LONGEST = 2 ** 13;
const VECTORS = 4;
const PARTS = 64;
/** Rows that are added up in 32 bits. */
const CHUNK = 32;

/** Whether each row of `x` is normalised by itself, and fits. */
export const isOfRows = ({ N, P, C, G }: GroupNormDims): boolean =>
  P === 1 && G === 1 && C <= LONGEST && N * C >= SMALLEST;

const nameOf = (kernel: string): string => `layer_norm_${kernel}_f32_4x${VECTORS}_simd`;

/** Prepares passes over a row: each begins where `at` says, and reads and writes the arrays by name. */
function passes<N extends string>(f: FunctionBuilder, { C }: GroupNormDims, at: Readonly<Record<N, I32>>) {
  const count = f.local("count", "i32");
  const pointers = Object.fromEntries(Object.keys(at).map((name) => [name, f.local(`${name}At`, "i32")]));
  return (reads: readonly N[], writes: readonly N[], compute: (values: Vectors<N>) => void): void => {
    for (const name of new Set([...reads, ...writes])) f.set(pointers[name], at[name]);
    f.set(count, C);
    stream(f, { pointers: pointers as Record<N, I32>, reads, writes, count, vectors: VECTORS }, compute);
  };
}

/** Brings what is stored as one float for a row into all lanes. */
const splat = (f: FunctionBuilder, name: string, at: I32) => f.let(name, f.v128.load32_splat(at));

/**
 * mean = Σ x / C at first; then, with e = x - mean, which costs no digits where the mean is large, mean += Σ e / C and
 * variance = Σ e² / C - (Σ e / C)².
 */
export function statisticsOfRows(d: GroupNormDims): Plan<Parameters<typeof groupNormStatistics>[0]> {
  const { N, C } = d;
  const name = nameOf("statistics");
  return {
    name,
    key: keyOf(name, { ...d, N: 0 }),
    phases: [
      {
        items: N,
        grain: Math.ceil(ARITHMETIC_GRAIN / C),
        write: (f, { from, to, arrays: { x, mean, variance } }) => {
          const { f32, f64, f32x4 } = f;
          const row = f.local("row", "i32");
          const [first, average] = f.locals("average", "f64", 2);
          const center = f.local("center", "v128");
          const [sum, squares] = [lineSum(f), lineSum(f)];
          const pass = passes(f, d, { x });
          moveBy(f, x, from, FLOAT * C);
          for (const array of [mean, variance]) moveBy(f, array, from);
          f.forRange(row, { from, to }, () => {
            sum.clear();
            pass(["x"], [], (values) => sum.add(values.x));
            f.set(first, f64.div(sum.double(), C));
            f.set(center, f32x4.splat(f32.demote_f64(first)));
            f.set(first, f64.promote_f32(f32x4.extract_lane(center, 0)));
            sum.clear();
            squares.clear();
            pass(["x"], [], (values) => {
              setEach(f, values.x, (i) => f32x4.sub(values.x[i], center));
              sum.add(values.x);
              setEach(f, values.x, (i) => f32x4.mul(values.x[i], values.x[i]));
              squares.add(values.x);
            });
            f.set(average, f64.div(sum.double(), C));
            f32.store(mean, f32.demote_f64(f64.add(first, average)));
            const spread = f64.sub(f64.div(squares.double(), C), f64.mul(average, average));
            f32.store(variance, f32.demote_f64(f64.max(spread, 0)));
            f.advance(x, FLOAT * C);
            for (const array of [mean, variance]) f.advance(array, FLOAT);
          });
        },
      },
    ],
  };
}

/** y = (x - mean) · rstd · gamma + beta */
export function forwardOfRows(
  d: GroupNormDims,
  relaxed: boolean,
): Plan<Parameters<typeof groupNormForward>[0]> {
  const { N, C } = d;
  const name = nameOf("forward");
  return {
    name,
    key: `${keyOf(name, { ...d, N: 0 })} ${relaxed}`,
    phases: [
      {
        items: N,
        grain: Math.ceil(MEMORY_GRAIN / C),
        write: (f, { from, to, arrays: { x, y, mean, variance, gamma, beta } }) => {
          const { f32, f32x4 } = f;
          const madd = multiplyAdd(f, relaxed);
          const row = f.local("row", "i32");
          const pass = passes(f, d, { x, y, gamma, beta });
          for (const array of [x, y]) moveBy(f, array, from, FLOAT * C);
          for (const array of [mean, variance]) moveBy(f, array, from);
          f.forRange(row, { from, to }, () => {
            const center = splat(f, "center", mean);
            const scale = f.let("scale", f32x4.splat(f32.demote_f64(f.get(rootOf(f, variance, d)))));
            pass(["x", "gamma", "beta"], ["y"], ({ x, y, gamma, beta }) => {
              setEach(f, x, (i) => f32x4.mul(f32x4.sub(x[i], center), scale));
              setEach(f, y, (i) => madd(beta[i], x[i], gamma[i]));
            });
            for (const array of [x, y]) f.advance(array, FLOAT * C);
            for (const array of [mean, variance]) f.advance(array, FLOAT);
          });
        },
      },
    ],
  };
}

/** With x̂ = (x - mean) · rstd and averages over a row: gx = rstd · (gamma · gy - average(gamma·gy) - x̂ · average(gamma·gy·x̂)). */
export function gradientOfRows(
  d: GroupNormDims,
  relaxed: boolean,
): Plan<Parameters<typeof groupNormGradient>[0]> {
  const { N, C } = d;
  const name = nameOf("gradient");
  const parts = Math.min(PARTS, N);
  // A part's sums in 32 bits, for gamma and beta, then those in double.
  const doublesAt = alignToLine(2 * FLOAT * C);
  const partBytes = doublesAt + alignToLine(2 * DOUBLE * C);
  const share = d.fixedStatistics ? 0 : -1 / C;
  return {
    name,
    key: `${keyOf(name, d)} ${relaxed}`,
    sharedBytes: parts * partBytes,
    phases: [
      {
        items: parts,
        grain: Math.ceil(ARITHMETIC_GRAIN / C / Math.ceil(N / parts)),
        write: (f, { from, to, shared, arrays: { x, gy, gx, mean, variance, gamma } }) => {
          const { f32, f32x4, i32, memory } = f;
          const madd = multiplyAdd(f, relaxed);
          const [part, row, end, inChunk, left] = f.locals("index", "i32", 5);
          const [sumsOfProduct, sumsOfGy, doubles] = f.locals("sums", "i32", 3);
          const rows = f.locals("row", "i32", 5);
          const [xRow, gyRow, gxRow, meanAt, varianceAt] = rows;
          const [sumOfGradients, sumOfProducts] = [lineSum(f), lineSum(f)];
          const [fromAll, fromProducts] = f.locals("average", "v128", 2);
          const at = { x: xRow, gy: gyRow, gx: gxRow, gamma, products: sumsOfProduct, gradients: sumsOfGy };
          const pass = passes(f, d, at);
          const addTo = addingToDoubles(f);
          const flush = () => {
            f.set(left, 2 * C);
            addTo(sumsOfProduct, doubles, left);
            memory.fill(sumsOfProduct, 0, 2 * FLOAT * C);
            f.set(inChunk, CHUNK);
          };
          f.forRange(part, { from, to }, () => {
            f.set(sumsOfProduct, i32.add(shared, i32.mul(part, partBytes)));
            f.set(sumsOfGy, i32.add(sumsOfProduct, FLOAT * C));
            f.set(doubles, i32.add(sumsOfProduct, doublesAt));
            memory.fill(sumsOfProduct, 0, partBytes);
            f.set(inChunk, CHUNK);
            f.set(row, i32.div_u(i32.mul(part, N), parts));
            f.set(end, i32.div_u(i32.mul(i32.add(part, 1), N), parts));
            [x, gy, gx].forEach((array, i) => {
              f.set(rows[i], i32.add(array, i32.mul(row, FLOAT * C)));
            });
            f.set(meanAt, i32.add(mean, i32.mul(row, FLOAT)));
            f.set(varianceAt, i32.add(variance, i32.mul(row, FLOAT)));
            f.forRange(row, { from: row, to: end }, () => {
              const center = splat(f, "center", meanAt);
              const rstd = f.let("scale", f32x4.splat(f32.demote_f64(f.get(rootOf(f, varianceAt, d)))));
              sumOfGradients.clear();
              sumOfProducts.clear();
              pass(["x", "gy", "gamma"], [], ({ x, gy, gamma }) => {
                setEach(f, gamma, (i) => f32x4.mul(gamma[i], gy[i]));
                setEach(f, x, (i) => f32x4.mul(f32x4.mul(f32x4.sub(x[i], center), rstd), gamma[i]));
                sumOfGradients.add(gamma);
                sumOfProducts.add(x);
              });
              const shares = f.let("share", f32x4.splat(f32.const(share)));
              f.set(fromAll, f32x4.mul(sumOfGradients.total(), shares));
              f.set(fromProducts, f32x4.mul(sumOfProducts.total(), shares));
              pass(
                ["x", "gy", "gamma", "products", "gradients"],
                ["gx", "products", "gradients"],
                ({ x, gy, gx, gamma, products, gradients }) => {
                  setEach(f, x, (i) => f32x4.mul(f32x4.sub(x[i], center), rstd));
                  setEach(f, products, (i) => madd(products[i], x[i], gy[i]));
                  setEach(f, gradients, (i) => f32x4.add(gradients[i], gy[i]));
                  setEach(f, x, (i) => madd(fromAll, x[i], fromProducts));
                  setEach(f, gx, (i) => f32x4.mul(madd(x[i], gy[i], gamma[i]), rstd));
                },
              );
              for (const array of [xRow, gyRow, gxRow]) f.advance(array, FLOAT * C);
              for (const array of [meanAt, varianceAt]) f.advance(array, FLOAT);
              f.set(inChunk, i32.sub(inChunk, 1));
              f.if(i32.eqz(inChunk), flush);
            });
            flush();
          });
        },
      },
      {
        items: C,
        grain: Math.ceil(MEMORY_GRAIN / parts),
        write: (f, { from, to, shared, arrays: { gGamma, gBeta } }) => {
          const { f32, f64, i32 } = f;
          const [c, part, at] = f.locals("index", "i32", 3);
          const sums = f.locals("sum", "f64", 2);
          for (const array of [gGamma, gBeta]) moveBy(f, array, from);
          f.forRange(c, { from, to }, () => {
            f.set(at, i32.add(i32.add(shared, doublesAt), i32.mul(c, DOUBLE)));
            for (const sum of sums) f.set(sum, 0);
            f.forRange(part, { to: parts }, () => {
              sums.forEach((sum, which) => {
                f.set(sum, f64.add(sum, f64.load(at, { offset: which * DOUBLE * C })));
              });
              f.advance(at, partBytes);
            });
            [gGamma, gBeta].forEach((array, which) => {
              f32.store(array, f32.demote_f64(sums[which]));
              f.advance(array, FLOAT);
            });
          });
        },
      },
    ],
  };
}

/** Prepares `doubles[i] += floats[i]`, for `left` of them. */
function addingToDoubles(f: FunctionBuilder) {
  const { f32, f64 } = f;
  const [float, double] = f.locals("moving", "i32", 2);
  return (floats: I32, doubles: I32, left: I32): void => {
    const i = f.local("float", "i32");
    f.set(float, floats);
    f.set(double, doubles);
    f.forRange(i, { to: left }, () => {
      f64.store(double, f64.add(f64.load(double), f64.promote_f32(f32.load(float))));
      f.advance(float, FLOAT);
      f.advance(double, DOUBLE);
    });
  };
}

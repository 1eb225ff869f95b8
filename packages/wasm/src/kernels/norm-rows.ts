// Layer normalisation: group normalisation of images of one position and one group, so that a row has statistics of its own.
// A row is short and stays in the first cache while it is passed several times; its sums run as those of lines.ts.
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
import { DOUBLE, FLOAT, type FunctionBuilder, type I32 } from "../asm/index.ts";
import { alignToLine } from "../memory.ts";
import type { Draft } from "../plan.ts";
import { lineSum, passes, planOfLines } from "./lines.ts";
import { rootOf } from "./norm-groups.ts";
import { ARITHMETIC_GRAIN, MEMORY_GRAIN, SMALLEST } from "./stream.ts";
import { addingStrips } from "./strips.ts";

/** Longer rows leave the first cache, and the sums of all parts would take much memory. */
const LONGEST = 2 ** 13;
const PARTS = 64;
/** Rows that are added up in 32 bits. */
const CHUNK = 32;

/** Whether each row of `x` is normalised by itself, and fits. */
export const isOfRows = ({ N, P, C, G }: GroupNormDims): boolean =>
  P === 1 && G === 1 && C <= LONGEST && N * C >= SMALLEST;

const rowsOf = ({ N, C }: GroupNormDims) => ({ count: N, size: C });

/** Brings what is stored as one float for a row into all lanes. */
const splat = (f: FunctionBuilder, name: string, at: I32) => f.let(name, f.v128.load32_splat(at));

/** 1 / sqrt(variance + epsilon) in all lanes. */
const splatRoot = (f: FunctionBuilder, variance: I32, d: GroupNormDims) =>
  f.let("scale", f.f32x4.splat(f.f32.demote_f64(f.get(rootOf(f, variance, d)))));

/**
 * mean = Σ x / C at first; then, with e = x - mean, which costs no digits where the mean is large, mean += Σ e / C and
 * variance = Σ e² / C - (Σ e / C)².
 */
export const statisticsOfRows = (d: GroupNormDims): Draft<Parameters<typeof groupNormStatistics>[0]> =>
  planOfLines("layer_norm_statistics", rowsOf(d), {
    lines: ["x"],
    single: ["mean", "variance"],
    prepare: (f, pass, { mean, variance }) => {
      const { f32, f64, f32x4 } = f;
      const [first, average] = f.locals("average", "f64", 2);
      const center = f.local("center", "v128");
      const [sum, squares] = [lineSum(f), lineSum(f)];
      return () => {
        sum.clear();
        pass(["x"], [], ({ x }) => sum.add(x));
        f.set(first, f64.div(sum.double(), d.C));
        f.set(center, f32x4.splat(f32.demote_f64(first)));
        f.set(first, f64.promote_f32(f32x4.extract_lane(center, 0)));
        sum.clear();
        squares.clear();
        pass(["x"], [], ({ x }) => {
          f.setEach(x, (i) => f32x4.sub(x[i], center));
          sum.add(x);
          f.setEach(x, (i) => f32x4.mul(x[i], x[i]));
          squares.add(x);
        });
        f.set(average, f64.div(sum.double(), d.C));
        f32.store(mean, f32.demote_f64(f64.add(first, average)));
        const spread = f64.sub(f64.div(squares.double(), d.C), f64.mul(average, average));
        f32.store(variance, f32.demote_f64(f64.max(spread, 0)));
      };
    },
  });

/** y = (x - mean) · rstd · gamma + beta */
export const forwardOfRows = (
  d: GroupNormDims,
  relaxed: boolean,
): Draft<Parameters<typeof groupNormForward>[0]> =>
  planOfLines("layer_norm_forward", rowsOf(d), {
    lines: ["x", "y"],
    single: ["mean", "variance"],
    grain: MEMORY_GRAIN,
    fixed: [d.epsilon, relaxed],
    prepare: (f, pass, { mean, variance }) => {
      const { f32x4 } = f;
      const madd = f.multiplyAdd(relaxed);
      return () => {
        const center = splat(f, "center", mean);
        const scale = splatRoot(f, variance, d);
        pass(["x", "gamma", "beta"], ["y"], ({ x, y, gamma, beta }) => {
          f.setEach(x, (i) => f32x4.mul(f32x4.sub(x[i], center), scale));
          f.setEach(y, (i) => madd(beta[i], x[i], gamma[i]));
        });
      };
    },
  });

/** With x̂ = (x - mean) · rstd and averages over a row: gx = rstd · (gamma · gy - average(gamma·gy) - x̂ · average(gamma·gy·x̂)). */
export function gradientOfRows(
  d: GroupNormDims,
  relaxed: boolean,
): Draft<Parameters<typeof groupNormGradient>[0]> {
  const { N, C } = d;
  const parts = Math.min(PARTS, N);
  // A part's sums in 32 bits, for gamma and beta, then those in double.
  const doublesAt = alignToLine(2 * FLOAT * C);
  const partBytes = doublesAt + alignToLine(2 * DOUBLE * C);
  const share = d.fixedStatistics ? 0 : -1 / C;
  return {
    name: `layer_norm_gradient_f32_4x4_${relaxed ? "relaxed" : "simd"}`,
    sharedBytes: parts * partBytes,
    phases: [
      {
        items: parts,
        grain: Math.ceil(ARITHMETIC_GRAIN / C / Math.ceil(N / parts)),
        write: (f, { from, to, shared, arrays }) => {
          const { f32, f32x4, i32, memory } = f;
          const madd = f.multiplyAdd(relaxed);
          const [row, end, inChunk] = f.locals("row", "i32", 3);
          const [products, gradients, doubles] = f.locals("sums", "i32", 3);
          const rows = f.locals("row", "i32", 5);
          const [x, gy, gx, mean, variance] = rows;
          const [sumOfGradients, sumOfProducts] = [lineSum(f), lineSum(f)];
          const [fromAll, fromProducts] = f.locals("average", "v128", 2);
          const pass = passes(f, C, { x, gy, gx, gamma: arrays.gamma, products, gradients });
          const takeOver = addingToDoubles(f, 2 * C);
          const flush = () => {
            takeOver(products, doubles);
            memory.fill(products, 0, 2 * FLOAT * C);
            f.set(inChunk, CHUNK);
          };
          f.advance(shared, from, partBytes);
          f.forEachItem({ from, to }, [], (part) => {
            f.set(products, shared);
            f.set(gradients, i32.add(shared, FLOAT * C));
            f.set(doubles, i32.add(shared, doublesAt));
            memory.fill(shared, 0, partBytes);
            f.advance(shared, partBytes);
            f.set(inChunk, CHUNK);
            f.set(row, i32.div_u(i32.mul(part, N), parts));
            f.set(end, i32.div_u(i32.mul(i32.add(part, 1), N), parts));
            (["x", "gy", "gx", "mean", "variance"] as const).forEach((array, i) => {
              f.set(rows[i], arrays[array]);
            });
            const along = rows.map((at, i) => [at, i < 3 ? FLOAT * C : FLOAT] as const);
            f.forEachItem({ from: row, to: end }, along, () => {
              const center = splat(f, "center", mean);
              const rstd = splatRoot(f, variance, d);
              sumOfGradients.clear();
              sumOfProducts.clear();
              pass(["x", "gy", "gamma"], [], ({ x, gy, gamma }) => {
                f.setEach(gamma, (i) => f32x4.mul(gamma[i], gy[i]));
                f.setEach(x, (i) => f32x4.mul(f32x4.mul(f32x4.sub(x[i], center), rstd), gamma[i]));
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
                  f.setEach(x, (i) => f32x4.mul(f32x4.sub(x[i], center), rstd));
                  f.setEach(products, (i) => madd(products[i], x[i], gy[i]));
                  f.setEach(gradients, (i) => f32x4.add(gradients[i], gy[i]));
                  f.setEach(x, (i) => madd(fromAll, x[i], fromProducts));
                  f.setEach(gx, (i) => f32x4.mul(madd(x[i], gy[i], gamma[i]), rstd));
                },
              );
              f.advance(inChunk, -1);
              f.if(i32.eqz(inChunk), flush);
            });
            flush();
          });
        },
      },
      addingStrips(C, { count: parts, step: partBytes, offset: doublesAt }, ["gGamma", "gBeta"]),
    ],
  };
}

/** Prepares `doubles[i] += floats[i]`, for `count` of them. */
function addingToDoubles(f: FunctionBuilder, count: number): (floats: I32, doubles: I32) => void {
  const { f32, f64 } = f;
  const [i, float, double] = f.locals("moving", "i32", 3);
  return (floats, doubles) => {
    f.set(float, floats);
    f.set(double, doubles);
    f.forRange(i, { to: count }, () => {
      f64.store(double, f64.add(f64.load(double), f64.promote_f32(f32.load(float))));
      f.advance(float, FLOAT);
      f.advance(double, DOUBLE);
    });
  };
}

// Layer normalisation: group normalisation of images of one position and one group, so that a row has statistics of its own.
// A row is short and stays in the first cache while it is passed several times; its sums run as those of lines.ts.
//
//   x, y, gx, gy [N,C]   mean, variance [N]   gamma, beta [C]
//
// The gradients of gamma and beta are sums over rows, cut into strips (strips.ts); rows of them are multiples of 4.

import type {
  GroupNormDims,
  groupNormForward,
  groupNormGradient,
  groupNormStatistics,
} from "@saunet/core/kernels";
import { DOUBLE, FLOAT, type FunctionBuilder, type I32 } from "../asm/index.ts";
import type { Draft } from "../plan.ts";
import { lineSum, passes, planOfLines } from "./lines.ts";
import { productSums, rootOf } from "./norm-groups.ts";
import { MEMORY_GRAIN, SMALLEST } from "./stream.ts";
import { addingStrips, bytesOf, type Strip, stripPhase, summing } from "./strips.ts";

/** Longer rows leave the first cache, and the sums of all parts would take much memory. */
const LONGEST = 2 ** 13;

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

/**
 * With x̂ = (x - mean) · rstd and averages over a row: gx = rstd · (gamma · gy - average(gamma·gy) - x̂ · average(gamma·gy·x̂)).
 *
 * Phase 1, each strip of rows: own = x̂, shared[strip] = Σ gy and Σ gy·x̂ by channel, then gx, which may lie where gy does
 * Phase 2, each channel: gGamma and gBeta
 */
export function gradientOfRows(
  d: GroupNormDims,
  relaxed: boolean,
): Draft<Parameters<typeof groupNormGradient>[0]> | undefined {
  const { N, C } = d;
  if (C % 4 !== 0) return undefined;
  const strips = summing({ N: 1, P: N, C }, 2);
  const { positions, perImage: count } = strips;
  const step = 2 * DOUBLE * C;
  return {
    name: `layer_norm_gradient_f32_4x4_${relaxed ? "relaxed" : "simd"}`,
    sharedBytes: step * count,
    ownBytes: bytesOf(strips),
    phases: [
      stripPhase(strips, (f, { shared, own, arrays }) => {
        const { f32x4, i32 } = f;
        const madd = f.multiplyAdd(relaxed);
        const { x, gy, gx, normalized, mean, variance, left } = f.declare("i32");
        const pass = passes(f, C, { x, gy, gx, normalized, gamma: arrays.gamma });
        const sumUp = productSums(f, strips, { shared });
        const [sumOfGradients, sumOfProducts] = [lineSum(f), lineSum(f)];
        const { fromAll, fromProducts } = f.declare("v128");
        const shares = f.constant("share", d.fixedStatistics ? 0 : -1 / C);
        const maps = [arrays.x, arrays.gy, arrays.gx];
        const statistics = [arrays.mean, arrays.variance];
        /** Goes through the rows of a strip, all pointers along. */
        const forEachRow = (strip: Strip, body: () => void) => {
          f.set(normalized, own);
          f.setEach([x, gy, gx], (i) => i32.add(maps[i], strip.start));
          f.setEach([mean, variance], (i) => f.at(statistics[i], strip.strip, positions * FLOAT));
          f.set(left, strip.count);
          f.whileAtLeast(left, 1, () => {
            body();
            for (const at of [x, gy, gx, normalized]) f.advance(at, FLOAT * C);
            for (const at of [mean, variance]) f.advance(at, FLOAT);
          });
        };
        return (strip) => {
          forEachRow(strip, () => {
            const center = splat(f, "center", mean);
            const rstd = splatRoot(f, variance, d);
            pass(["x"], ["normalized"], ({ x, normalized }) =>
              f.setEach(normalized, (i) => f32x4.mul(f32x4.sub(x[i], center), rstd)),
            );
          });
          sumUp(strip, f.let("operands", i32.sub(own, strip.start)), arrays.gy);
          forEachRow(strip, () => {
            const rstd = splatRoot(f, variance, d);
            sumOfGradients.clear();
            sumOfProducts.clear();
            pass(["normalized", "gy", "gamma"], [], ({ normalized, gy, gamma }) => {
              f.setEach(gamma, (i) => f32x4.mul(gamma[i], gy[i]));
              f.setEach(normalized, (i) => f32x4.mul(normalized[i], gamma[i]));
              sumOfGradients.add(gamma);
              sumOfProducts.add(normalized);
            });
            f.set(fromAll, f32x4.mul(sumOfGradients.total(), shares));
            f.set(fromProducts, f32x4.mul(sumOfProducts.total(), shares));
            pass(["normalized", "gy", "gamma"], ["gx"], ({ normalized, gy, gx, gamma }) => {
              f.setEach(gx, (i) => madd(fromAll, normalized[i], fromProducts));
              f.setEach(gx, (i) => f32x4.mul(madd(gx[i], gy[i], gamma[i]), rstd));
            });
          });
        };
      }),
      addingStrips(C, { count, step }, ["gBeta", "gGamma"]),
    ],
  };
}

// The gradient of group normalisation, and so of batch normalisation. With x̂ = (x - mean) · rstd and averages over a
// group:
//
//   gx = rstd · (gamma·gy - average(gamma·gy) - x̂ · average(gamma·gy·x̂))      gGamma = Σ gy·x̂      gBeta = Σ gy
//
// Where an activation followed, its gradient is taken first. Its operand, the normalised map, is computed again from x
// instead of having been kept: of the feature maps that a training step keeps, that is every fourth.
//
// Loops and layout: norm-strips.ts.

import { type GroupNormDims, groupNormGradient, type Kernel } from "@saunet/core/kernels";
import type { FunctionBuilder } from "../asm/index.ts";
import { alignToLine } from "../memory.ts";
import { type CodeFeatures, type Generator, generator, type Plan } from "../plan.ts";
import { siluSlope } from "./activation.ts";
import { multiplyAdd } from "./multiply-add.ts";
import { gradientOfRows, isOfRows } from "./norm-rows.ts";
import {
  addUp,
  type Block,
  bytesOf,
  forEachBlock,
  forEachChannel,
  forEachGroup,
  forEachPosition,
  forEachStrip,
  type I32,
  itemsOf,
  keyOf,
  load,
  mapping,
  placeOf,
  rootOf,
  store,
  suits,
  summing,
  sumPositions,
} from "./norm-strips.ts";
import { constant, DOUBLE, FLOAT, MEMORY_GRAIN, moveBy, setEach, stream } from "./stream.ts";

type Arrays = Parameters<typeof groupNormGradient>[0];
/** The same behind an activation, whose operand is made with beta. */
export type ActivatedArrays = Arrays & { beta: Arrays["gamma"] };

/**
 * Phase 1, each group: coefficient[image, 0, c] = mean
 *   and where an activation follows, coefficient[image, 1, c] = rstd·gamma[c], in units of 1 / log2 e
 * Phase 2, each strip: s[strip, c] = Σ gy, q[strip, c] = Σ gy (x - mean[c])
 *   where an activation follows, of gx ← gy · activation'((x - mean) · coefficient[1] + beta) instead of gy
 * Phase 3, each group: s and q of the image, left where those of its first strip were, and
 *   coefficient[image, 1, c] = rstd·gamma[c]
 *   coefficient[image, 2, c] = -rstd³ · Σ gamma·q / PD      these two sums over the group's channels;
 *   coefficient[image, 3, c] = -rstd  · Σ gamma·s / PD      0 where mean and variance are constants
 * Phase 4, each channel: gGamma = Σ rstd·q, gBeta = Σ s over the images
 * Phase 5, each strip: gx = gy · coefficient[1] + (x - mean) · coefficient[2] + coefficient[3]
 */
function planOf(
  d: GroupNormDims,
  activation: "none" | "silu",
  { relaxed }: CodeFeatures,
): Plan<ActivatedArrays> | undefined {
  if (!suits(d)) return undefined;
  const { N, P, C, G, D } = d;
  const isActivated = activation !== "none";
  // Behind an activation the sums are taken of what lies in the first cache: with strips of 512 elements the phase took
  // 1.64 ns an element, with 2048 1.83.
  const sums = isActivated ? mapping(d, 2) : summing(d, 2);
  const maps = mapping(d, 4);
  const name = `group_norm_${isActivated ? `${activation}_` : ""}gradient_f32_4x${maps.vectors}_${relaxed ? "relaxed" : "simd"}`;
  const imageCoefficients = 4 * FLOAT * C;
  /** Sums lie behind the coefficients. */
  const offset = alignToLine(imageCoefficients * N);
  const stripSums = 2 * DOUBLE * C;
  const imageSums = stripSums * sums.perImage;
  const coefficientsOf = (f: FunctionBuilder, shared: I32, block: Block): I32 =>
    placeOf(f, shared, block, imageCoefficients, 1);
  return {
    name,
    key: keyOf(name, d),
    sharedBytes: offset + imageSums * N,
    ownBytes: isActivated ? bytesOf(sums) : 0,
    phases: [
      {
        items: N * G,
        grain: MEMORY_GRAIN,
        write: (f, { from, to, shared, arrays }) => {
          const { f32, f64 } = f;
          const { mean, variance, gamma } = arrays;
          forEachGroup(f, d, { from, to }, [mean, variance], (group) => {
            const at = placeOf(f, shared, group, imageCoefficients, FLOAT);
            const gammaAt = placeOf(f, gamma, group, 0, FLOAT);
            const rstd = rootOf(f, variance, d);
            forEachChannel(f, D, [at, gammaAt], () => {
              f32.store(at, f32.load(mean));
              if (!isActivated) return;
              const scale = f64.mul(f64.mul(f64.promote_f32(f32.load(gammaAt)), rstd), Math.LOG2E);
              f32.store(at, f32.demote_f64(scale), { offset: FLOAT * C });
            });
          });
        },
      },
      {
        ...itemsOf(sums),
        write: (f, { from, to, shared, own, arrays }) => {
          const { f32x4, i32 } = f;
          const madd = multiplyAdd(f, relaxed);
          const { x, gy, gx, beta } = arrays;
          const vectorsOf = (...names: string[]) => names.map((name) => f.locals(name, "v128", sums.vectors));
          const [xs, gys, means, scales, betas] = vectorsOf("x", "gy", "mean", "scale", "beta");
          const [sumsOfGy, sumsOfProduct] = vectorsOf("sum", "product");
          const sumUp = (range: { from: I32; to: I32 }, gradients: I32) =>
            forEachBlock(f, sums, range, [x, gradients], (block) => {
              load(f, means, coefficientsOf(f, shared, block));
              sumPositions(f, sums, block, { shared, offset }, [sumsOfGy, sumsOfProduct], () => {
                load(f, xs, block.pointers[0]);
                load(f, gys, block.pointers[1]);
                xs.forEach((x4, v) => {
                  f.set(x4, f32x4.mul(f32x4.sub(x4, means[v]), gys[v]));
                  f.set(sumsOfGy[v], f32x4.add(sumsOfGy[v], gys[v]));
                  f.set(sumsOfProduct[v], f32x4.add(sumsOfProduct[v], x4));
                });
              });
            });
          if (!isActivated) {
            sumUp({ from, to }, gy);
            return;
          }
          // gx may lie where gy does, so the operands of the activation lie in scratch.
          const operandsAt = f.local("operands", "i32");
          const unit = constant(f, "unit", Math.LOG2E);
          const normalize = (range: { from: I32; to: I32 }) =>
            forEachBlock(f, sums, range, [x, operandsAt], (block) => {
              const at = coefficientsOf(f, shared, block);
              load(f, means, at);
              load(f, scales, at, FLOAT * C);
              load(f, betas, placeOf(f, beta, block, 0, 1));
              setEach(f, betas, (v) => f32x4.mul(betas[v], unit));
              forEachPosition(f, sums, block, block.left, () => {
                load(f, xs, block.pointers[0]);
                setEach(f, xs, (v) => madd(betas[v], f32x4.sub(xs[v], means[v]), scales[v]));
                store(f, xs, block.pointers[1]);
              });
            });
          const slope = siluSlope(f, { isBinary: true, relaxed });
          forEachStrip(f, sums, { from, to }, ({ range, start, elements: count }) => {
            f.set(operandsAt, i32.sub(own, start));
            normalize(range);
            const pointers = {
              operand: f.let("operand", own),
              gy: f.let("gy", i32.add(gy, start)),
              gx: f.let("gx", i32.add(gx, start)),
            };
            stream(
              f,
              { pointers, reads: ["operand", "gy"], writes: ["gx"], count, vectors: 4 },
              ({ operand, gy, gx }) => {
                slope(operand);
                setEach(f, gx, (i) => f32x4.mul(operand[i], gy[i]));
              },
            );
            sumUp(range, gx);
          });
        },
      },
      {
        items: N * G,
        grain: Math.ceil(MEMORY_GRAIN / (8 * D * sums.perImage)),
        write: (f, { from, to, shared, arrays }) => {
          const { variance, gamma } = arrays;
          const { f32, f64 } = f;
          const [s, q, sumOfS, sumOfQ, rstd, scale] = f.locals("sum", "f64", 6);
          const [gammaAt, strip] = f.locals("pointer", "i32", 2);
          const share = d.fixedStatistics ? 0 : 1 / (P * D);
          forEachGroup(f, d, { from, to }, [variance], (group) => {
            const image = placeOf(f, shared, group, imageSums, DOUBLE);
            const gammaOfGroup = placeOf(f, gamma, group, 0, FLOAT);
            f.set(sumOfS, 0);
            f.set(sumOfQ, 0);
            f.set(gammaAt, gammaOfGroup);
            forEachChannel(f, D, [gammaAt], () => {
              f.set(strip, image);
              addUp(f, strip, [s, q], { count: sums.perImage, step: stripSums, C, offset });
              f64.store(image, s, { offset });
              f64.store(image, q, { offset: offset + DOUBLE * C });
              f.set(scale, f64.promote_f32(f32.load(gammaAt)));
              f.set(sumOfS, f64.add(sumOfS, f64.mul(s, scale)));
              f.set(sumOfQ, f64.add(sumOfQ, f64.mul(q, scale)));
              f.advance(image, DOUBLE);
            });
            f.set(rstd, rootOf(f, variance, d));
            f.set(sumOfS, f64.mul(f64.mul(sumOfS, rstd), -share));
            f.set(sumOfQ, f64.mul(f64.mul(sumOfQ, f64.mul(f64.mul(rstd, rstd), rstd)), -share));
            const at = placeOf(f, shared, group, imageCoefficients, FLOAT);
            f.set(gammaAt, gammaOfGroup);
            forEachChannel(f, D, [at, gammaAt], () => {
              f.set(scale, f64.mul(f64.promote_f32(f32.load(gammaAt)), rstd));
              [scale, sumOfQ, sumOfS].forEach((value, i) => {
                f32.store(at, f32.demote_f64(value), { offset: FLOAT * C * (i + 1) });
              });
            });
          });
        },
      },
      {
        items: C,
        grain: MEMORY_GRAIN,
        write: (f, { from, to, shared, arrays }) => {
          const { variance, gGamma, gBeta } = arrays;
          const { f32, f64, i32 } = f;
          const [s, q, sumOfS, sumOfQ] = f.locals("sum", "f64", 4);
          const [channel, image, at, varianceAt] = f.locals("index", "i32", 4);
          moveBy(f, gGamma, from);
          moveBy(f, gBeta, from);
          f.forRange(channel, { from, to }, () => {
            f.set(at, i32.add(shared, i32.mul(channel, DOUBLE)));
            f.set(varianceAt, i32.add(variance, i32.mul(i32.div_u(channel, D), FLOAT)));
            f.set(sumOfS, 0);
            f.set(sumOfQ, 0);
            f.forRange(image, { to: N }, () => {
              f.set(s, f64.load(at, { offset }));
              f.set(q, f64.load(at, { offset: offset + DOUBLE * C }));
              f.set(sumOfS, f64.add(sumOfS, s));
              f.set(sumOfQ, f64.add(sumOfQ, f64.mul(q, rootOf(f, varianceAt, d))));
              f.advance(at, imageSums);
              f.advance(varianceAt, FLOAT * G);
            });
            f32.store(gGamma, f32.demote_f64(sumOfQ));
            f32.store(gBeta, f32.demote_f64(sumOfS));
            f.advance(gGamma, FLOAT);
            f.advance(gBeta, FLOAT);
          });
        },
      },
      {
        ...itemsOf(maps),
        write: (f, { from, to, shared, arrays }) => {
          const { f32x4 } = f;
          const madd = multiplyAdd(f, relaxed);
          const { x, gx } = arrays;
          const gy = isActivated ? gx : arrays.gy;
          const [xs, gys, means, fromGy, fromX, constants] = [
            ...["x", "gy", "mean"],
            ...["fromGy", "fromX", "constant"],
          ].map((what) => f.locals(what, "v128", maps.vectors));
          forEachBlock(f, maps, { from, to }, [x, gy, gx], (block) => {
            const at = coefficientsOf(f, shared, block);
            [means, fromGy, fromX, constants].forEach((vectors, which) => {
              load(f, vectors, at, FLOAT * C * which);
            });
            forEachPosition(f, maps, block, block.left, () => {
              load(f, xs, block.pointers[0]);
              load(f, gys, block.pointers[1]);
              setEach(f, gys, (v) => madd(constants[v], gys[v], fromGy[v]));
              setEach(f, xs, (v) => madd(gys[v], f32x4.sub(xs[v], means[v]), fromX[v]));
              store(f, xs, block.pointers[2]);
            });
          });
        },
      },
    ],
  };
}

export const gradient: Generator = /* @__PURE__ */ generator(
  groupNormGradient,
  (d: GroupNormDims, _lengths, features) =>
    isOfRows(d)
      ? gradientOfRows(d, features.relaxed)
      : // Without an activation nothing looks at beta.
        (planOf(d, "none", features) as Plan<Arrays> | undefined),
);

/** The gradient of an activation behind a normalisation, and of the normalisation, as one kernel. */
export const activatedGradient = (
  kernel: Kernel<ActivatedArrays, GroupNormDims>,
  activation: "silu",
): Generator => generator(kernel, (d: GroupNormDims, _lengths, features) => planOf(d, activation, features));

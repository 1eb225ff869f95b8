// The gradient of group normalisation, and so of batch normalisation. With x̂ = (x - mean) · rstd and averages over a
// group:
//
//   gx = rstd · (gamma·gy - average(gamma·gy) - x̂ · average(gamma·gy·x̂))      gGamma = Σ gy·x̂      gBeta = Σ gy
//
// Where an activation followed, its gradient is taken first. Its operand, the normalised map, is computed again from x
// instead of having been kept: of the feature maps that a training step keeps, that is every fourth.
//
// Loops and layout: strips.ts and norm-groups.ts.

import { type GroupNormDims, groupNormGradient, type Kernel } from "@saunet/core/kernels";
import { DOUBLE, FLOAT } from "../asm/index.ts";
import { alignToLine } from "../memory.ts";
import { type CodeFeatures, type Draft, type Generator, generator } from "../plan.ts";
import { siluSlope } from "./activation.ts";
import {
  affine,
  affinePhase,
  forEachChannel,
  forEachGroup,
  productSums,
  rootOf,
  suits,
} from "./norm-groups.ts";
import { gradientOfRows, isOfRows } from "./norm-rows.ts";
import { MEMORY_GRAIN, stream } from "./stream.ts";
import {
  addingStrips,
  addUp,
  bytesOf,
  forEachBlock,
  forEachPosition,
  mapping,
  stripPhase,
  summing,
} from "./strips.ts";

type Arrays = Parameters<typeof groupNormGradient>[0];
/** The same after an activation, whose operand is made with beta. */
export type ActivatedArrays = Arrays & { beta: Arrays["gamma"] };

/**
 * Phase 1, each group: coefficient[image, 0, c] = mean, coefficient[image, 1, c] = rstd·gamma[c] in units of 1 / log2 e
 * Phase 2, each strip: s[strip, c] = Σ gy, q[strip, c] = Σ gy (x - mean[c])
 *   where an activation follows, of gx ← gy · activation'((x - mean) · coefficient[1] + beta) instead of gy
 * Phase 3, each group: s and q ← rstd·q of the image, left where those of its first strip were, and
 *   coefficient[image, 1, c] = rstd·gamma[c]
 *   coefficient[image, 2, c] = -rstd² · Σ gamma·q / PD      these two sums over the group's channels;
 *   coefficient[image, 3, c] = -rstd  · Σ gamma·s / PD      0 where mean and variance are constants
 * Phase 4, each channel: gGamma = Σ q, gBeta = Σ s over the images
 * Phase 5, each strip: gx = gy · coefficient[1] + (x - mean) · coefficient[2] + coefficient[3]
 */
function planOf(
  d: GroupNormDims,
  activation: "none" | "silu",
  { relaxed }: CodeFeatures,
): Draft<ActivatedArrays> | undefined {
  if (!suits(d)) return undefined;
  const { N, P, C, G, D } = d;
  const isActivated = activation !== "none";
  // Behind an activation the sums are taken of what lies in the first cache: with strips of 512 elements the phase took
  // 1.64 ns an element, with 2048 1.83.
  const sums = isActivated ? mapping(d, 2) : summing(d, 2);
  const maps = mapping(d, 4);
  const how = { unit: Math.LOG2E, perChannel: 4 };
  const imageCoefficients = how.perChannel * FLOAT * C;
  /** Sums lie after the coefficients. */
  const offset = alignToLine(imageCoefficients * N);
  const stripSums = 2 * DOUBLE * C;
  const imageSums = stripSums * sums.perImage;
  return {
    name: `group_norm_${isActivated ? `${activation}_` : ""}gradient_f32_4x${maps.vectors}_${relaxed ? "relaxed" : "simd"}`,
    sharedBytes: offset + imageSums * N,
    ownBytes: isActivated ? bytesOf(sums) : 0,
    phases: [
      affinePhase(d, how),
      stripPhase(sums, (f, { shared, own, arrays: { x, gy, gx, beta } }) => {
        const { f32x4, i32 } = f;
        const sumUp = productSums(f, sums, { shared, offset }, ({ image, channel }, means) =>
          f.loadEach(means, f.let("at", f.at(shared, image, imageCoefficients, channel, 1))),
        );
        if (!isActivated) return (strip) => sumUp(strip, x, gy);
        const normalize = affine(f, sums, { shared, beta }, how, relaxed);
        const slope = siluSlope(f, { isBinary: true, relaxed });
        const operandsAt = f.local("operands", "i32");
        return (strip) => {
          // gx may lie where gy does, so the operands of the activation lie in scratch.
          f.set(operandsAt, i32.sub(own, strip.start));
          normalize(strip, x, operandsAt);
          const count = f.let("count", i32.mul(strip.count, C));
          const pointers = {
            operand: f.let("operand", own),
            gy: f.let("gy", i32.add(gy, strip.start)),
            gx: f.let("gx", i32.add(gx, strip.start)),
          };
          const reads = ["operand", "gy"] as const;
          stream(f, { pointers, reads, writes: ["gx"], count, vectors: 4 }, ({ operand, gy, gx }) => {
            slope(operand);
            f.setEach(gx, (i) => f32x4.mul(operand[i], gy[i]));
          });
          sumUp(strip, x, gx);
        };
      }),
      {
        items: N * G,
        grain: Math.ceil(MEMORY_GRAIN / (8 * D * sums.perImage)),
        write: (f, { from, to, shared, arrays: { variance, gamma } }) => {
          const { f32, f64 } = f;
          const { s, q, sumOfS, sumOfQ, scale } = f.declare("f64");
          const { gammaAt, strip } = f.declare("i32");
          const share = d.fixedStatistics ? 0 : -1 / (P * D);
          forEachGroup(f, d, { from, to }, [variance], (group) => {
            const image = f.let("at", f.at(shared, group.image, imageSums, group.channel, DOUBLE));
            const gammaOfGroup = f.let("at", f.at(gamma, group.channel, FLOAT));
            const rstd = rootOf(f, variance, d);
            f.set(sumOfS, 0);
            f.set(sumOfQ, 0);
            f.set(gammaAt, gammaOfGroup);
            forEachChannel(f, D, [gammaAt], () => {
              f.set(strip, image);
              addUp(f, strip, [s, q], { count: sums.perImage, step: stripSums, offset });
              f.set(q, f64.mul(q, rstd));
              f64.store(image, s, { offset });
              f64.store(image, q, { offset: offset + DOUBLE * C });
              f.set(scale, f64.promote_f32(f32.load(gammaAt)));
              f.set(sumOfS, f64.add(sumOfS, f64.mul(s, scale)));
              f.set(sumOfQ, f64.add(sumOfQ, f64.mul(q, scale)));
              f.advance(image, DOUBLE);
            });
            f.set(sumOfS, f64.mul(f64.mul(sumOfS, rstd), share));
            f.set(sumOfQ, f64.mul(f64.mul(sumOfQ, f64.mul(rstd, rstd)), share));
            const at = f.let("at", f.at(shared, group.image, imageCoefficients, group.channel, FLOAT));
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
      addingStrips(C, { count: N, step: imageSums, apart: DOUBLE * C, offset }, ["gBeta", "gGamma"]),
      stripPhase(maps, (f, { shared, arrays: { x, gx, gy } }) => {
        const { f32x4 } = f;
        const madd = f.multiplyAdd(relaxed);
        const { xs, gys, means, fromGy, fromX, constants } = f.declare("v128", maps.vectors);
        return (strip) =>
          forEachBlock(f, maps, strip, [x, isActivated ? gx : gy, gx], (block) => {
            const at = f.let("at", f.at(shared, block.image, imageCoefficients, block.channel, 1));
            [means, fromGy, fromX, constants].forEach((vectors, which) => {
              f.loadEach(vectors, at, FLOAT * C * which);
            });
            forEachPosition(f, maps, block, block.left, () => {
              f.loadEach(xs, block.pointers[0]);
              f.loadEach(gys, block.pointers[1]);
              f.setEach(gys, (v) => madd(constants[v], gys[v], fromGy[v]));
              f.setEach(xs, (v) => madd(gys[v], f32x4.sub(xs[v], means[v]), fromX[v]));
              f.storeEach(xs, block.pointers[2]);
            });
          });
      }),
    ],
  };
}

export const gradient = /* @__PURE__ */ generator(
  groupNormGradient,
  (d: GroupNormDims, _lengths, features) =>
    isOfRows(d)
      ? gradientOfRows(d, features.relaxed)
      : // Without an activation nothing looks at beta.
        (planOf(d, "none", features) as Draft<Arrays> | undefined),
);

/** The gradient of an activation after a normalisation, and of the normalisation, as one kernel. */
export const activatedGradient = (
  kernel: Kernel<ActivatedArrays, GroupNormDims>,
  activation: "silu",
): Generator => generator(kernel, (d: GroupNormDims, _lengths, features) => planOf(d, activation, features));

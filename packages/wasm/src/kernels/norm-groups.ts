// Groups of neighbouring channels: what group normalisation goes over besides the strips of its maps (strips.ts).
//
//   x, y [N,P,C]   mean, variance [N,G]   gamma, beta [C]      groups of D = C/G channels

import type { GroupNormDims } from "@saunet/core/kernels";
import { FLOAT, type FunctionBuilder, type I32, type Local, type Range, type V128 } from "../asm/index.ts";
import type { Phase } from "../plan.ts";
import { MEMORY_GRAIN, SMALLEST } from "./stream.ts";
import { type Block, forEachBlock, forEachPosition, type Strip, type Strips, sumStrip } from "./strips.ts";

/** Whether there is code for it, and enough to do. */
export const suits = ({ N, P, C }: GroupNormDims): boolean => C % 4 === 0 && N * P * C >= SMALLEST;

/**
 * Writes the loop over the groups of all images; `perGroup` point to a group's element. `body` is given the image and
 * the group's first channel.
 */
export function forEachGroup(
  f: FunctionBuilder,
  { G, D }: GroupNormDims,
  range: Range,
  perGroup: readonly I32[],
  body: (group: { image: I32; channel: I32 }) => void,
): void {
  const { i32 } = f;
  const [image, channel] = f.locals("group", "i32", 2);
  const along = perGroup.map((pointer) => [pointer, FLOAT] as const);
  f.forEachItem(range, along, (group) => {
    f.set(image, i32.div_u(group, G));
    f.set(channel, i32.mul(i32.sub(group, i32.mul(image, G)), D));
    body({ image, channel });
  });
}

/**
 * Writes mean and variance of groups. With e = pivot - first, `add` writes t += Σ (x - pivot + e), u += Σ (x - pivot + e)²
 * over a group's elements; squares are summed up beside a pivot, so that a large mean costs no digits.
 */
export function writeMoments(
  f: FunctionBuilder,
  d: GroupNormDims,
  range: Range,
  { mean, variance }: { readonly mean: I32; readonly variance: I32 },
  add: (group: { image: I32; channel: I32 }, sums: Record<"t" | "u" | "first", Local<"f64">>) => void,
): void {
  const { f32, f64 } = f;
  const [t, u, first] = f.locals("moment", "f64", 3);
  forEachGroup(f, d, range, [mean, variance], (group) => {
    f.set(t, 0);
    f.set(u, 0);
    add(group, { t, u, first });
    f.set(t, f64.div(t, d.P * d.D));
    f.set(u, f64.sub(f64.div(u, d.P * d.D), f64.mul(t, t)));
    f32.store(mean, f32.demote_f64(f64.add(first, t)));
    f32.store(variance, f32.demote_f64(f64.max(u, 0)));
  });
}

/** Writes a loop over the channels of a group, along which all `pointers` move by one float. */
export function forEachChannel(
  f: FunctionBuilder,
  D: number,
  pointers: readonly I32[],
  body: () => void,
): void {
  f.forRange(f.local("channel", "i32"), { to: D }, () => {
    body();
    for (const pointer of pointers) f.advance(pointer, FLOAT);
  });
}

/** 1 / sqrt(variance + epsilon) */
export function rootOf(f: FunctionBuilder, variance: I32, { epsilon }: GroupNormDims): Local<"f64"> {
  const { f32, f64 } = f;
  return f.let("rstd", f64.div(1, f64.sqrt(f64.add(f64.promote_f32(f32.load(variance)), epsilon))));
}

/** How a map is normalised: `unit` times that, with so many numbers of each channel of an image in scratch memory. */
export interface Affine {
  readonly unit: number;
  readonly perChannel: number;
}

/** Each group: shared[image, 0, c] = mean, shared[image, 1, c] = unit · gamma[c] / sqrt(variance + epsilon) */
export const affinePhase = (
  d: GroupNormDims,
  { unit, perChannel }: Affine,
): Phase<Record<"mean" | "variance" | "gamma", unknown>> => ({
  items: d.N * d.G,
  grain: MEMORY_GRAIN,
  write: (f, { from, to, shared, arrays: { mean, variance, gamma } }) => {
    const { f32, f64 } = f;
    forEachGroup(f, d, { from, to }, [mean, variance], (group) => {
      const at = f.let("at", f.at(shared, group.image, perChannel * FLOAT * d.C, group.channel, FLOAT));
      const gammaAt = f.let("at", f.at(gamma, group.channel, FLOAT));
      const rstd = rootOf(f, variance, d);
      forEachChannel(f, d.D, [at, gammaAt], () => {
        f32.store(at, f32.load(mean));
        const scale = f64.mul(f64.mul(f64.promote_f32(f32.load(gammaAt)), rstd), unit);
        f32.store(at, f32.demote_f64(scale), { offset: FLOAT * d.C });
      });
    });
  },
});

/** Prepares `y = (x - mean[c]) · scale[c] + unit · beta[c]`, see {@link affinePhase}; what it returns writes it for a strip. */
export function affine(
  f: FunctionBuilder,
  strips: Strips,
  { shared, beta }: { readonly shared: I32; readonly beta: I32 },
  { unit, perChannel }: Affine,
  relaxed: boolean,
): (strip: Strip, x: I32, y: I32) => void {
  const { f32x4 } = f;
  const { xs, means, scales, betas } = f.declare("v128", strips.vectors);
  const unit4 = f.constant("unit", unit);
  const madd = f.multiplyAdd(relaxed);
  return (strip, x, y) =>
    forEachBlock(f, strips, strip, [x, y], (block) => {
      const at = f.let("at", f.at(shared, block.image, perChannel * FLOAT * strips.C, block.channel, 1));
      f.loadEach(means, at);
      f.loadEach(scales, at, FLOAT * strips.C);
      f.loadEach(betas, f.let("at", f.at(beta, block.channel, 1)));
      if (unit !== 1) f.setEach(betas, (v) => f32x4.mul(betas[v], unit4));
      forEachPosition(f, strips, block, block.left, () => {
        f.loadEach(xs, block.pointers[0]);
        f.setEach(xs, (v) => madd(betas[v], f32x4.sub(xs[v], means[v]), scales[v]));
        f.storeEach(xs, block.pointers[1]);
      });
    });
}

/**
 * Prepares `s[strip, c] = Σ gy` and `q[strip, c] = Σ gy · (x - mean[c])`, the means being loaded where a block begins; without
 * that x is what gy is multiplied by. What it returns writes them for a strip.
 */
export function productSums(
  f: FunctionBuilder,
  strips: Strips,
  { shared, offset = 0 }: { readonly shared: I32; readonly offset?: number },
  loadMeans?: (block: Block, means: readonly V128[]) => void,
): (strip: Strip, x: I32, gy: I32) => void {
  const { f32x4 } = f;
  const { xs, gys, means, s, q } = f.declare("v128", strips.vectors);
  const sums = { shared, offset, sums: [s, q], begin: (block: Block) => loadMeans?.(block, means) };
  return (strip, x, gy) =>
    sumStrip(f, strips, strip, [x, gy], sums, ([xAt, gyAt]) => {
      f.loadEach(xs, xAt);
      f.loadEach(gys, gyAt);
      xs.forEach((x4, v) => {
        f.set(x4, f32x4.mul(loadMeans ? f32x4.sub(x4, means[v]) : x4, gys[v]));
        f.set(s[v], f32x4.add(s[v], gys[v]));
        f.set(q[v], f32x4.add(q[v], x4));
      });
    });
}

// Group normalisation: statistics and forward. Batch normalisation runs the same kernels, as one image whose groups are
// single channels; layer normalisation, as images of one position, which have code of their own (norm-rows.ts). Loops and
// layout: strips.ts and norm-groups.ts. Numbers of channels that are not multiples of 4 stay with the portable form.

import { type GroupNormDims, groupNormForward, groupNormStatistics } from "@saunet/core/kernels";
import { DOUBLE, FLOAT, type FunctionBuilder, type V128 } from "../asm/index.ts";
import { type Generator, generator } from "../plan.ts";
import { onePlusPowerOfTwo } from "./exp.ts";
import { affine, affinePhase, forEachChannel, suits, writeMoments } from "./norm-groups.ts";
import { forwardOfRows, isOfRows, statisticsOfRows } from "./norm-rows.ts";
import { MEMORY_GRAIN, stream } from "./stream.ts";
import { addUp, type Block, mapping, stripPhase, summing, sumStrip } from "./strips.ts";

/**
 * Phase 1, each strip: s[strip, c] = Σ (x - pivot[c]), q[strip, c] = Σ (x - pivot[c])²
 * Phase 2, each group: with e = pivot[c] - pivot of its first channel,
 *   t = Σ (s + P e), u = Σ (q + 2 e s + P e²) over its channels, mean = first pivot + t/PD, variance = u/PD - (t/PD)²
 *
 * Squares are summed of x - pivot, the pivot being the element in the middle of the image, one for each channel: so a
 * mean that is large beside the deviation costs no digits, and a channel that never changes has variance 0.
 */
export const statistics = generator(groupNormStatistics, (d: GroupNormDims) => {
  if (isOfRows(d)) return statisticsOfRows(d);
  if (!suits(d)) return undefined;
  const { N, P, C, G, D } = d;
  const strips = summing(d, 2);
  const { vectors } = strips;
  /** From the start of an image to its pivots. */
  const middle = FLOAT * (P >> 1) * C;
  const bytesOfSums = 2 * DOUBLE * C;
  return {
    name: `group_norm_statistics_f32_4x${vectors}_simd`,
    sharedBytes: bytesOfSums * N * strips.perImage,
    phases: [
      stripPhase(strips, (f, { shared, arrays: { x } }) => {
        const { f32x4 } = f;
        const { xs, pivots, sums, squares } = f.declare("v128", vectors);
        const begin = ({ image, channel }: Block) =>
          f.loadEach(pivots, f.let("at", f.at(x, image, FLOAT * P * C, channel, 1)), middle);
        return (strip) =>
          sumStrip(f, strips, strip, [x], { shared, begin, sums: [sums, squares] }, ([at]) => {
            f.loadEach(xs, at);
            xs.forEach((x4, v) => {
              f.set(x4, f32x4.sub(x4, pivots[v]));
              f.set(sums[v], f32x4.add(sums[v], x4));
              f.set(squares[v], f32x4.add(squares[v], f32x4.mul(x4, x4)));
            });
          });
      }),
      {
        items: N * G,
        grain: Math.ceil(MEMORY_GRAIN / (8 * D * strips.perImage)),
        write: (f, { from, to, shared, arrays }) => {
          const { f32, f64 } = f;
          const [s, q, e] = f.locals("sum", "f64", 3);
          const at = f.local("strip", "i32");
          writeMoments(f, d, { from, to }, arrays, (group, { t, u, first }) => {
            const pivot = f.let("at", f.at(arrays.x, group.image, FLOAT * P * C, group.channel, FLOAT));
            const imageSums = bytesOfSums * strips.perImage;
            const sums = f.let("at", f.at(shared, group.image, imageSums, group.channel, DOUBLE));
            f.set(first, f64.promote_f32(f32.load(pivot, { offset: middle })));
            forEachChannel(f, D, [pivot], () => {
              f.set(at, sums);
              addUp(f, at, [s, q], { count: strips.perImage, step: bytesOfSums });
              f.set(e, f64.sub(f64.promote_f32(f32.load(pivot, { offset: middle })), first));
              f.set(t, f64.add(t, f64.add(s, f64.mul(e, P))));
              f.set(q, f64.add(q, f64.mul(f64.mul(e, e), P)));
              f.set(u, f64.add(u, f64.add(q, f64.mul(f64.mul(e, 2), s))));
              f.advance(sums, DOUBLE);
            });
          });
        },
      },
    ],
  };
});

/** What may follow the normalisation. */
interface Activation {
  /** Prepares code that takes some vectors of normalised numbers, times `unit`, to the activation's results. */
  readonly prepare: (f: FunctionBuilder, relaxed: boolean) => (ys: readonly V128[]) => void;
  readonly unit: number;
}

const activations = {
  relu: {
    unit: 1,
    prepare: (f) => {
      const zero = f.constant("zero", 0);
      return (ys) => f.setEach(ys, (i) => f.f32x4.pmax(ys[i], zero));
    },
  },
  silu: {
    // y / (1 + e^-y) is t / (u + u 2^-t) with t = u y, u = log2 e: scale and shift bring u along for nothing.
    unit: Math.LOG2E,
    prepare: (f, relaxed) => {
      const divisor = onePlusPowerOfTwo(f, { factor: Math.LOG2E, relaxed });
      return (ys) => {
        const divisors = f.locals("divisor", "v128", ys.length);
        f.setEach(divisors, (i) => ys[i]);
        divisor(divisors);
        f.setEach(ys, (i) => f.f32x4.div(ys[i], divisors[i]));
      };
    },
  },
} as const satisfies Record<string, Activation>;

/**
 * Phase 1: what each image is normalised by
 * Phase 2, each strip: y = (x - mean[c]) · scale[c] + unit · beta[c], then y = activation(y)
 */
export const normalizing = (
  kernel: typeof groupNormForward,
  activation?: keyof typeof activations,
): Generator =>
  generator(kernel, (d: GroupNormDims, _lengths, { relaxed }) => {
    if (activation === undefined && isOfRows(d)) return forwardOfRows(d, relaxed);
    if (!suits(d)) return undefined;
    const strips = mapping(d, 4);
    const { unit, prepare }: Partial<Activation> = activation ? activations[activation] : {};
    const how = { unit: unit ?? 1, perChannel: 2 };
    const suffix = activation === undefined ? "" : `_${activation}`;
    return {
      name: `group_norm${suffix}_f32_4x${strips.vectors}_${relaxed ? "relaxed" : "simd"}`,
      sharedBytes: how.perChannel * FLOAT * d.C * d.N,
      phases: [
        affinePhase(d, how),
        stripPhase(strips, (f, { shared, arrays: { x, y, beta } }) => {
          const normalize = affine(f, strips, { shared, beta }, how, relaxed);
          const activate = prepare?.(f, relaxed);
          const { own, count } = f.declare("i32");
          return (strip) => {
            normalize(strip, x, y);
            if (activate === undefined) return;
            f.set(own, f.i32.add(y, strip.start));
            f.set(count, f.i32.mul(strip.count, d.C));
            stream(f, { pointers: { y: own }, reads: ["y"], writes: ["y"], count, vectors: 4 }, (values) =>
              activate(values.y),
            );
          };
        }),
      ],
    };
  });

export const forward = /* @__PURE__ */ normalizing(groupNormForward);

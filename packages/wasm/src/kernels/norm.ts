// Group normalisation: statistics and forward. Batch normalisation runs the same kernels, as one image whose groups are
// single channels; layer normalisation, as images of one position, which have code of their own (norm-rows.ts). Loops and layout: norm-strips.ts. Numbers of channels that are not multiples of 4 stay with the
// portable form.

import { type GroupNormDims, groupNormForward, groupNormStatistics } from "@saunet/core/kernels";
import type { FunctionBuilder } from "../asm/index.ts";
import { type Generator, generator, type Phase, type PhaseLocals } from "../plan.ts";
import { onePlusPowerOfTwo } from "./exp.ts";
import { multiplyAdd } from "./multiply-add.ts";
import { forwardOfRows, isOfRows, statisticsOfRows } from "./norm-rows.ts";
import {
  addUp,
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
  type Strip,
  type Strips,
  store,
  suits,
  summing,
  sumPositions,
  type V128,
} from "./norm-strips.ts";
import { constant, DOUBLE, FLOAT, MEMORY_GRAIN, setEach, stream } from "./stream.ts";

/**
 * Phase 1, each strip: s[strip, c] = Σ (x - pivot[c]), q[strip, c] = Σ (x - pivot[c])²
 * Phase 2, each group: with e = pivot[c] - pivot of its first channel,
 *   t = Σ (s + P e), u = Σ (q + 2 e s + P e²) over its channels, mean = first pivot + t/PD, variance = u/PD - (t/PD)²
 *
 * Squares are summed of x - pivot, the pivot being the element in the middle of the image, one for each channel: so a
 * mean that is large beside the deviation costs no digits, and a channel that never changes has variance 0.
 */
export const statistics: Generator = generator(groupNormStatistics, (d: GroupNormDims) => {
  if (isOfRows(d)) return statisticsOfRows(d);
  if (!suits(d)) return undefined;
  const { N, P, C, G, D } = d;
  const strips = summing(d, 2);
  const { vectors } = strips;
  const name = `group_norm_statistics_f32_4x${vectors}_simd`;
  /** From the start of an image to its pivots. */
  const middle = FLOAT * (P >> 1) * C;
  const bytesOfSums = 2 * DOUBLE * C;
  return {
    name,
    key: keyOf(name, d),
    sharedBytes: bytesOfSums * N * strips.perImage,
    phases: [
      {
        ...itemsOf(strips),
        write: (f, { from, to, shared, arrays: { x } }) => {
          const { f32x4 } = f;
          const [xs, pivots, sums, squares] = ["x", "pivot", "sum", "square"].map((what) =>
            f.locals(what, "v128", vectors),
          );
          forEachBlock(f, strips, { from, to }, [x], (block) => {
            load(f, pivots, placeOf(f, x, block, FLOAT * P * C, 1), middle);
            sumPositions(f, strips, block, { shared, offset: 0 }, [sums, squares], () => {
              load(f, xs, block.pointers[0]);
              xs.forEach((x4, v) => {
                f.set(x4, f32x4.sub(x4, pivots[v]));
                f.set(sums[v], f32x4.add(sums[v], x4));
                f.set(squares[v], f32x4.add(squares[v], f32x4.mul(x4, x4)));
              });
            });
          });
        },
      },
      {
        items: N * G,
        grain: Math.ceil(MEMORY_GRAIN / (8 * D * strips.perImage)),
        write: (f, { from, to, shared, arrays: { mean, variance, x } }) => {
          const { f32, f64 } = f;
          const [t, u, s, q, first, e] = f.locals("sum", "f64", 6);
          const at = f.local("strip", "i32");
          forEachGroup(f, d, { from, to }, [mean, variance], (group) => {
            const pivot = placeOf(f, x, group, FLOAT * P * C, FLOAT);
            const sums = placeOf(f, shared, group, bytesOfSums * strips.perImage, DOUBLE);
            f.set(first, f64.promote_f32(f32.load(pivot, { offset: middle })));
            f.set(t, 0);
            f.set(u, 0);
            forEachChannel(f, D, [pivot], () => {
              f.set(at, sums);
              addUp(f, at, [s, q], { count: strips.perImage, step: bytesOfSums, C, offset: 0 });
              f.set(e, f64.sub(f64.promote_f32(f32.load(pivot, { offset: middle })), first));
              f.set(t, f64.add(t, f64.add(s, f64.mul(e, P))));
              f.set(q, f64.add(q, f64.mul(f64.mul(e, e), P)));
              f.set(u, f64.add(u, f64.add(q, f64.mul(f64.mul(e, 2), s))));
              f.advance(sums, DOUBLE);
            });
            f.set(t, f64.div(t, P * D));
            f.set(u, f64.sub(f64.div(u, P * D), f64.mul(t, t)));
            f32.store(mean, f32.demote_f64(f64.add(first, t)));
            f32.store(variance, f32.demote_f64(f64.max(u, 0)));
          });
        },
      },
    ],
  };
});

/** What may follow the normalisation. */
interface AfterNormalization {
  /** Prepares code that takes some vectors of normalised numbers, times `unit`, to the activation's results. */
  readonly prepare: (f: FunctionBuilder, relaxed: boolean) => (ys: readonly V128[]) => void;
  readonly unit: number;
}

type Activation = "relu" | "silu";

const activations: Readonly<Record<Activation, AfterNormalization>> = {
  relu: {
    unit: 1,
    prepare: (f) => {
      const zero = constant(f, "zero", 0);
      return (ys) => setEach(f, ys, (i) => f.f32x4.pmax(ys[i], zero));
    },
  },
  silu: {
    // y / (1 + e^-y) is t / (u + u 2^-t) with t = u y, u = log2 e: scale and shift bring u along for nothing.
    unit: Math.LOG2E,
    prepare: (f, relaxed) => {
      const divisor = onePlusPowerOfTwo(f, { factor: Math.LOG2E, relaxed });
      return (ys) => {
        const divisors = f.locals("divisor", "v128", ys.length);
        setEach(f, divisors, (i) => ys[i]);
        divisor(divisors);
        setEach(f, ys, (i) => f.f32x4.div(ys[i], divisors[i]));
      };
    },
  },
};

type ForwardArrays = Parameters<typeof groupNormForward>[0];
type Locals = Pick<PhaseLocals<ForwardArrays>, "shared" | "arrays">;

const unitOf = (activation: Activation | undefined): number =>
  activation === undefined ? 1 : activations[activation].unit;

/** Bytes of an image's constants. */
const constantsOf = ({ C }: GroupNormDims): number => 2 * FLOAT * C;

/** Each group: shared[image, 0, c] = mean, shared[image, 1, c] = unit · gamma[c] / sqrt(variance + epsilon) */
function constantsPhase(
  d: GroupNormDims,
  activation: Activation | undefined,
): Phase<Pick<ForwardArrays, "mean" | "variance" | "gamma">> {
  const { N, C, G, D } = d;
  const unit = unitOf(activation);
  return {
    items: N * G,
    grain: MEMORY_GRAIN,
    write: (f, { from, to, shared, arrays: { mean, variance, gamma } }) => {
      const { f32, f64 } = f;
      forEachGroup(f, d, { from, to }, [mean, variance], (group) => {
        const at = placeOf(f, shared, group, constantsOf(d), FLOAT);
        const gammaAt = placeOf(f, gamma, group, 0, FLOAT);
        const rstd = rootOf(f, variance, d);
        forEachChannel(f, D, [at, gammaAt], () => {
          f32.store(at, f32.load(mean));
          const scale = f64.mul(f64.mul(f64.promote_f32(f32.load(gammaAt)), rstd), unit);
          f32.store(at, f32.demote_f64(scale), { offset: FLOAT * C });
        });
      });
    },
  };
}

/** Prepares `y = (x - mean[c]) · scale[c] + unit · beta[c]`; what it returns writes the code for some strips. */
function normalization(
  f: FunctionBuilder,
  strips: Strips,
  { shared, arrays: { x, y, beta } }: Locals,
  { unit, relaxed }: { readonly unit: number; readonly relaxed: boolean },
): (range: { from: I32; to: I32 }) => void {
  const { f32x4 } = f;
  const [xs, means, scales, betas] = ["x", "mean", "scale", "beta"].map((what) =>
    f.locals(what, "v128", strips.vectors),
  );
  const unit4 = constant(f, "unit", unit);
  const madd = multiplyAdd(f, relaxed);
  return (range) =>
    forEachBlock(f, strips, range, [x, y], (block) => {
      const at = placeOf(f, shared, block, constantsOf(strips.d), 1);
      load(f, means, at);
      load(f, scales, at, FLOAT * strips.d.C);
      load(f, betas, placeOf(f, beta, block, 0, 1));
      if (unit !== 1) setEach(f, betas, (v) => f32x4.mul(betas[v], unit4));
      forEachPosition(f, strips, block, block.left, () => {
        load(f, xs, block.pointers[0]);
        setEach(f, xs, (v) => madd(betas[v], f32x4.sub(xs[v], means[v]), scales[v]));
        store(f, xs, block.pointers[1]);
      });
    });
}

/** Prepares the normalisation of a strip and the activation after it; what it returns writes the code. */
function activatedStrip(
  f: FunctionBuilder,
  strips: Strips,
  locals: Locals,
  activation: Activation,
  relaxed: boolean,
): (strip: Strip) => void {
  const normalize = normalization(f, strips, locals, { unit: unitOf(activation), relaxed });
  const activate = activations[activation].prepare(f, relaxed);
  const count = f.local("count", "i32");
  return ({ range, start, elements }) => {
    normalize(range);
    const own = { y: f.let("own", f.i32.add(locals.arrays.y, start)) };
    f.set(count, elements);
    stream(f, { pointers: own, reads: ["y"], writes: ["y"], count, vectors: 4 }, (values) =>
      activate(values.y),
    );
  };
}

/**
 * Phase 1: the constants of each image
 * Phase 2, each strip: y = (x - mean[c]) · scale[c] + unit · beta[c], then y = activation(y)
 */
export const normalizing = (kernel: typeof groupNormForward, activation?: Activation): Generator =>
  generator(kernel, (d: GroupNormDims, _lengths, { relaxed }) => {
    if (activation === undefined && isOfRows(d)) return forwardOfRows(d, relaxed);
    if (!suits(d)) return undefined;
    const strips = mapping(d, 4);
    const suffix = activation === undefined ? "" : `_${activation}`;
    const name = `group_norm${suffix}_f32_4x${strips.vectors}_${relaxed ? "relaxed" : "simd"}`;
    return {
      name,
      key: keyOf(name, d),
      sharedBytes: constantsOf(d) * d.N,
      phases: [
        constantsPhase(d, activation),
        {
          ...itemsOf(strips),
          write: (f, { from, to, shared, arrays }) => {
            const locals = { shared, arrays };
            if (activation === undefined)
              normalization(f, strips, locals, { unit: 1, relaxed })({ from, to });
            else
              forEachStrip(f, strips, { from, to }, activatedStrip(f, strips, locals, activation, relaxed));
          },
        },
      ],
    };
  });

export const forward: Generator = /* @__PURE__ */ normalizing(groupNormForward);

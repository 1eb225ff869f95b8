// Normalisation and activation with what others make of the map, done while a piece of it lies in the first cache:
//
//   y          = activation((x - mean) / sqrt(variance + epsilon) · gamma + beta)
//   pooled     = the largest of each 2 by 2 elements of y         where a pooling follows
//   averages   = scale · Σ y over the channels of each pixel      where somebody asks for them
//   maxima     = max y over the channels of each pixel            where somebody asks for them
//
// Where y is pooled, an item is a tile: pieces of two rows that lie one above the other. Else it is a strip.
//
// Sums over channels run in 32 bits, four lanes and four pixels side by side, a fifth of the instructions that sums in
// double take: of 64 channels a lane takes 16.

import {
  exactKey,
  type Floats,
  type GroupNormDims,
  type Kernel,
  type Pool2dDims,
} from "@saunet/core/kernels";
import type { FunctionBuilder } from "../asm/index.ts";
import { type Generator, generator } from "../plan.ts";
import { numbers } from "./lanes.ts";
import { type Activation, activatedStrip, constantBytes, constantsPhase } from "./norm.ts";
import {
  forEachStrip,
  type I32,
  itemsOf,
  keyOf,
  load,
  mapping,
  rowStrips,
  type Strips,
  store,
  suits,
  type V128,
} from "./norm-strips.ts";
import { largerOf } from "./pool.ts";
import { constant, FLOAT, VECTOR, whileAtLeast } from "./stream.ts";

export interface ReducedDims {
  readonly norm: GroupNormDims;
  readonly activation: Activation;
  /** Of y, where there is a pooling: windows of 2 by 2 side by side, an even number of rows, one image for `norm`. */
  readonly pool: Pool2dDims | undefined;
  /** Of the averages. */
  readonly scale: number;
}

export interface ReducedArrays {
  y: Floats;
  pooled: Floats | undefined;
  averages: Floats | undefined;
  maxima: Floats | undefined;
  x: Floats;
  mean: Floats;
  variance: Floats;
  gamma: Floats;
  beta: Floats;
}

/** Pixels whose sums over the channels are made side by side. */
const PIXELS = 4;

/** What is made of the channels of each pixel: lane by lane first, then of the four lanes. */
interface Reduction {
  /** Of each pixel that is done side by side. */
  readonly results: readonly V128[];
  /** What takes the lanes together. */
  readonly operation: "add" | "max";
  readonly begin: (pixel: number) => void;
  readonly take: (pixel: number, x4: V128) => void;
  readonly end: (pixel: number) => void;
}

function averaging(f: FunctionBuilder, scale: number): Reduction {
  const { f32x4 } = f;
  const sums = f.locals("sum", "v128", PIXELS);
  const [zero, factor] = [constant(f, "zero", 0), constant(f, "scale", scale)];
  return {
    results: sums,
    operation: "add",
    begin: (p) => f.set(sums[p], zero),
    take: (p, x4) => f.set(sums[p], f32x4.add(sums[p], x4)),
    end: (p) => f.set(sums[p], f32x4.mul(sums[p], factor)),
  };
}

/** pmax passes over NaN, so NaNs are kept beside it, as in `max.forward`. */
function largest(f: FunctionBuilder): Reduction {
  const { f32x4, v128 } = f;
  const [maxima, unordered] = ["maximum", "unordered"].map((what) => f.locals(what, "v128", PIXELS));
  const [zero, least] = [constant(f, "ordered", 0), constant(f, "least", Number.NEGATIVE_INFINITY)];
  return {
    results: maxima,
    operation: "max",
    begin: (p) => {
      f.set(maxima[p], least);
      f.set(unordered[p], zero);
    },
    take: (p, x4) => {
      f.set(maxima[p], f32x4.pmax(maxima[p], x4));
      f.set(unordered[p], v128.or(unordered[p], f32x4.ne(x4, x4)));
    },
    end: (p) => f.set(maxima[p], v128.or(maxima[p], unordered[p])),
  };
}

/** Prepares reductions over the channels of `count` pixels from `x` on; what it returns writes the code. */
function channelReductions(
  f: FunctionBuilder,
  { d: { C }, vectors }: Strips,
  reductions: readonly { readonly reduction: Reduction; readonly array: I32 }[],
): (pixels: { x: I32; first: I32; count: I32 }) => void {
  const { f32x4, i8x16, v128 } = f;
  const xs = f.locals("element", "v128", vectors);
  const [channel, at] = f.locals("reduced", "i32", 2);
  const pointers = f.locals("result", "i32", reductions.length);

  /** One vector out of two: what lies side by side is taken together. Pixels meet the same order alone and by fours. */
  const neighbours = (operation: "add" | "max", a: V128, b: V128) =>
    f32x4[operation](i8x16.shuffle(a, b, numbers(0, 2, 4, 6)), i8x16.shuffle(a, b, numbers(1, 3, 5, 7)));
  const storeOne = ({ results: [a], operation }: Reduction, pointer: I32) => {
    for (let step = 0; step < 2; step++) f.set(a, neighbours(operation, a, a));
    v128.store32_lane(pointer, a, 0);
  };
  const storeAll = ({ results: [a, b, c, d], operation }: Reduction, pointer: I32) => {
    f.set(a, neighbours(operation, a, b));
    f.set(c, neighbours(operation, c, d));
    v128.store(pointer, neighbours(operation, a, c), { align: FLOAT });
  };
  const reduce = (x: I32, pixels: 1 | typeof PIXELS) => {
    const each = (step: (reduction: Reduction, pixel: number) => void) => {
      for (const { reduction } of reductions) for (let p = 0; p < pixels; p++) step(reduction, p);
    };
    each(({ begin }, p) => begin(p));
    f.forRange(channel, { to: FLOAT * C, step: VECTOR * vectors }, () => {
      f.set(at, f.i32.add(x, channel));
      for (let p = 0; p < pixels; p++) {
        load(f, xs, at, FLOAT * C * p);
        for (const x4 of xs) for (const { reduction } of reductions) reduction.take(p, x4);
      }
    });
    each(({ end }, p) => end(p));
    reductions.forEach(({ reduction }, i) => {
      (pixels === 1 ? storeOne : storeAll)(reduction, pointers[i]);
      f.advance(pointers[i], FLOAT * pixels);
    });
    f.advance(x, FLOAT * C * pixels);
  };
  return ({ x, first, count }) => {
    reductions.forEach(({ array }, i) => {
      f.set(pointers[i], f.i32.add(array, f.i32.mul(first, FLOAT)));
    });
    whileAtLeast(f, count, PIXELS, () => reduce(x, PIXELS));
    whileAtLeast(f, count, 1, () => reduce(x, 1));
  };
}

/** Writes the pooling of a tile: `count` windows whose first lies at `x`. */
function poolTile(
  f: FunctionBuilder,
  { vectors }: Strips,
  { W, C }: Pool2dDims,
  { x, pooled, count }: { x: I32; pooled: I32; count: I32 },
): void {
  const [best, others] = ["best", "other"].map((what) => f.locals(what, "v128", vectors));
  const channel = f.local("channel", "i32");
  whileAtLeast(f, count, 1, () => {
    f.forRange(channel, { to: C, step: 4 * vectors }, () => {
      load(f, best, x);
      for (const offset of [C, W * C, (W + 1) * C]) {
        load(f, others, x, FLOAT * offset);
        best.forEach((largest, v) => {
          f.set(largest, f.v128.bitselect(others[v], largest, largerOf(f, others[v], largest)));
        });
      }
      store(f, best, pooled);
      f.advance(x, VECTOR * vectors);
      f.advance(pooled, VECTOR * vectors);
    });
    f.advance(x, FLOAT * C);
  });
}

/**
 * Phase 1: as where nothing is reduced
 * Phase 2, each strip: normalised and activated as there, then the reductions over its channels
 *   where y is pooled, each tile: this for its two strips, then the pooling
 */
export const reducing = (kernel: Kernel<ReducedArrays, ReducedDims>): Generator =>
  generator(kernel, ({ norm, activation, pool, scale }: ReducedDims, lengths, { relaxed }) => {
    if (!suits(norm)) return undefined;
    const strips = pool === undefined ? mapping(norm, 4) : rowStrips(norm, pool.W, 4);
    const { C } = norm;
    const { perImage, positions, vectors } = strips;
    const { items, grain } = itemsOf(strips);
    const asked = (["pooled", "averages", "maxima"] as const).filter((name) => lengths[name] !== undefined);
    const name = `group_norm_${[activation, ...asked].join("_")}_f32_4x${vectors}_${relaxed ? "relaxed" : "simd"}`;
    return {
      name,
      key: `${keyOf(name, norm)} ${exactKey([pool?.W, scale])}`,
      sharedBytes: constantBytes(norm),
      phases: [
        constantsPhase(norm, activation),
        {
          ...(pool === undefined ? { items, grain } : { items: items / 2, grain: Math.ceil(grain / 2) }),
          write: (f, { from, to, shared, arrays }) => {
            const { i32 } = f;
            const how = { isRows: pool !== undefined, relaxed };
            const activate = activatedStrip(f, strips, { shared, arrays }, activation, how);
            const asked = [
              ...(lengths.averages ? [{ reduction: averaging(f, scale), array: arrays.averages }] : []),
              ...(lengths.maxima ? [{ reduction: largest(f), array: arrays.maxima }] : []),
            ];
            const reduce = channelReductions(f, strips, asked);
            const [x, first, count] = f.locals("pixel", "i32", 3);
            const finishStrips = (range: { from: I32; to: I32; step?: number }) =>
              forEachStrip(f, strips, range, (strip) => {
                activate(strip);
                if (asked.length === 0) return;
                f.set(x, i32.add(arrays.y, strip.start));
                f.set(first, i32.div_u(strip.start, FLOAT * C));
                f.set(count, i32.div_u(strip.elements, C));
                reduce({ x, first, count });
              });
            if (pool === undefined) {
              finishStrips({ from, to });
              return;
            }
            const { W, OW } = pool;
            const [tile, pair, upper, end, column, pooled] = f.locals("tile", "i32", 6);
            f.forRange(tile, { from, to }, () => {
              f.set(pair, i32.div_u(tile, perImage));
              f.set(upper, i32.add(tile, i32.mul(pair, perImage)));
              f.set(end, i32.add(upper, perImage + 1));
              finishStrips({ from: upper, to: end, step: perImage });
              f.set(column, i32.mul(i32.sub(tile, i32.mul(pair, perImage)), positions));
              f.set(first, i32.add(i32.mul(pair, 2 * W), column));
              f.set(x, i32.add(arrays.y, i32.mul(first, FLOAT * C)));
              f.set(first, i32.add(i32.mul(pair, OW), i32.shr_u(column, 1)));
              f.set(pooled, i32.add(arrays.pooled, i32.mul(first, FLOAT * C)));
              f.set(count, i32.sub(W, column));
              f.set(count, f.select(count, positions, i32.lt_s(count, positions)));
              f.set(count, i32.shr_u(count, 1));
              poolTile(f, strips, pool, { x, pooled, count });
            });
          },
        },
      ],
    };
  });

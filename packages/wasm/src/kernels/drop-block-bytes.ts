// DropBlock with masks of bytes: 255 where an element stays, 0 where it is dropped. Masks live from the forward pass to
// the backward pass, one for each convolution's result, and are read three times.
//
// What is applied may be summed up over the positions at once; loops and layout of that: norm-strips.ts.

import {
  type DropBlockDims,
  exactKey,
  type Floats,
  type GroupNormDims,
  groupNormDims,
  type Kernel,
} from "@saunet/core/kernels";
import type { FunctionBuilder } from "../asm/index.ts";
import { type Generator, generator } from "../plan.ts";
import { drawing } from "./drop-block.ts";
import {
  addUp,
  forEachBlock,
  type I32,
  itemsOf,
  load,
  type Strips,
  store,
  summing,
  sumPositions,
  type V128,
} from "./norm-strips.ts";
import { DOUBLE, FLOAT, MEMORY_GRAIN, moveBy, SMALLEST, setEach, VECTOR, whileAtLeast } from "./stream.ts";

/** Bytes of a strip that is counted. */
const STRIP = 32768;
/** Elements that are masked at once. */
const AT_ONCE = 16;

export interface DrawArrays {
  mask: Uint32Array;
  limits: Uint32Array;
  state: Uint32Array;
}

export interface ScaleArrays {
  scale: Floats;
  mask: Uint32Array;
}

export interface ApplyArrays {
  y: Floats;
  x: Floats;
  mask: Uint32Array;
  scale: Floats;
}

export interface SumsArrays extends ApplyArrays {
  sums: Floats;
}

/** Whether masks of bytes are whole words and have generated code. */
export const suitsBytes = ({ N, H, W, C, maskC }: DropBlockDims): boolean =>
  maskC === C && C % 4 === 0 && N * H * W * C >= SMALLEST;

export const byteDraw = (kernel: Kernel<DrawArrays, DropBlockDims>): Generator => drawing(kernel, 1);

/** Phase 1, each strip: shared[strip] = how many bits are set, 8 for each element. Phase 2: scale = elements / Σ, or 0 */
export const byteScale = (kernel: Kernel<ScaleArrays, DropBlockDims>): Generator =>
  generator(kernel, (d: DropBlockDims) => {
    if (!suitsBytes(d)) return undefined;
    const length = d.N * d.H * d.W * d.C;
    const strips = Math.ceil(length / STRIP);
    const name = "drop_block_scale_bytes_i64";
    return {
      name,
      key: `${name} ${length}`,
      sharedBytes: DOUBLE * strips,
      phases: [
        {
          items: strips,
          grain: Math.ceil((4 * MEMORY_GRAIN) / STRIP),
          write: (f, { from, to, shared, arrays: { mask } }) => {
            const { f64, i32, i64 } = f;
            const [strip, left] = f.locals("index", "i32", 2);
            const bits = f.local("bits", "i64");
            moveBy(f, mask, from, STRIP);
            moveBy(f, shared, from, DOUBLE);
            f.forRange(strip, { from, to }, () => {
              f.set(left, i32.sub(length, i32.mul(strip, STRIP)));
              f.set(left, f.select(left, STRIP, i32.lt_s(left, STRIP)));
              f.set(bits, 0n);
              whileAtLeast(f, left, 8, () => {
                f.set(bits, i64.add(bits, i64.popcnt(i64.load(mask, { align: FLOAT }))));
                f.advance(mask, 8);
              });
              whileAtLeast(f, left, 4, () => {
                f.set(bits, i64.add(bits, i64.extend_i32_u(i32.popcnt(i32.load(mask)))));
                f.advance(mask, 4);
              });
              f64.store(shared, f64.convert_i64_u(bits));
              f.advance(shared, DOUBLE);
            });
          },
        },
        {
          items: 1,
          write: (f, { shared, arrays: { scale } }) => {
            const { f32, f64 } = f;
            const total = f.local("total", "f64");
            addUp(f, shared, [total], { count: strips, step: DOUBLE, C: 0, offset: 0 });
            const inverse = f.let("inverse", f64.div(8 * length, total));
            f32.store(scale, f32.demote_f64(f.select(inverse, 0, f64.gt(total, 0))));
          },
        },
      ],
    };
  });

/** Prepares `xs ← xs · mask · scale` for neighbouring vectors, an even number; what it returns writes the code. */
function masking(f: FunctionBuilder, scale: I32, vectors: number): (xs: readonly V128[], mask: I32) => void {
  const { f32x4, i32x4, v128 } = f;
  const factor = f.let("factor", v128.load32_splat(scale));
  const pairs = f.locals("pair", "v128", vectors / 2);
  return (xs, mask) => {
    setEach(f, pairs, (i) => v128.load8x8_s(mask, { offset: 8 * i, align: FLOAT }));
    setEach(f, xs, (v) => {
      const pair = pairs[v >> 1];
      const wide = v % 2 === 0 ? i32x4.extend_low_i16x8_s(pair) : i32x4.extend_high_i16x8_s(pair);
      return f32x4.mul(v128.and(wide, factor), xs[v]);
    });
  };
}

/** y = x · mask · scale */
export const byteApply = (kernel: Kernel<ApplyArrays, DropBlockDims>): Generator =>
  generator(kernel, (d: DropBlockDims, { y: length }) => {
    if (!suitsBytes(d)) return undefined;
    const name = "drop_block_apply_bytes_f32_4x4_simd";
    return {
      name,
      key: name,
      phases: [
        {
          items: length!,
          grain: MEMORY_GRAIN,
          write: (f, { from, to, arrays: { y, x, mask, scale } }) => {
            const { f32, i32 } = f;
            const xs = f.locals("x", "v128", AT_ONCE / 4);
            const mask4 = masking(f, scale, xs.length);
            const one = f.let("one", f32.load(scale));
            const count = f.let("count", i32.sub(to, from));
            for (const pointer of [y, x]) moveBy(f, pointer, from);
            moveBy(f, mask, from, 1);
            whileAtLeast(f, count, AT_ONCE, () => {
              load(f, xs, x);
              mask4(xs, mask);
              store(f, xs, y);
              for (const pointer of [y, x]) f.advance(pointer, VECTOR * xs.length);
              f.advance(mask, AT_ONCE);
            });
            whileAtLeast(f, count, 1, () => {
              f32.store(y, f32.mul(f32.load(x), f.select(one, 0, i32.load8_u(mask))));
              for (const pointer of [y, x]) f.advance(pointer, FLOAT);
              f.advance(mask, 1);
            });
          },
        },
      ],
    };
  });

/** Strips of all positions of all images, which are summed up together. */
function stripsOf({ N, H, W, C }: DropBlockDims): Strips {
  const positions: GroupNormDims = groupNormDims([1, N * H, W, C], { groups: 1 });
  return summing(positions, 4);
}

/** Whether a strip is done by pairs of vectors, whose mask is read at once. */
export const suitsSums = (d: DropBlockDims): boolean => suitsBytes(d) && stripsOf(d).vectors % 2 === 0;

/**
 * Phase 1, each strip: y = x · mask · scale, shared[strip, c] = Σ y
 * Phase 2, each channel: sums[c] = Σ shared[…, c]
 */
export const byteSums = (kernel: Kernel<SumsArrays, DropBlockDims>): Generator =>
  generator(kernel, (d: DropBlockDims) => {
    if (!suitsSums(d)) return undefined;
    const strips = stripsOf(d);
    const { perImage, vectors } = strips;
    const { C } = d;
    const name = `drop_block_sums_bytes_f32_4x${vectors}_simd`;
    return {
      name,
      key: `${name} ${exactKey([C, strips.d.P])}`,
      sharedBytes: DOUBLE * C * perImage,
      phases: [
        {
          ...itemsOf(strips),
          write: (f, { from, to, shared, arrays: { y, x, mask, scale } }) => {
            const { f32x4, i32 } = f;
            const [ys, sums] = ["y", "sum"].map((what) => f.locals(what, "v128", vectors));
            const mask4 = masking(f, scale, vectors);
            const maskAt = f.local("maskAt", "i32");
            forEachBlock(f, strips, { from, to }, [x, y], (block) =>
              sumPositions(f, strips, block, { shared, offset: 0 }, [sums], () => {
                const [at, target] = block.pointers;
                load(f, ys, at);
                f.set(maskAt, i32.add(i32.shr_u(i32.sub(at, x), 2), mask));
                mask4(ys, maskAt);
                store(f, ys, target);
                setEach(f, sums, (v) => f32x4.add(sums[v], ys[v]));
              }),
            );
          },
        },
        {
          items: C,
          grain: Math.ceil(MEMORY_GRAIN / (2 * perImage)),
          write: (f, { from, to, shared, arrays: { sums } }) => {
            const { f32, i32 } = f;
            const [channel, at] = f.locals("index", "i32", 2);
            const total = f.local("total", "f64");
            moveBy(f, sums, from);
            f.forRange(channel, { from, to }, () => {
              f.set(at, i32.add(shared, i32.mul(channel, DOUBLE)));
              addUp(f, at, [total], { count: perImage, step: DOUBLE * C, C, offset: 0 });
              f32.store(sums, f32.demote_f64(total));
              f.advance(sums, FLOAT);
            });
          },
        },
      ],
    };
  });

// DropBlock with masks of bytes: 255 where an element stays, 0 where it is dropped. Masks live from the forward pass to
// the backward pass, one for each convolution's result, and are read three times.
//
// What is applied may be summed up over the positions at once; loops and layout of that: strips.ts.

import { type DropBlockDims, exactKey, type Floats, type Kernel } from "@saunet/core/kernels";
import type { FunctionBuilder } from "../asm/index.ts";
import { type Generator, generator } from "../plan.ts";
import { drawing, scaling } from "./drop-block.ts";
import {
  DOUBLE,
  FLOAT,
  type I32,
  load,
  MEMORY_GRAIN,
  moveBy,
  SMALLEST,
  setEach,
  store,
  type V128,
  VECTOR,
  whileAtLeast,
} from "./stream.ts";
import {
  addingStrips,
  forEachBlock,
  forEachStrip,
  itemsOf,
  type Strips,
  summing,
  sumPositions,
} from "./strips.ts";

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

/** Counts the bits that are set, 8 for each element. */
const ofBytes = {
  size: 1,
  strip: STRIP,
  prepare: (f: FunctionBuilder) => {
    const { f64, i32, i64 } = f;
    const bits = f.local("bits", "i64");
    return (mask: I32, left: I32) => {
      f.set(bits, 0n);
      whileAtLeast(f, left, 8, () => {
        f.set(bits, i64.add(bits, i64.popcnt(i64.load(mask, { align: FLOAT }))));
        f.advance(mask, 8);
      });
      whileAtLeast(f, left, 4, () => {
        f.set(bits, i64.add(bits, i64.extend_i32_u(i32.popcnt(i32.load(mask)))));
        f.advance(mask, 4);
      });
      return f64.mul(f64.convert_i64_u(bits), 1 / 8);
    };
  },
} as const;

export const byteScale = (kernel: Kernel<ScaleArrays, DropBlockDims>): Generator =>
  generator(kernel, (d: DropBlockDims) =>
    suitsBytes(d) ? scaling("drop_block_scale_bytes_i64", d.N * d.H * d.W * d.C, ofBytes) : undefined,
  );

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
const stripsOf = ({ N, H, W, C }: DropBlockDims): Strips => summing({ N: 1, P: N * H * W, C }, 4);

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
      key: `${name} ${exactKey([C, strips.P])}`,
      sharedBytes: DOUBLE * C * perImage,
      phases: [
        {
          ...itemsOf(strips),
          write: (f, { from, to, shared, arrays: { y, x, mask, scale } }) => {
            const { f32x4, i32 } = f;
            const [ys, sums] = ["y", "sum"].map((what) => f.locals(what, "v128", vectors));
            const mask4 = masking(f, scale, vectors);
            const maskAt = f.local("maskAt", "i32");
            forEachStrip(f, strips, { from, to }, (strip) =>
              forEachBlock(f, strips, strip, [x, y], (block) =>
                sumPositions(f, strips, block, { shared, offset: 0 }, [sums], () => {
                  const [at, target] = block.pointers;
                  load(f, ys, at);
                  f.set(maskAt, i32.add(i32.shr_u(i32.sub(at, x), 2), mask));
                  mask4(ys, maskAt);
                  store(f, ys, target);
                  setEach(f, sums, (v) => f32x4.add(sums[v], ys[v]));
                }),
              ),
            );
          },
        },
        addingStrips(C, { count: perImage, step: DOUBLE * C }, ["sums"]),
      ],
    };
  });

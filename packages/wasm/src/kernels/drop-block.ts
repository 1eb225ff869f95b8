// DropBlock and dropout: masks, and what is done with them. A mask of DropBlock has a byte for each element.
//
//   dropBlock.draw    mask = 0 in the blocks around seeds, else 255; the gaps between seeds are drawn
//   dropBlock.scale   scale = how many elements the mask has / how many of them stay, or 0
//   dropBlock.apply   y = x · mask · scale, with one mask for all channels or one for each
//   dropout.mask      mask = noise < rate ? 0 : 1 / (1 - rate)

import { dropBlockApply, dropBlockDraw, dropBlockScale, dropoutMask, maskSize } from "@saunet/core/kernels";
import { FLOAT, type FunctionBuilder, type I32, type V128, VECTOR } from "../asm/index.ts";
import { generator } from "../plan.ts";
import { valuewise } from "./elementwise.ts";
import { moveCounter, threefry } from "./random.ts";
import { planOfTotal } from "./reduce.ts";
import { MEMORY_GRAIN, SMALLEST, stream, vectorsFor } from "./stream.ts";

/** Steps of the search among the limits of 1,023 gaps. */
const STEPS = [512, 256, 128, 64, 32, 16, 8, 4, 2, 1] as const;

/** The words of four counters, of which gaps are drawn. */
const WORDS_BYTES = 8 * FLOAT;

/** Bytes of a strip that is counted. */
const STRIP = 32768;
/** Elements that are masked at once. */
const AT_ONCE = 16;

/**
 * Phase 1: mask = 255
 * Phase 2, each row where seeds may lie: while the row goes on, draw a word and find its gap; after the gap lies a
 *   seed, whose block becomes 0. Blocks of different rows overlap; whoever comes, writes 0.
 * Phase 3: the counter moves on by what all rows may have drawn.
 */
export const blockDraw = generator(dropBlockDraw, (d) => {
  const { N, H, W, maskC, BH, BW, firstRow, endRow, firstColumn, endColumn } = d;
  if (maskSize(d) < SMALLEST) return undefined;
  const rows = Math.max(0, endRow - firstRow);
  const seedsInRow = Math.max(0, endColumn - firstColumn) * maskC;
  const pairsInRow = Math.ceil(seedsInRow / 2);
  /** From an element to the first of the block around it, back. */
  const toBlock = ((BH >> 1) * W + (BW >> 1)) * maskC;

  /** mask[block around the element at `at`] = 0, as far as rows reach */
  const dropBlock = (f: FunctionBuilder, at: I32, height: I32) => {
    const [row, column, pointer] = f.locals("block", "i32", 3);
    f.set(pointer, f.i32.sub(at, toBlock));
    f.forRange(row, { to: height }, () => {
      f.forRange(column, { to: BW }, () => {
        f.i32.store8(pointer, 0);
        f.advance(pointer, maskC);
      });
      f.advance(pointer, (W - BW) * maskC);
    });
  };

  return {
    name: "drop_block_draw_bytes_simd",
    ownBytes: WORDS_BYTES,
    phases: [
      {
        items: Math.ceil(maskSize(d) / 4),
        grain: MEMORY_GRAIN / 4,
        write: (f, { from, to, arrays: { mask } }) =>
          f.memory.fill(f.at(mask, from, FLOAT), 255, f.i32.mul(f.i32.sub(to, from), FLOAT)),
      },
      {
        items: N * rows,
        // A seed takes as long as some dozen elements of a stream.
        grain: Math.ceil(MEMORY_GRAIN / (W * maskC)),
        write: (f, { from, to, own, arrays: { mask, limits, state } }) => {
          const { i32 } = f;
          const { item, image, row, maskAt, left, gapAt, gap, height, word, wordAt, counter } =
            f.declare("i32");
          const words = threefry(f, state, 1);
          const end = f.let("end", i32.add(own, WORDS_BYTES));
          f.forRange(item, { from, to }, () => {
            f.unravel(item, [image, row], [rows]);
            f.advance(row, firstRow);
            const pixel = i32.add(i32.mul(i32.add(i32.mul(image, H), row), W), firstColumn);
            f.set(maskAt, f.at(mask, pixel, maskC));
            // The last rows may lie so low that the block reaches over the edge.
            f.cut(height, row, H + (BH >> 1), BH);
            f.set(counter, i32.mul(item, pairsInRow));
            f.set(wordAt, end);
            f.set(left, seedsInRow);
            f.until(
              () => i32.le_s(left, 0),
              () => {
                f.if(i32.eq(wordAt, end), () => {
                  f.storeEach(words(counter, 1), own);
                  f.advance(counter, 4);
                  f.set(wordAt, own);
                });
                f.set(word, i32.load(wordAt));
                f.advance(wordAt, FLOAT);
                f.set(gapAt, limits);
                for (const step of STEPS) {
                  const isBeyond = i32.ge_u(word, i32.load(gapAt, { offset: FLOAT * (step - 1) }));
                  f.set(gapAt, i32.add(gapAt, i32.mul(isBeyond, FLOAT * step)));
                }
                f.set(gap, i32.shr_u(i32.sub(gapAt, limits), 2));
                f.set(left, i32.sub(left, gap));
                f.advance(maskAt, gap);
                f.if(i32.and(i32.gt_s(left, 0), i32.lt_u(gap, 2 * STEPS[0] - 1)), () => {
                  dropBlock(f, maskAt, height);
                  f.advance(maskAt, 1);
                  f.advance(left, -1);
                });
              },
            );
          });
        },
      },
      {
        items: 1,
        write: (f, { arrays: { state } }) => moveCounter(f, state, N * rows * pairsInRow),
      },
    ],
  };
});

/** Counts the bits that are set, 8 for each element. Phase 2: scale[0] = length / Σ, or 0 */
export const blockScale = generator(dropBlockScale, (d, { mask: words }) => {
  const length = maskSize(d);
  if (length < SMALLEST) return undefined;
  const bytes = FLOAT * words!;
  return planOfTotal(
    {
      ...{ name: "drop_block_scale_bytes_i64", fixed: length },
      ...{ array: "mask", length: bytes, size: 1, strip: STRIP },
      prepare: (f) => {
        const { f64, i32, i64 } = f;
        const bits = f.local("bits", "i64");
        return (mask, left) => {
          f.set(bits, 0n);
          f.whileAtLeast(left, 8, () => {
            f.set(bits, i64.add(bits, i64.popcnt(i64.load(mask, { align: FLOAT }))));
            f.advance(mask, 8);
          });
          f.whileAtLeast(left, 4, () => {
            f.set(bits, i64.add(bits, i64.extend_i32_u(i32.popcnt(i32.load(mask)))));
            f.advance(mask, 4);
          });
          return f64.mul(f64.convert_i64_u(bits), 1 / 8);
        };
      },
    },
    (f, total, { scale }) => {
      const { f32, f64 } = f;
      // What fills up the last word counts as if it stayed.
      f.set(total, f64.sub(total, bytes - length));
      const inverse = f.let("inverse", f64.div(length, total));
      f32.store(scale, f32.demote_f64(f.select(inverse, 0, f64.gt(total, 0))));
    },
  );
});

/** Prepares `xs ← xs · mask · scale` for neighbouring vectors, an even number; what it returns writes the code. */
export function masking(
  f: FunctionBuilder,
  scale: I32,
  vectors: number,
): (xs: readonly V128[], mask: I32) => void {
  const { f32x4, i32x4, v128 } = f;
  const factor = f.let("factor", v128.load32_splat(scale));
  const pairs = f.locals("pair", "v128", vectors / 2);
  return (xs, mask) => {
    f.setEach(pairs, (i) => v128.load8x8_s(mask, { offset: 8 * i, align: FLOAT }));
    f.setEach(xs, (v) => {
      const pair = pairs[v >> 1];
      const wide = v % 2 === 0 ? i32x4.extend_low_i16x8_s(pair) : i32x4.extend_high_i16x8_s(pair);
      return f32x4.mul(v128.and(wide, factor), xs[v]);
    });
  };
}

/** y = x · mask · scale: element by element, or pixel by pixel where the channels share a mask */
export const blockApply = generator(dropBlockApply, ({ C, maskC }, { y: length }) => {
  if (length! < SMALLEST) return undefined;
  const isShared = maskC < C;
  return {
    name: `drop_block_apply_${isShared ? "shared" : "bytes"}_f32_4x4_simd`,
    fixed: isShared && C,
    phases: [
      {
        items: isShared ? length! / C : length!,
        grain: isShared ? Math.ceil(MEMORY_GRAIN / C) : MEMORY_GRAIN,
        write: (f, { from, to, arrays: { y, x, mask, scale } }) => {
          const { f32, f32x4, i32 } = f;
          const one = f.let("one", f32.load(scale));
          const factor = () => f.select(one, 0, i32.load8_u(mask));
          if (isShared) {
            const all = f.local("all", "v128");
            const count = f.local("count", "i32");
            for (const pointer of [y, x]) f.advance(pointer, from, FLOAT * C);
            f.forEachItem({ from, to }, [[mask, 1]], () => {
              f.set(all, f32x4.splat(factor()));
              f.set(count, C);
              const vectors = vectorsFor(C);
              stream(f, { pointers: { x, y }, reads: ["x"], writes: ["y"], count, vectors }, (values) =>
                f.setEach(values.y, (i) => f32x4.mul(values.x[i], all)),
              );
            });
            return;
          }
          const xs = f.locals("x", "v128", AT_ONCE / 4);
          const mask4 = masking(f, scale, xs.length);
          const count = f.let("count", i32.sub(to, from));
          for (const pointer of [y, x]) f.advance(pointer, from, FLOAT);
          f.advance(mask, from);
          f.whileAtLeast(count, AT_ONCE, () => {
            f.loadEach(xs, x);
            mask4(xs, mask);
            f.storeEach(xs, y);
            for (const pointer of [y, x]) f.advance(pointer, VECTOR * xs.length);
            f.advance(mask, AT_ONCE);
          });
          f.whileAtLeast(count, 1, () => {
            f32.store(y, f32.mul(f32.load(x), factor()));
            for (const pointer of [y, x]) f.advance(pointer, FLOAT);
            f.advance(mask, 1);
          });
        },
      },
    ],
  };
});

/** The smallest 32-bit number that is not below `value`: a 32-bit number is below the one where it is below the other. */
function roundUp(value: number): number {
  const nearest = Math.fround(value);
  if (nearest >= value) return nearest;
  const bits = new Int32Array(new Float32Array([nearest]).buffer);
  bits[0]++;
  return new Float32Array(bits.buffer)[0];
}

export const dropMask = valuewise(dropoutMask, (f, { rate }) => {
  const limit = f.constant("limit", roundUp(rate));
  const kept = f.constant("kept", 1 / (1 - rate));
  return (noise) => f.v128.andnot(kept, f.f32x4.lt(noise, limit));
});

// DropBlock and dropout: masks from noise, and what is done with them.
//
//   dropBlock.mask    mask = 0 in the blocks around seeds, else 1
//   dropBlock.scale   scale = how many elements the mask has / how many of them are 1, or 0
//   dropBlock.apply   y = x · mask · scale, with one mask for all channels or one for each
//   dropout.mask      mask = noise < rate ? 0 : 1 / (1 - rate)

import {
  type DropBlockDims,
  dropBlockApply,
  dropBlockMask,
  dropBlockScale,
  dropoutMask,
  walkOver,
} from "@saunet/core";
import type { FunctionBuilder, Local } from "../asm/index.ts";
import { type Generator, generator } from "../plan.ts";
import { elementwise } from "./elementwise.ts";
import { sumOfAll } from "./reduce.ts";
import { constant, FLOAT, MEMORY_GRAIN, moveBy, SMALLEST, setEach, stream, whileAtLeast } from "./stream.ts";
import { alongWalk } from "./walk.ts";

type I32 = Local<"i32">;

/**
 * Phase 1: mask = 1
 * Phase 2, each row where seeds may lie: every element that is a seed sets the block around it to 0. Seeds are few, so
 *   four elements are tested at once and blocks are written one by one. Blocks of different rows overlap; whoever
 *   comes, writes 0.
 */
export const blockMask: Generator = generator(dropBlockMask, (d: DropBlockDims) => {
  const { N, H, W, maskC, BH, BW, firstRow, endRow, firstColumn, endColumn, keepRate } = d;
  const length = N * H * W * maskC;
  if (length < SMALLEST) return undefined;
  const name = "drop_block_mask_f32_4x1_simd";
  const rows = Math.max(0, endRow - firstRow);
  const seedsInRow = Math.max(0, endColumn - firstColumn) * maskC;
  /** From an element to the first of the block around it, back. */
  const toBlock = FLOAT * ((BH >> 1) * W + (BW >> 1)) * maskC;

  /** mask[block around the element at `at`] = 0, as far as rows reach */
  const dropBlock = (f: FunctionBuilder, at: I32, height: I32) => {
    const [rowsLeft, columnsLeft, pointer] = f.locals("block", "i32", 3);
    f.set(pointer, f.i32.sub(at, toBlock));
    f.set(rowsLeft, height);
    whileAtLeast(f, rowsLeft, 1, () => {
      f.set(columnsLeft, BW);
      whileAtLeast(f, columnsLeft, 1, () => {
        f.f32.store(pointer, 0);
        f.advance(pointer, FLOAT * maskC);
      });
      f.advance(pointer, FLOAT * (W - BW) * maskC);
    });
  };

  return {
    name,
    key: `${name} ${JSON.stringify(d)}`,
    phases: [
      {
        items: length,
        grain: MEMORY_GRAIN,
        write: (f, { from, to, arrays: { mask } }) => {
          const one = constant(f, "one", 1);
          const count = f.let("count", f.i32.sub(to, from));
          moveBy(f, mask, from);
          stream(f, { pointers: { mask }, reads: [], writes: ["mask"], count, vectors: 4 }, (values) => {
            setEach(f, values.mask, () => one);
          });
        },
      },
      {
        items: N * rows,
        grain: Math.ceil(MEMORY_GRAIN / (W * maskC)),
        write: (f, { from, to, arrays: { mask, noise } }) => {
          const { f32x4, i32, i32x4, v128 } = f;
          const one = constant(f, "one", 1);
          const keep = constant(f, "keep", keepRate);
          const [item, row, place, noiseAt, maskAt, left, seeds, height] = f.locals("index", "i32", 8);
          /** Which of four elements are seeds, as bits: those where noise + keepRate ≥ 1 is not true. */
          const seedsAmong = (noise4: ReturnType<typeof v128.load>) =>
            i32x4.bitmask(v128.not(f32x4.ge(f32x4.add(noise4, keep), one)));
          const advance = (elements: number) => {
            f.advance(noiseAt, FLOAT * elements);
            f.advance(maskAt, FLOAT * elements);
          };
          f.forRange(item, { from, to }, () => {
            const image = f.let("image", i32.div_u(item, rows));
            f.set(row, i32.add(i32.sub(item, i32.mul(image, rows)), firstRow));
            f.set(place, i32.add(i32.mul(i32.add(i32.mul(image, H), row), W), firstColumn));
            f.set(place, i32.mul(place, FLOAT * maskC));
            f.set(noiseAt, i32.add(noise, place));
            f.set(maskAt, i32.add(mask, place));
            // The last rows may lie so low that the block reaches over the edge.
            f.set(height, i32.sub(H + (BH >> 1), row));
            f.set(height, f.select(height, BH, i32.lt_s(height, BH)));
            f.set(left, seedsInRow);
            whileAtLeast(f, left, 4, () => {
              f.set(seeds, seedsAmong(v128.load(noiseAt, { align: FLOAT })));
              f.if(seeds, () => {
                for (let lane = 0; lane < 4; lane++)
                  f.if(i32.and(seeds, 1 << lane), () => {
                    const at = f.let("at", i32.add(maskAt, FLOAT * lane));
                    dropBlock(f, at, height);
                  });
              });
              advance(4);
            });
            whileAtLeast(f, left, 1, () => {
              f.set(seeds, seedsAmong(v128.load32_zero(noiseAt)));
              f.if(i32.and(seeds, 1), () => dropBlock(f, maskAt, height));
              advance(1);
            });
          });
        },
      },
    ],
  };
});

/** Phase 1 is that of a sum over everything. Phase 2: scale[0] = length / Σ, or 0 */
export const blockScale: Generator = generator(dropBlockScale, (_, { mask: length }) => {
  if (length! < SMALLEST) return undefined;
  const name = "drop_block_scale_f32_4x4_simd";
  const { phases, ...plan } = sumOfAll<{ scale: unknown; mask: unknown }>(
    name,
    length!,
    "mask",
    (f, total, { scale }) => {
      const { f32, f64 } = f;
      const inverse = f.let("inverse", f64.div(length!, total));
      f32.store(scale, f32.demote_f64(f.select(inverse, 0, f64.gt(total, 0))));
    },
  );
  return { ...plan, key: `${name} ${length}`, phases };
});

export const blockApply: Generator = alongWalk(dropBlockApply, {
  name: "drop_block_apply",
  walk: ({ N, H, W, C, maskC }: DropBlockDims) =>
    walkOver(
      [N, H, W, C],
      [
        [N, H, W, C],
        [N, H, W, C],
        [N, H, W, maskC],
      ],
    ),
  arrays: ["y", "x", "mask"],
  prepare: (f, _, { arrays: { scale } }) => {
    const factor = f.let("factor", f.v128.load32_splat(scale));
    return ({ y, x, mask }) => setEach(f, y, (i) => f.f32x4.mul(x[i], f.f32x4.mul(mask[i], factor)));
  },
});

/** The smallest 32-bit number that is not below `value`: a 32-bit number is below the one where it is below the other. */
function roundUp(value: number): number {
  const nearest = Math.fround(value);
  if (nearest >= value) return nearest;
  const bits = new Int32Array(new Float32Array([nearest]).buffer);
  bits[0]++;
  return new Float32Array(bits.buffer)[0];
}

export const dropMask: Generator = elementwise(dropoutMask, {
  name: "dropout_mask",
  reads: ["noise"],
  writes: ["mask"],
  vectors: 4,
  grain: MEMORY_GRAIN,
  prepare: (f, { rate }) => {
    const limit = constant(f, "limit", roundUp(rate));
    const kept = constant(f, "kept", 1 / (1 - rate));
    return ({ mask, noise }) => setEach(f, mask, (i) => f.v128.andnot(kept, f.f32x4.lt(noise[i], limit)));
  },
});

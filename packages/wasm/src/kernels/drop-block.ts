// DropBlock and dropout: masks, and what is done with them.
//
//   dropBlock.draw    mask = 0 in the blocks around seeds, else 1; the gaps between seeds are drawn
//   dropBlock.scale   scale = how many elements the mask has / how many of them are 1, or 0
//   dropBlock.apply   y = x · mask · scale, with one mask for all channels or one for each
//   dropout.mask      mask = noise < rate ? 0 : 1 / (1 - rate)

import {
  type DropBlockDims,
  dropBlockApply,
  dropBlockDraw,
  dropBlockScale,
  dropoutMask,
  exactKey,
  type FlatArray,
  type Kernel,
  type Walk,
  walkOver,
} from "@saunet/core/kernels";
import type { FunctionBuilder } from "../asm/index.ts";
import { type Generator, generator, type Plan } from "../plan.ts";
import { elementwise } from "./elementwise.ts";
import { filling } from "./movement.ts";
import { COUNTER, KEY, moveCounter, threefryOfOne } from "./random.ts";
import { cut } from "./ranges.ts";
import { ofFloats, planOfTotal, type Summing } from "./reduce.ts";
import { constant, FLOAT, type I32, MEMORY_GRAIN, SMALLEST, setEach, whileAtLeast } from "./stream.ts";

/** Steps of the search among the limits of 1,023 gaps. */
const STEPS = [512, 256, 128, 64, 32, 16, 8, 4, 2, 1] as const;

type DrawArrays<M> = Omit<Parameters<typeof dropBlockDraw>[0], "mask"> & { mask: M };

/**
 * Phase 1: mask = 1, or 255 where elements are bytes
 * Phase 2, each row where seeds may lie: while the row goes on, draw a word and find its gap; after the gap lies a
 *   seed, whose block becomes 0. Blocks of different rows overlap; whoever comes, writes 0.
 * Phase 3: the counter moves on by what all rows may have drawn.
 *
 * @param size bytes of an element of the mask
 */
export const drawing = <M extends FlatArray>(
  kernel: Kernel<DrawArrays<M>, DropBlockDims>,
  size: 1 | typeof FLOAT,
): Generator => generator(kernel, (d: DropBlockDims) => planOfDraw<M>(d, size));

function planOfDraw<M>(d: DropBlockDims, size: 1 | typeof FLOAT): Plan<DrawArrays<M>> | undefined {
  const { N, H, W, maskC, BH, BW, firstRow, endRow, firstColumn, endColumn } = d;
  const length = N * H * W * maskC;
  if (length < SMALLEST) return undefined;
  const name = size === FLOAT ? "drop_block_draw_f32_4x4_simd" : "drop_block_draw_bytes_simd";
  const rows = Math.max(0, endRow - firstRow);
  const seedsInRow = Math.max(0, endColumn - firstColumn) * maskC;
  const pairsInRow = Math.ceil(seedsInRow / 2);
  /** From an element to the first of the block around it, back. */
  const toBlock = size * ((BH >> 1) * W + (BW >> 1)) * maskC;

  /** mask[block around the element at `at`] = 0, as far as rows reach */
  const dropBlock = (f: FunctionBuilder, at: I32, height: I32) => {
    const [rowsLeft, columnsLeft, pointer] = f.locals("block", "i32", 3);
    f.set(pointer, f.i32.sub(at, toBlock));
    f.set(rowsLeft, height);
    whileAtLeast(f, rowsLeft, 1, () => {
      f.set(columnsLeft, BW);
      whileAtLeast(f, columnsLeft, 1, () => {
        if (size === FLOAT) f.f32.store(pointer, 0);
        else f.i32.store8(pointer, 0);
        f.advance(pointer, size * maskC);
      });
      f.advance(pointer, size * (W - BW) * maskC);
    });
  };

  return {
    name,
    key: `${name} ${exactKey(d)}`,
    phases: [
      size === FLOAT
        ? filling("mask", length, 1)
        : {
            items: length,
            grain: MEMORY_GRAIN,
            write: (f, { from, to, arrays: { mask } }) =>
              f.memory.fill(f.i32.add(mask, from), 255, f.i32.sub(to, from)),
          },
      {
        items: N * rows,
        // A seed takes as long as some dozen elements of a stream.
        grain: Math.ceil(MEMORY_GRAIN / (W * maskC)),
        write: (f, { from, to, arrays: { mask, limits, state } }) => {
          const { i32, i64 } = f;
          const [item, row, maskAt, left, gapAt, gap, height, isSecond, word] = f.locals("index", "i32", 9);
          const counter = f.local("counter", "i64");
          const first = f.let("first", i64.load(state, { offset: COUNTER[0], align: FLOAT }));
          const keys = KEY.map((offset, i) => f.let(`key${i}`, i32.load(state, { offset })));
          const draw = threefryOfOne(f, keys);
          f.forRange(item, { from, to }, () => {
            const image = f.let("image", i32.div_u(item, rows));
            f.set(row, i32.add(i32.sub(item, i32.mul(image, rows)), firstRow));
            const pixel = i32.add(i32.mul(i32.add(i32.mul(image, H), row), W), firstColumn);
            f.set(maskAt, f.at(mask, pixel, size * maskC));
            // The last rows may lie so low that the block reaches over the edge.
            cut(f, height, row, H + (BH >> 1), BH);
            f.set(counter, i64.add(first, i64.extend_i32_u(i32.mul(item, pairsInRow))));
            f.set(isSecond, 0);
            f.set(left, seedsInRow);
            f.block((done) => {
              f.loop((again) => {
                f.brIf(done, i32.le_s(left, 0));
                f.if(
                  isSecond,
                  () => f.set(word, draw.second),
                  () => {
                    draw.hash(counter);
                    f.set(counter, i64.add(counter, 1n));
                    f.set(word, draw.first);
                  },
                );
                f.set(isSecond, i32.xor(isSecond, 1));
                f.set(gapAt, limits);
                for (const step of STEPS) {
                  const isBeyond = i32.ge_u(word, i32.load(gapAt, { offset: FLOAT * (step - 1) }));
                  f.set(gapAt, i32.add(gapAt, i32.mul(isBeyond, FLOAT * step)));
                }
                f.set(gap, i32.shr_u(i32.sub(gapAt, limits), 2));
                f.set(left, i32.sub(left, gap));
                f.advance(maskAt, i32.mul(gap, size));
                f.if(i32.and(i32.gt_s(left, 0), i32.lt_u(gap, 2 * STEPS[0] - 1)), () => {
                  dropBlock(f, maskAt, height);
                  f.advance(maskAt, size);
                  f.advance(left, -1);
                });
                f.br(again);
              });
            });
          });
        },
      },
      {
        items: 1,
        write: (f, { arrays: { state } }) => moveCounter(f, state, N * rows * pairsInRow),
      },
    ],
  };
}

export const blockDraw: Generator = /* @__PURE__ */ drawing(dropBlockDraw, FLOAT);

/** Phase 1 is that of a sum over everything. Phase 2: scale[0] = length / Σ, or 0 */
export const scaling = (
  name: string,
  length: number,
  how: Summing,
): Plan<{ readonly scale: unknown; readonly mask: unknown }> =>
  planOfTotal({ name, array: "mask", length, ...how }, (f, total, { scale }) => {
    const { f32, f64 } = f;
    const inverse = f.let("inverse", f64.div(length, total));
    f32.store(scale, f32.demote_f64(f.select(inverse, 0, f64.gt(total, 0))));
  });

export const blockScale: Generator = generator(dropBlockScale, (_, { mask: length }) =>
  length! < SMALLEST ? undefined : scaling("drop_block_scale_f32_4x4_simd", length!, ofFloats),
);

/** The map, twice, and the mask beside it. */
function walkOf({ N, H, W, C, maskC }: DropBlockDims): Walk {
  const shape = [N, H, W, C];
  return walkOver(shape, [shape, shape, [N, H, W, maskC]]);
}

export const blockApply: Generator = elementwise(
  dropBlockApply,
  { name: "drop_block_apply", reads: ["x", "mask"], writes: ["y"], walk: walkOf, grain: MEMORY_GRAIN },
  (f, _, { arrays: { scale } }) => {
    const factor = f.let("factor", f.v128.load32_splat(scale));
    return ({ y, x, mask }) => setEach(f, y, (i) => f.f32x4.mul(x[i], f.f32x4.mul(mask[i], factor)));
  },
);

/** The smallest 32-bit number that is not below `value`: a 32-bit number is below the one where it is below the other. */
function roundUp(value: number): number {
  const nearest = Math.fround(value);
  if (nearest >= value) return nearest;
  const bits = new Int32Array(new Float32Array([nearest]).buffer);
  bits[0]++;
  return new Float32Array(bits.buffer)[0];
}

export const dropMask: Generator = elementwise(
  dropoutMask,
  { name: "dropout_mask", reads: ["noise"], writes: ["mask"], grain: MEMORY_GRAIN },
  (f, { rate }) => {
    const limit = constant(f, "limit", roundUp(rate));
    const kept = constant(f, "kept", 1 / (1 - rate));
    return ({ mask, noise }) => setEach(f, mask, (i) => f.v128.andnot(kept, f.f32x4.lt(noise[i], limit)));
  },
);

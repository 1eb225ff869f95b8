// What DropBlock leaves of a gradient is summed up on the way: the gradient of the convolution's bias before it.

import {
  type DropBlockDims,
  dropBlockApply,
  exactKey,
  type Floats,
  kernel,
  type ScaledWalk,
  sumForward,
  type Walk,
} from "@saunet/core/kernels";
import { DOUBLE } from "../asm/index.ts";
import { masking } from "../kernels/drop-block.ts";
import { SMALLEST } from "../kernels/stream.ts";
import { addingStrips, type Strips, stripPhase, summing, sumStrip } from "../kernels/strips.ts";
import { type Generator, generator } from "../plan.ts";
import { type Fusion, joinPair } from "./rewrite.ts";

type Arrays = Parameters<typeof dropBlockApply>[0] & { sums: Floats };

/** From the map to one number for each channel. */
const overPositions = ({ N, H, W, C }: DropBlockDims): Walk => ({
  shape: [N * H * W, C],
  strides: [
    [C, 1],
    [0, 1],
  ],
});

const applySums = /* @__PURE__ */ kernel(
  "dropBlock.applySums",
  { ...dropBlockApply.roles, sums: "write" },
  ({ sums, ...arrays }: Arrays, d: DropBlockDims) => {
    dropBlockApply.reference(arrays, d);
    sumForward.reference({ out: sums, x: arrays.y }, { walk: overPositions(d), scale: 1 });
  },
  { inPlace: { y: "x" }, types: dropBlockApply.types },
);

/** Strips of all positions of all images, which are summed up together. */
const stripsOf = ({ N, H, W, C }: DropBlockDims): Strips => summing({ N: 1, P: N * H * W, C }, 4);

/** A mask is read for pairs of vectors, so a channel has a mask of its own and vectors come in pairs. */
const suits = (d: DropBlockDims): boolean =>
  d.maskC === d.C && d.N * d.H * d.W * d.C >= SMALLEST && stripsOf(d).vectors % 2 === 0;

/** Sums over the positions of what a DropBlock has just written become its own. */
const withSums = /* @__PURE__ */ joinPair({
  place: "writer",
  reader: sumForward,
  operand: "x",
  result: "y",
  join: ({ kernel: { name }, buffers, dims }, sum) => {
    const drop = dims as DropBlockDims;
    const { walk, scale } = sum.dims as ScaledWalk;
    if (name !== dropBlockApply.name || scale !== 1 || !suits(drop)) return undefined;
    if (exactKey(walk) !== exactKey(overPositions(drop))) return undefined;
    return { kernel: applySums, buffers: { ...buffers, sums: sum.buffers.out }, dims: drop };
  },
});

export const dropBlockFusion: Fusion = { name: "dropBlock+sum", patterns: [withSums] };

/**
 * Phase 1, each strip: y = x · mask · scale, shared[strip, c] = Σ y
 * Phase 2, each channel: sums[c] = Σ shared[…, c]
 */
export const dropBlockGenerator: Generator = /* @__PURE__ */ generator(applySums, (d: DropBlockDims) => {
  if (!suits(d)) return undefined;
  const strips = stripsOf(d);
  const { P, C, perImage, vectors } = strips;
  return {
    name: `drop_block_sums_bytes_f32_4x${vectors}_simd`,
    fixed: [C, P],
    sharedBytes: DOUBLE * C * perImage,
    phases: [
      stripPhase(strips, (f, { shared, arrays: { y, x, mask, scale } }) => {
        const { f32x4, i32 } = f;
        const { ys, sums } = f.declare("v128", vectors);
        const mask4 = masking(f, scale, vectors);
        const maskAt = f.local("maskAt", "i32");
        return (strip) =>
          sumStrip(f, strips, strip, [x, y], { shared, sums: [sums] }, ([at, target]) => {
            f.loadEach(ys, at);
            f.set(maskAt, i32.add(i32.shr_u(i32.sub(at, x), 2), mask));
            mask4(ys, maskAt);
            f.storeEach(ys, target);
            f.setEach(sums, (v) => f32x4.add(sums[v], ys[v]));
          });
      }),
      addingStrips(C, { count: perImage, step: DOUBLE * C }, ["sums"]),
    ],
  };
});

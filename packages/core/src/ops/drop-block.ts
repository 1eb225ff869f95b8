// DropBlock: drops square blocks of each feature map, so that a convolution cannot read a dropped pixel off its
// neighbours (Ghiasi et al., arXiv 1810.12890). This is keras_cv 0.5.0's DropBlock2D, number for number:
//
//   seed[n,h,w,c]   noise < γ, and the block around it lies inside the map
//   mask[n,h,w,c]   0 in the blocks around seeds, else 1
//   y = x · mask · scale,   scale = 1 / mean(mask), one number for the whole batch
//   γ = rate · H W / (BH BW) / ((H - BH + 1) (W - BW + 1))
//
//   x, y [N,H,W,C]   noise, mask [N,H,W,C], or [N,H,W,1] where one mask serves all channels; noise uniform on [0, 1)
//
// A block reaches from B / 2 (rounded down) before its seed to (B - 1) / 2 after it. The scale lives in an array, not
// on the host, so that a recorded run can draw anew.
//
// Kept on purpose: the lower limit of the seeds' rows is worked out from the *width*, as in the source; it matters only
// where H ≠ W. Two departures, where the source gives NaN: a block larger than the map is cut to the map, and where
// everything is dropped the result is 0.

import { contribute, record } from "../autograd.ts";
import { expectBetween, expectInteger, expectRank, expectShape } from "../errors.ts";
import { type Floats, kernel } from "../kernel.ts";
import { type RandomState, uniform } from "../random.ts";
import { type Pair, pair, type Shape } from "../shape.ts";
import { allocate, empty, type Tensor } from "../tensor.ts";

/** What {@link dropBlock} drops. */
export interface DropBlockOptions {
  /** About the share of elements to drop, from 0 to 1. */
  readonly rate: number;
  /** Rows and columns of a block; 7 when left out. */
  readonly blockSize?: Pair;
  /** Whether all channels of an image lose the same blocks; each loses its own when left out. */
  readonly sharedMask?: boolean;
}

/** The integers of one DropBlock, and how likely an element is to stay without a seed on it. */
export interface DropBlockDims {
  readonly N: number;
  readonly H: number;
  readonly W: number;
  readonly C: number;
  /** Channels of noise and mask: C, or 1. */
  readonly maskC: number;
  readonly BH: number;
  readonly BW: number;
  /** Seeds lie in rows `firstRow … endRow - 1` and columns `firstColumn … endColumn - 1`. */
  readonly firstRow: number;
  readonly endRow: number;
  readonly firstColumn: number;
  readonly endColumn: number;
  /** `1 - γ`, rounded to 32 bits as in the source: an element is a seed where `noise + keepRate` stays below 1. */
  readonly keepRate: number;
}

/** Checks the image and the options and works out the integers. */
export function dropBlockDims(x: Shape, options: DropBlockOptions): DropBlockDims {
  expectRank("dropBlock", "x", x, 4, "[N,H,W,C]");
  const [N, H, W, C] = x as [number, number, number, number];
  const { rate, blockSize = 7, sharedMask = false } = options;
  expectBetween("dropBlock", "rate", rate, 0, 1);
  for (const extent of pair(blockSize)) expectInteger("dropBlock", "blockSize", extent, 1);
  const [BH, BW] = [Math.min(pair(blockSize)[0], H), Math.min(pair(blockSize)[1], W)];
  const gamma = (rate * H * W) / (BH * BW) / ((H - BH + 1) * (W - BW + 1));
  return Object.freeze({
    N,
    H,
    W,
    C,
    maskC: sharedMask ? 1 : C,
    BH,
    BW,
    firstRow: BH >> 1,
    endRow: Math.min(H, W - ((BH - 1) >> 1)),
    firstColumn: BW >> 1,
    endColumn: W - ((BW - 1) >> 1),
    keepRate: Math.fround(1 - gamma),
  });
}

/**
 * `mask = 0` in the blocks around seeds, else 1. Blocks are written one after the other: γ makes the blocks of all
 * seeds together about `rate` times the map, whatever their size, so this costs less than a moving maximum.
 */
export const dropBlockMask = kernel(
  "dropBlock.mask",
  { mask: "write", noise: "read" },
  ({ mask, noise }: { mask: Floats; noise: Floats }, d: DropBlockDims) => {
    const at = (n: number, h: number, w: number) => ((n * d.H + h) * d.W + w) * d.maskC;
    mask.fill(1);
    for (let n = 0; n < d.N; n++)
      for (let h = d.firstRow; h < d.endRow; h++)
        for (let w = d.firstColumn; w < d.endColumn; w++) {
          const pixel = at(n, h, w);
          for (let c = 0; c < d.maskC; c++) {
            if (Math.fround(noise[pixel + c] + d.keepRate) >= 1) continue;
            const top = h - (d.BH >> 1);
            const left = w - (d.BW >> 1);
            for (let y = top; y < Math.min(d.H, top + d.BH); y++)
              for (let x = left; x < left + d.BW; x++) mask[at(n, y, x) + c] = 0;
          }
        }
  },
);

/** `scale[0] = 1 / mean(mask)`, or 0 where the mask is all 0. */
export const dropBlockScale = kernel(
  "dropBlock.scale",
  { scale: "write", mask: "read" },
  ({ scale, mask }: { scale: Floats; mask: Floats }) => {
    let kept = 0;
    for (let i = 0; i < mask.length; i++) kept += mask[i];
    scale[0] = kept === 0 ? 0 : mask.length / kept;
  },
);

/** `y = x · mask · scale`; with `gy` for `x` it is the gradient. */
export const dropBlockApply = kernel(
  "dropBlock.apply",
  { y: "write", x: "read", mask: "read", scale: "read" },
  ({ y, x, mask, scale }: { y: Floats; x: Floats; mask: Floats; scale: Floats }, d: DropBlockDims) => {
    const channels = d.C / d.maskC;
    for (let i = 0, m = 0; m < mask.length; m++) {
      const factor = mask[m] * scale[0];
      for (let c = 0; c < channels; c++, i++) y[i] = x[i] * factor;
    }
  },
  { inPlace: { y: "x" } },
);

/**
 * Drops blocks at random. For training: at inference, leave it out.
 *
 * @param x feature maps `[N,H,W,C]`
 * @param state where the randomness comes from; drawing moves it on
 * @throws ShapeError where `x` has not four axes; RangeError on a rate or block size that is none
 * @example
 * const y = dropBlock(ones([1, 32, 32, 4]), randomState(1), { rate: 0.15, blockSize: 7 });
 * console.log(mean(y).item().toFixed(3)); // 1.000
 */
export function dropBlock(x: Tensor, state: RandomState, options: DropBlockOptions): Tensor {
  const { N, H, W, maskC } = dropBlockDims(x.shape, options);
  return dropBlockFromNoise(x, uniform([N, H, W, maskC], state), options);
}

/** {@link dropBlock} with given noise: `[N,H,W,C]`, or `[N,H,W,1]` with `sharedMask`. */
export function dropBlockFromNoise(x: Tensor, noise: Tensor, options: DropBlockOptions): Tensor {
  const d = dropBlockDims(x.shape, options);
  expectShape("dropBlock", "noise", noise.shape, [d.N, d.H, d.W, d.maskC]);
  const y = empty(x.shape);
  const [mask, scale] = [allocate(noise.size), allocate(1)];
  dropBlockMask({ mask, noise: noise.data }, d);
  dropBlockScale({ scale, mask }, undefined);
  dropBlockApply({ y: y.data, x: x.data, mask, scale }, d);
  return record("dropBlock", y, [x], (gy) =>
    contribute([x], (gx) => dropBlockApply({ y: gx, x: gy, mask, scale }, d)),
  );
}

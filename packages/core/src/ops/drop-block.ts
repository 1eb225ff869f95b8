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
// A mask has a byte for each element, four in a word: 255 where the element stays, 0 where it is dropped. Masks live from
// the forward pass to the backward pass: in SA-UNetv2 at 592x592 those of a step take 39 MB, as floats 154.
//
// Seeds are few (3 in 1,000 elements at 592x592), so they are not looked for in noise: the gap from one to the next in
// a row is drawn, which has the geometric distribution P(gap ≤ k) = 1 - (1 - γ)^(k+1). Drawing noise for every element
// took 14 % of a training step, this takes 2 %. Tests make masks from noise as the source does (`maskFromNoise`).
//
// A block reaches from B / 2 (rounded down) before its seed to (B - 1) / 2 after it. The scale lives in an array, not
// on the host, so that a recorded run can draw anew.
//
// Kept on purpose: the lower limit of the seeds' rows is worked out from the *width*, as in the source; it matters only
// where H ≠ W. Two departures, where the source gives NaN: a block larger than the map is cut to the map, and where
// everything is dropped the result is 0.

import { contribute, record } from "../autograd.ts";
import { expectBetween, expectInteger, expectOptions, expectRank, expectShape } from "../errors.ts";
import { type Floats, kernel } from "../kernel.ts";
import { type RandomState, skipWords, wordsAhead } from "../random.ts";
import { type Pair, pair, type Shape } from "../shape.ts";
import { allocate, allocateIndices, asTensor, empty, type Tensor } from "../tensor.ts";

/** What {@link dropBlock} drops. */
export interface DropBlockOptions {
  /** About the share of elements to drop, from 0 to 1. */
  readonly rate: number;
  /** Rows and columns of a block; default 7. */
  readonly blockSize?: Pair;
  /** Whether all channels of an image lose the same blocks; default: each loses its own. */
  readonly sharedMask?: boolean;
  /**
   * What the elements that stay are multiplied by, one number; default: one over the share of elements that stay. For a
   * part of a larger batch, which all of it shares one scale.
   */
  readonly scale?: Tensor | undefined;
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

/**
 * Checks the image and the options and works out the integers.
 *
 * @throws ShapeError where the image has not four axes; RangeError if a rate or block size is invalid
 * @example
 * console.log(dropBlockDims([1, 32, 32, 4], { rate: 0.15, blockSize: 7 }).BH); // 7
 */
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
 * Elements of a mask, a byte each.
 *
 * @example
 * console.log(maskSize(dropBlockDims([1, 5, 5, 2], { rate: 0.1, sharedMask: true }))); // 25
 */
export function maskSize({ N, H, W, maskC }: DropBlockDims): number {
  return N * H * W * maskC;
}

/** The bytes of a mask, those after its last element among them. */
const bytesOf = ({ buffer, byteOffset, byteLength }: Int32Array) =>
  new Uint8Array(buffer, byteOffset, byteLength);

/**
 * A mask, yet to be drawn.
 *
 * @example
 * console.log(allocateMask(dropBlockDims([1, 5, 5, 1], { rate: 0.1 })).length); // 7
 */
export function allocateMask(d: DropBlockDims): Int32Array {
  return allocateIndices(Math.ceil(maskSize(d) / 4));
}

/**
 * Zeros in the block around a seed: element `i` of a row, rows of all images counted through. Blocks are written one
 * after the other: γ makes those of all seeds together about `rate` times the map, so this costs less than a moving
 * maximum.
 *
 * @example
 * const d = dropBlockDims([1, 5, 5, 1], { rate: 0.1, blockSize: 3 });
 * const mask = new Uint8Array(25).fill(255);
 * dropAround(mask, d, 2, 2);
 * console.log(mask.filter((kept) => kept === 0).length); // 9
 */
export function dropAround(mask: Uint8Array, d: DropBlockDims, row: number, i: number): void {
  const bottom = Math.min(d.H - (row % d.H), d.BH - (d.BH >> 1));
  for (let y = row - (d.BH >> 1); y < row + bottom; y++)
    for (let x = 0; x < d.BW; x++) mask[y * d.W * d.maskC + i + (x - (d.BW >> 1)) * d.maskC] = 0;
}

/** Gaps below this are drawn; a longer one is so many elements without a seed and another draw. */
const LONG_GAP = 1023;

/**
 * `limits[k] = 2^32 · P(gap ≤ k)`: a random word below it stands for a gap of at most k.
 *
 * @example
 * console.log(gapLimits(0.5)[0] === 2 ** 31); // true
 */
export function gapLimits(gamma: number): Uint32Array {
  const limit = (_: unknown, k: number) => Math.min(2 ** 32 - 1, 2 ** 32 * (1 - (1 - gamma) ** (k + 1)));
  return Uint32Array.from({ length: LONG_GAP }, limit);
}

/**
 * The pairs of random words by which a draw moves its stream on: each seed moves on by an element at least, and a pair serves
 * two. Images take theirs one after the other.
 *
 * @example
 * const d = dropBlockDims([2, 8, 8, 4], { rate: 0.1, blockSize: 3 });
 * const state = randomState(1);
 * dropBlockDraw({ mask: allocateMask(d), limits: gapLimits(1 - d.keepRate), state }, d);
 * console.log(state[2] === wordPairs(d)); // true
 */
export function wordPairs(d: DropBlockDims): number {
  return d.N * Math.max(0, d.endRow - d.firstRow) * pairsOfRow(d);
}

const pairsOfRow = (d: DropBlockDims): number => Math.ceil(((d.endColumn - d.firstColumn) * d.maskC) / 2);

/** `mask = 0` in the blocks around seeds, else 255; the gaps between seeds are drawn, for each row on its own. */
export const dropBlockDraw = kernel(
  "dropBlock.draw",
  { mask: "write", limits: "read", state: "update" },
  (
    { mask, limits, state }: { mask: Int32Array; limits: Uint32Array; state: RandomState },
    d: DropBlockDims,
  ) => {
    mask.fill(-1);
    const bytes = bytesOf(mask);
    const [first, end] = [d.firstColumn * d.maskC, d.endColumn * d.maskC];
    const pairs = pairsOfRow(d);
    for (let n = 0, start = 0; n < d.N; n++)
      for (let h = d.firstRow; h < d.endRow; h++, start += pairs)
        for (let i = first, draws = 0; i < end; draws++) {
          const word = wordsAhead(state, start + (draws >> 1))[draws & 1];
          let gap = 0;
          for (let step = 512; step > 0; step >>= 1) if (word >= limits[gap + step - 1]) gap += step;
          i += gap;
          if (gap < LONG_GAP && i < end) dropAround(bytes, d, n * d.H + h, i++);
        }
    skipWords(state, wordPairs(d));
  },
  { types: { mask: "i32", limits: "u32", state: "u32" } },
);

/** `scale[0]`: one over the share of elements that stay, or 0 where none does. */
export const dropBlockScale = kernel(
  "dropBlock.scale",
  { scale: "write", mask: "read" },
  ({ scale, mask }: { scale: Floats; mask: Int32Array }, d: DropBlockDims) => {
    const bytes = bytesOf(mask);
    const size = maskSize(d);
    let kept = 0;
    for (let i = 0; i < size; i++) if (bytes[i] !== 0) kept++;
    scale[0] = kept === 0 ? 0 : size / kept;
  },
  { types: { mask: "i32" } },
);

/** `y = x · scale` where an element stays, else `x · 0`; with `gy` for `x` it is the gradient. */
export const dropBlockApply = kernel(
  "dropBlock.apply",
  { y: "write", x: "read", mask: "read", scale: "read" },
  ({ y, x, mask, scale }: { y: Floats; x: Floats; mask: Int32Array; scale: Floats }, d: DropBlockDims) => {
    const bytes = bytesOf(mask);
    const channels = d.C / d.maskC;
    for (let i = 0, m = 0; i < x.length; m++) {
      const factor = bytes[m] === 0 ? 0 : scale[0];
      for (let c = 0; c < channels; c++, i++) y[i] = x[i] * factor;
    }
  },
  { inPlace: { y: "x" }, types: { mask: "i32" } },
);

/**
 * Drops blocks at random. For training: at inference, leave it out.
 *
 * @param x feature maps `[N,H,W,C]`
 * @param state where the randomness comes from; drawing moves it on
 * @throws ShapeError where `x` has not four axes or `scale` is not one number; RangeError if a rate or block size is invalid
 * @example
 * const y = dropBlock(ones([1, 32, 32, 4]), randomState(1), { rate: 0.15, blockSize: 7 });
 * console.log(mean(y).item().toFixed(3)); // 1.000
 */
export function dropBlock(x: Tensor, state: RandomState, options: DropBlockOptions): Tensor {
  expectOptions("dropBlock", options, ["rate", "blockSize", "sharedMask", "scale"]);
  x = asTensor("dropBlock", "x", x);
  const scale = options.scale && asTensor("dropBlock", "scale", options.scale);
  if (scale !== undefined) expectShape("dropBlock", "scale", scale.shape, [1]);
  const d = dropBlockDims(x.shape, options);
  const mask = allocateMask(d);
  dropBlockDraw({ mask, limits: gapLimits(1 - d.keepRate), state }, d);
  return dropMasked(x, mask, d, scale?.data);
}

/**
 * {@link dropBlock} with a given mask, and a given scale where there is one.
 *
 * @example
 * const d = dropBlockDims([1, 1, 2, 1], { rate: 0.5, blockSize: 1 });
 * console.log(String(dropMasked(ones([1, 1, 2, 1]), new Int32Array([0xff]), d))); // Tensor [1,1,2,1] [[[[2], [0]]]]
 */
export function dropMasked(x: Tensor, mask: Int32Array, d: DropBlockDims, given?: Float32Array): Tensor {
  const y = empty(x.shape);
  const scale = given ?? allocate(1);
  if (given === undefined) dropBlockScale({ scale, mask }, d);
  dropBlockApply({ y: y.data, x: x.data, mask, scale }, d);
  return record("dropBlock", y, [x], (gy) =>
    contribute([x], (gx) => dropBlockApply({ y: gx, x: gy, mask, scale }, d)),
  );
}

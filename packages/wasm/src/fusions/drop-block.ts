// DropBlock in training.
//
// Its masks become bytes: drawn, counted and applied by nobody but DropBlock itself, they need not be floats. In SA-UNetv2
// at 592x592 the masks of a step take 39 MB instead of 154, which are kept from the forward pass to the backward pass and
// gone through four times.
//
// Backward, what it leaves of a gradient is summed up on the way: the gradient of the convolution's bias before it.

import {
  type AnyKernel,
  type DropBlockDims,
  dropBlockApply,
  dropBlockDraw,
  dropBlockScale,
  exactKey,
  kernel,
  type ScaledWalk,
  sumForward,
  type Walk,
} from "@saunet/core/kernels";
import {
  type ApplyArrays,
  byteApply,
  byteDraw,
  byteScale,
  byteSums,
  type DrawArrays,
  type ScaleArrays,
  type SumsArrays,
  suitsBytes,
  suitsSums,
} from "../kernels/drop-block-bytes.ts";
import type { Generator } from "../plan.ts";
import { absorbReader, type Fusion, type Pattern } from "./rewrite.ts";

/** The mask as floats of 0 and 1. */
const unpacked = ({ buffer, byteOffset, byteLength }: Uint32Array): Float32Array =>
  Float32Array.from(new Uint8Array(buffer, byteOffset, byteLength), (byte) => byte / 255);

const draw = /* @__PURE__ */ kernel(
  "dropBlock.drawBytes",
  dropBlockDraw.roles,
  ({ mask, ...others }: DrawArrays, d: DropBlockDims) => {
    const floats = new Float32Array(mask.byteLength);
    dropBlockDraw.reference({ mask: floats, ...others }, d);
    new Uint8Array(mask.buffer, mask.byteOffset, mask.byteLength).set(floats.map((kept) => 255 * kept));
  },
  { types: { mask: "u32", limits: "u32", state: "u32" } },
);

const scale = /* @__PURE__ */ kernel(
  "dropBlock.scaleBytes",
  dropBlockScale.roles,
  ({ scale, mask }: ScaleArrays, _: DropBlockDims) =>
    dropBlockScale.reference({ scale, mask: unpacked(mask) }, undefined),
  { types: { mask: "u32" } },
);

const apply = /* @__PURE__ */ kernel(
  "dropBlock.applyBytes",
  dropBlockApply.roles,
  ({ mask, ...others }: ApplyArrays, d: DropBlockDims) =>
    dropBlockApply.reference({ ...others, mask: unpacked(mask) }, d),
  { inPlace: { y: "x" }, types: { mask: "u32" } },
);

/** From the map to one number for each channel. */
const overPositions = ({ N, H, W, C }: DropBlockDims): Walk => ({
  shape: [N * H * W, C],
  strides: [
    [C, 1],
    [0, 1],
  ],
});

const applySums = /* @__PURE__ */ kernel(
  "dropBlock.applyBytesSums",
  { ...dropBlockApply.roles, sums: "write" },
  ({ sums, ...arrays }: SumsArrays, d: DropBlockDims) => {
    apply.reference(arrays, d);
    sumForward.reference({ out: sums, x: arrays.y }, { walk: overPositions(d), scale: 1 });
  },
  { inPlace: { y: "x" }, types: { mask: "u32" } },
);

const withBytes = /* @__PURE__ */ new Map<string, AnyKernel>([
  [dropBlockDraw.name, draw],
  [dropBlockScale.name, scale],
  [dropBlockApply.name, apply],
]);

/** A mask that DropBlock alone touches becomes bytes. */
const packMask: Pattern = ({ calls, uses, add }, at) => {
  const drawn = calls[at]!;
  if (drawn.kernel.name !== dropBlockDraw.name) return undefined;
  const { mask } = drawn.buffers;
  const dims = drawn.dims as DropBlockDims;
  const users = uses(mask);
  const isOwn = users.every((user) => {
    const { kernel, buffers, dims: own } = calls[user]!;
    const touching = Object.keys(buffers).filter((name) => buffers[name] === mask);
    const isOfMask = own === undefined || exactKey(own) === exactKey(dims);
    return withBytes.has(kernel.name) && isOfMask && touching.length === 1 && touching[0] === "mask";
  });
  if (users[0] !== at || !isOwn || !suitsBytes(dims)) return undefined;
  const packed = add({
    length: (dims.N * dims.H * dims.W * dims.maskC) / 4,
    type: "u32",
    external: undefined,
  });
  return users.map((user) => {
    const { kernel, buffers } = calls[user]!;
    const call = { kernel: withBytes.get(kernel.name)!, buffers: { ...buffers, mask: packed }, dims };
    return { at: user, call, absorbs: [] };
  });
};

/** Sums over the positions of what a DropBlock has just written become its own. */
const withSums = /* @__PURE__ */ absorbReader({
  reader: sumForward,
  operand: "x",
  result: "y",
  join: ({ kernel: { name }, buffers, dims }, sum) => {
    const drop = dims as DropBlockDims;
    const { walk, scale } = sum.dims as ScaledWalk;
    if (name !== apply.name || scale !== 1 || !suitsSums(drop)) return undefined;
    if (exactKey(walk) !== exactKey(overPositions(drop))) return undefined;
    return { kernel: applySums, buffers: { ...buffers, sums: sum.buffers.out }, dims: drop };
  },
});

export const dropBlockFusions: readonly Fusion[] = [
  { name: "dropBlock+bytes", patterns: [packMask] },
  { name: "dropBlock+sum", patterns: [withSums] },
];

export const dropBlockGenerators: readonly Generator[] = [
  /* @__PURE__ */ byteDraw(draw),
  /* @__PURE__ */ byteScale(scale),
  /* @__PURE__ */ byteApply(apply),
  /* @__PURE__ */ byteSums(applySums),
];

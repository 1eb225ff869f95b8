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
  kernel,
  type Program,
  type ProgramBuffer,
  type ProgramCall,
  type ScaledWalk,
  sumKernel,
  type Walk,
} from "@saunet/core";
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
import { type Fusion, privateUses } from "./fuse.ts";

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
);

const scale = /* @__PURE__ */ kernel(
  "dropBlock.scaleBytes",
  dropBlockScale.roles,
  ({ scale, mask }: ScaleArrays, _: DropBlockDims) =>
    dropBlockScale.reference({ scale, mask: unpacked(mask) }, undefined),
);

const apply = /* @__PURE__ */ kernel(
  "dropBlock.applyBytes",
  dropBlockApply.roles,
  ({ mask, ...others }: ApplyArrays, d: DropBlockDims) =>
    dropBlockApply.reference({ ...others, mask: unpacked(mask) }, d),
  { inPlace: { y: "x" } },
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
    sumKernel.reference({ out: sums, x: arrays.y }, { walk: overPositions(d), scale: 1 });
  },
  { inPlace: { y: "x" } },
);

const withBytes: ReadonlyMap<string, AnyKernel> = /* @__PURE__ */ new Map([
  [dropBlockDraw.name, draw as AnyKernel],
  [dropBlockScale.name, scale as AnyKernel],
  [dropBlockApply.name, apply as AnyKernel],
]);

/** Masks that DropBlock alone touches become bytes. */
function packMasks(program: Program): Program {
  const uses = privateUses(program);
  const buffers: ProgramBuffer[] = [...program.buffers];
  const calls = [...program.calls];
  program.calls.forEach((drawn, at) => {
    if (drawn.kernel.name !== dropBlockDraw.name) return;
    const { mask } = drawn.buffers;
    const users = uses(mask);
    const isOwn = users.every((user) => {
      const { kernel, buffers } = calls[user];
      const touching = Object.entries(buffers).filter(([, buffer]) => buffer === mask);
      return withBytes.has(kernel.name) && touching.length === 1 && touching[0][0] === "mask";
    });
    if (users[0] !== at || !isOwn || !suitsBytes(drawn.dims as DropBlockDims)) return;
    const packed = buffers.length;
    buffers.push({ length: buffers[mask!].length / 4, type: "u32", external: undefined });
    for (const user of users) {
      const { kernel, buffers } = calls[user];
      calls[user] = {
        kernel: withBytes.get(kernel.name)!,
        buffers: { ...buffers, mask: packed },
        dims: drawn.dims,
      };
    }
  });
  return { ...program, buffers, calls };
}

/** Sums over the positions of what a DropBlock has just written become its own. */
function joinSums(program: Program): Program {
  const calls: (ProgramCall | undefined)[] = [...program.calls];
  program.calls.forEach((sum, at) => {
    if (sum.kernel.name !== sumKernel.name) return;
    const place = calls.findIndex(
      (call) => call?.kernel.name === apply.name && call.buffers.y === sum.buffers.x,
    );
    if (place < 0 || place > at) return;
    const { buffers, dims } = calls[place]!;
    const drop = dims as DropBlockDims;
    const { walk, scale } = sum.dims as ScaledWalk;
    if (!suitsSums(drop) || scale !== 1 || JSON.stringify(walk) !== JSON.stringify(overPositions(drop)))
      return;
    calls[at] = undefined;
    calls[place] = {
      kernel: applySums as AnyKernel,
      buffers: { ...buffers, sums: sum.buffers.out },
      dims: drop,
    };
  });
  return { ...program, calls: calls.filter((call) => call !== undefined) };
}

export const dropBlockFusions: readonly Fusion[] = [
  { name: "dropBlock+bytes", rewrite: packMasks },
  { name: "dropBlock+sum", rewrite: joinSums },
];

export const dropBlockGenerators: readonly Generator[] = [
  /* @__PURE__ */ byteDraw(draw),
  /* @__PURE__ */ byteScale(scale),
  /* @__PURE__ */ byteApply(apply),
  /* @__PURE__ */ byteSums(applySums),
];

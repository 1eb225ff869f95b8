// Normalisation and the activation behind it in one pass over memory:
//
//   y = activation((x - mean) / sqrt(variance + epsilon) · gamma + beta)
//
// What is saved is one writing and one reading of every feature map: 308 MB of 32-bit floats in SA-UNetv2 at 592x592.
//
// SiLU's gradient needs its operand, the normalised map, which would have to be kept through the forward pass: 154 MB
// more. It is computed again instead, in the pass in which the gradient of the normalisation sums up.

import {
  type AnyKernel,
  type Floats,
  type GroupNormDims,
  groupNormForward,
  groupNormGradient,
  kernel,
  type Program,
  type ProgramCall,
  reluForward,
  siluForward,
  siluGradient,
} from "@saunet/core";
import { normalizing } from "../kernels/norm.ts";
import { type ActivatedArrays, activatedGradient } from "../kernels/norm-gradient.ts";
import type { Generator } from "../plan.ts";
import { type Fusion, joinPairs, type Pair, privateUses } from "./fuse.ts";

type Arrays = Parameters<typeof groupNormForward>[0];
type Activation = typeof siluForward;

function joined(name: string, activation: Activation) {
  return kernel(
    name,
    groupNormForward.roles,
    (arrays: Arrays, d: GroupNormDims) => {
      const { y } = arrays as { y: Floats };
      groupNormForward.reference(arrays, d);
      activation.reference({ y, x: y }, undefined as never);
    },
    { inPlace: { y: "x" } },
  );
}

/** `silu(groupNorm(x))` */
export const groupNormSilu = /* @__PURE__ */ joined("groupNorm.silu", siluForward);
/** `relu(groupNorm(x))` */
export const groupNormRelu = /* @__PURE__ */ joined("groupNorm.relu", reluForward);

/** The gradient of {@link groupNormSilu}. */
export const groupNormSiluGradient = /* @__PURE__ */ kernel(
  "groupNorm.siluGradient",
  { ...groupNormGradient.roles, beta: "read" },
  (arrays: ActivatedArrays, d: GroupNormDims) => {
    const y = arrays.x.slice();
    groupNormForward.reference({ ...arrays, y }, d);
    siluGradient.reference({ gx: y, gy: arrays.gy, x: y }, undefined as never);
    groupNormGradient.reference({ ...arrays, gy: y }, d);
  },
  { inPlace: { gx: "gy" } },
);

const normalizeThen = (activation: AnyKernel, both: AnyKernel): Pair => ({
  producer: groupNormForward as AnyKernel,
  result: "y",
  consumer: activation,
  operand: "x",
  join: (normalize, activate) => ({
    kernel: both,
    buffers: { ...normalize.buffers, y: activate.buffers.y },
    dims: normalize.dims,
  }),
});

const siluPair = /* @__PURE__ */ normalizeThen(siluForward as AnyKernel, groupNormSilu as AnyKernel);
const reluPair = /* @__PURE__ */ normalizeThen(reluForward as AnyKernel, groupNormRelu as AnyKernel);

/** The normalised map is read by SiLU and by its gradient, and by nobody else: both go without it. */
function joinSiluOfTraining(program: Program): Program {
  const { calls } = program;
  const uses = privateUses(program);
  const rewritten: (ProgramCall | undefined)[] = [...calls];
  const areKernels = (places: readonly number[], ...kernels: readonly { readonly name: string }[]) =>
    places.length === kernels.length && places.every((at, i) => calls[at].kernel.name === kernels[i].name);
  calls.forEach((normalize, at) => {
    const normalized = normalize.buffers.y;
    const reads = uses(normalized);
    if (!areKernels(reads, groupNormForward, siluForward, siluGradient) || reads[0] !== at) return;
    const [, silu, slope] = reads as [number, number, number];
    const gradients = uses(calls[slope].buffers.gx);
    if (!areKernels(gradients, siluGradient, groupNormGradient)) return;
    const gradient = gradients[1];
    if (calls[gradient].buffers.gy !== calls[slope].buffers.gx) return;
    rewritten[at] = undefined;
    rewritten[silu] = siluPair.join(normalize, calls[silu]);
    rewritten[slope] = undefined;
    rewritten[gradient] = {
      kernel: groupNormSiluGradient as AnyKernel,
      buffers: {
        ...calls[gradient].buffers,
        gy: calls[slope].buffers.gy,
        beta: normalize.buffers.beta,
      },
      dims: calls[gradient].dims,
    };
  });
  return { ...program, calls: rewritten.filter((call) => call !== undefined) };
}

export const normalizeActivateFusions: readonly Fusion[] = [
  { name: "normalize+silu", rewrite: (program) => joinSiluOfTraining(joinPairs(program, siluPair)) },
  { name: "normalize+relu", rewrite: (program) => joinPairs(program, reluPair) },
];

export const normalizeActivateGenerators: readonly Generator[] = [
  normalizing(groupNormSilu, "silu"),
  normalizing(groupNormRelu, "relu"),
  activatedGradient(groupNormSiluGradient, "silu"),
];

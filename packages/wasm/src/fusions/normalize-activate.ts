// Normalisation and the activation after it in one pass over memory:
//
//   y = activation((x - mean) / sqrt(variance + epsilon) · gamma + beta)
//
// What is saved is one writing and one reading of every feature map: 308 MB of 32-bit floats in SA-UNetv2 at 592x592.
//
// SiLU's gradient needs its operand, the normalised map, which would have to be kept through the forward pass: 154 MB
// more. It is computed again instead, in the pass in which the gradient of the normalisation sums up.

import {
  type AnyKernel,
  exactKey,
  type Floats,
  type GroupNormDims,
  groupNormForward,
  groupNormGradient,
  kernel,
  type ProgramCall,
  reluForward,
  siluForward,
  siluGradient,
} from "@saunet/core/kernels";
import { normalizing } from "../kernels/norm.ts";
import { type ActivatedArrays, activatedGradient } from "../kernels/norm-gradient.ts";
import type { Generator } from "../plan.ts";
import { type Fusion, joinPair, type Pattern } from "./rewrite.ts";

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

/** The call of {@link groupNormSilu} or {@link groupNormRelu} that writes what the activation wrote. */
const activatedCall = (normalize: ProgramCall, activate: ProgramCall, both: AnyKernel): ProgramCall => ({
  kernel: both,
  buffers: { ...normalize.buffers, y: activate.buffers.y },
  dims: normalize.dims,
});

const normalizeThen = (activation: AnyKernel, both: AnyKernel): Pattern =>
  joinPair({
    place: "reader",
    writer: groupNormForward,
    result: "y",
    reader: activation,
    operand: "x",
    join: (normalize, activate) => activatedCall(normalize, activate, both),
  });

/** Whether the gradient is of this very normalisation: of the same map by the same statistics and parameters. */
const isGradientOf = (gradient: ProgramCall, normalize: ProgramCall): boolean =>
  (["x", "mean", "variance", "gamma"] as const).every(
    (name) => gradient.buffers[name] === normalize.buffers[name],
  ) && exactKey(gradient.dims) === exactKey(normalize.dims);

/** The normalised map is read by SiLU and by its gradient, and by nobody else: both go without it. */
const siluOfTraining: Pattern = ({ calls, uses }, at) => {
  const areKernels = (places: readonly number[], ...kernels: readonly { readonly name: string }[]) =>
    places.length === kernels.length &&
    places.every((place, i) => calls[place]!.kernel.name === kernels[i].name);
  const normalize = calls[at]!;
  const normalized = normalize.buffers.y;
  const reads = uses(normalized);
  if (!areKernels(reads, groupNormForward, siluForward, siluGradient) || reads[0] !== at) return undefined;
  const [, silu, slope] = reads as [number, number, number];
  const { gx, gy } = calls[slope]!.buffers;
  const gradients = uses(gx);
  if (!areKernels(gradients, siluGradient, groupNormGradient)) return undefined;
  const gradient = calls[gradients[1]]!;
  const isChain =
    calls[silu]!.buffers.x === normalized &&
    calls[slope]!.buffers.x === normalized &&
    gradient.buffers.gy === gx;
  if (!isChain || !isGradientOf(gradient, normalize)) return undefined;
  return [
    { at: silu, call: activatedCall(normalize, calls[silu]!, groupNormSilu), absorbs: [at] },
    {
      at: gradients[1],
      call: {
        kernel: groupNormSiluGradient,
        buffers: { ...gradient.buffers, gy, beta: normalize.buffers.beta },
        dims: gradient.dims,
      },
      absorbs: [at, slope],
    },
  ];
};

export const normalizeActivateFusions: readonly Fusion[] = [
  {
    name: "normalize+silu",
    patterns: [/* @__PURE__ */ normalizeThen(siluForward, groupNormSilu), siluOfTraining],
  },
  {
    name: "normalize+relu",
    patterns: [/* @__PURE__ */ normalizeThen(reluForward, groupNormRelu)],
  },
];

export const normalizeActivateGenerators: readonly Generator[] = [
  normalizing(groupNormSilu, "silu"),
  normalizing(groupNormRelu, "relu"),
  activatedGradient(groupNormSiluGradient, "silu"),
];

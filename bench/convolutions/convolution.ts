// A single convolution as those who compute it are given it: its integers, and numbers that follow from them alone, so that
// nothing but integers goes from process to process.

import { type Conv2dDims, conv2dDims, convTranspose2dDims, groupedConv2dDims } from "@saunet/core/kernels";
import { makeOperands } from "../operands.ts";

/** What a line of a shape list says. */
export interface ConvolutionSpec {
  readonly op: "conv2d" | "convTranspose2d";
  readonly name: string;
  readonly N: number;
  readonly H: number;
  readonly W: number;
  readonly C: number;
  readonly KH: number;
  readonly KW: number;
  readonly O: number;
  readonly stride: number;
  readonly dilation: number;
  readonly groups: number;
  /** How often the network has it. */
  readonly count: number;
}

/** The kernels of a convolution. */
export const KERNELS = ["forward", "transposed", "filterGradient"] as const;
export type KernelName = (typeof KERNELS)[number];

/** The integers of core's kernels; for a transposed convolution those of the one that it mirrors. */
export function dimsOf(spec: ConvolutionSpec): Conv2dDims {
  const { op, name, N, H, W, C, KH, KW, O, stride, dilation, groups } = spec;
  if (op === "convTranspose2d") return convTranspose2dDims([N, H, W, C], [KH, KW, O, C], { stride });
  return groups === 1
    ? conv2dDims(name, [N, H, W, C], [KH, KW, C, O], { stride, dilation })
    : groupedConv2dDims(name, [N, H, W, C], [KH, KW, C / groups, O], { stride, dilation, groups });
}

/** The integers of a kernel call that tell it from others; `elements` where it has none but the length of its result. */
export function geometryOf(dims: unknown, elements: number): Record<string, number> {
  const integers = Object.entries(dims ?? {}).filter(
    (entry): entry is [string, number] => typeof entry[1] === "number" && entry[0] !== "flops",
  );
  return integers.length === 0 ? { elements } : Object.fromEntries(integers);
}

/** A convolution with its numbers. */
export interface Convolution {
  readonly spec: ConvolutionSpec;
  readonly dims: Conv2dDims;
  /** The image that comes in, `[N,H,W,C]` of the spec. */
  readonly x: Float32Array;
  /** `[KH,KW,C/groups,O]`; `[KH,KW,O,C]` of a transposed one. */
  readonly w: Float32Array;
}

/** Its numbers, the same in every process. */
export function makeConvolution(spec: ConvolutionSpec): Convolution {
  const dims = dimsOf(spec);
  const { x, w, gy } = makeOperands(dims);
  return { spec, dims, x: spec.op === "conv2d" ? x : gy, w };
}

/** Bytes of every operand and of the result, once: what has to cross the memory however it is computed. */
export function bytesOf({
  N,
  H,
  W,
  C,
  OH,
  OW,
  O,
  KH,
  KW,
  groups = 1,
}: Conv2dDims & { groups?: number }): number {
  return 4 * (N * H * W * C + (KH * KW * C * O) / groups + N * OH * OW * O);
}

// A convolution of a gated skip connection and what it is joined with: the joined map is never written.
//
//   y = conv2d([ a, b · gate ], w) + bias
//
// In SA-UNetv2 at 592x592 the three joined maps take 79 MB, which were written once and read once. Training keeps them:
// the gradient of the filter reads them too.

import { type AnyKernel, type Conv2dDims, conv2dForward, type Floats, kernel } from "@saunet/core";
import { chooseCorrelation } from "../kernels/conv/choose.ts";
import { forwardOf } from "../kernels/conv/geometry.ts";
import { planOf } from "../kernels/conv/steps.ts";
import { winogradSteps } from "../kernels/conv/winograd.ts";
import { type Generator, generator } from "../plan.ts";
import { type Fusion, joinPairs, type Pair } from "./fuse.ts";
import { type GateDims, gateConcat } from "./gate-concat.ts";

interface GatedConvDims extends GateDims {
  readonly conv: Conv2dDims;
}

interface GatedConvArrays {
  y: Floats;
  a: Floats;
  b: Floats;
  gate: Floats;
  w: Floats;
  bias: Floats | undefined;
}

/** See the head of this file. */
export const gatedConv = /* @__PURE__ */ kernel(
  "conv2d.gated",
  { y: "write", a: "read", b: "read", gate: "read", w: "read", bias: "read" },
  ({ y, a, b, gate, w, bias }: GatedConvArrays, { conv, ...channels }: GatedConvDims) => {
    const x = new Float32Array(a.length + b.length);
    gateConcat.reference({ y: x, a, b, gate }, channels);
    conv2dForward.reference({ y, x, w, b: bias }, conv);
  },
);

const pair: Pair = {
  producer: gateConcat as AnyKernel,
  result: "y",
  consumer: conv2dForward as AnyKernel,
  operand: "x",
  join: (join, convolve) => {
    const { A, B } = join.dims as GateDims;
    const conv = convolve.dims as Conv2dDims;
    const isWinograd = chooseCorrelation(forwardOf(conv)).algorithm === "winograd";
    if (!isWinograd || A % 4 !== 0 || B % 4 !== 0) return undefined;
    const { a, b, gate } = join.buffers;
    const { y, w, b: bias } = convolve.buffers;
    return {
      kernel: gatedConv as AnyKernel,
      buffers: { y, a, b, gate, w, bias },
      dims: { A, B, conv } satisfies GatedConvDims,
    };
  },
};

export const gatedConvFusion: Fusion = {
  name: "gate+concat+conv",
  rewrite: (program) => joinPairs(program, pair),
};

export const gatedConvGenerator: Generator = /* @__PURE__ */ generator(
  gatedConv,
  ({ B, conv }: GatedConvDims, { bias }, { relaxed }) => {
    const correlation = forwardOf(conv);
    const choice = chooseCorrelation(correlation);
    if (choice.algorithm !== "winograd") return undefined;
    const steps = winogradSteps(correlation, choice, relaxed, B);
    const hasBias = bias !== undefined;
    return planOf<keyof GatedConvArrays>(
      "conv2d_gated",
      steps,
      {
        ...{ input: "a", gated: "b", gate: "gate" },
        ...{ output: "y", filter: "w", bias: hasBias ? "bias" : undefined },
      },
      JSON.stringify([correlation, choice, B, hasBias, relaxed]),
    );
  },
);

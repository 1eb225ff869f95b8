// A convolution with what stands around it: the gated skip connection that it reads, and the statistics of its results.
//
//   x = [ input, gated · gate ]          where there is something gated
//   y = conv2d(x, w) + bias
//   mean, variance = statistics of y     where somebody asks for them
//
// The joined map x is never written: in SA-UNetv2 at 592x592 the three of them take 79 MB, which were written once and
// read once. (Training keeps them: the gradient of the filter reads them too.) And y is summed up while it lies in
// registers instead of being read again, 154 MB in all.

import {
  type Conv2dDims,
  conv2dForward,
  type Floats,
  forwardCorrelation,
  type GroupNormDims,
  groupNormStatistics,
  kernel,
  type ProgramCall,
} from "@saunet/core/kernels";
import { type Choice, chooseCorrelation } from "../kernels/conv/choose.ts";
import { planOf } from "../kernels/conv/steps.ts";
import { winogradSteps } from "../kernels/conv/winograd.ts";
import { type CodeFeatures, type Generator, generator } from "../plan.ts";
import { type GateDims, gateConcat } from "./gate-concat.ts";
import { type Fusion, joinPair } from "./rewrite.ts";

interface JoinedDims {
  readonly conv: Conv2dDims;
  /** How many of the input's channels are gated: the last ones. */
  readonly gatedChannels: number;
  /** Of y, where there are statistics. */
  readonly norm: GroupNormDims | undefined;
}

interface JoinedArrays {
  y: Floats;
  mean: Floats | undefined;
  variance: Floats | undefined;
  input: Floats;
  gated: Floats | undefined;
  gate: Floats | undefined;
  w: Floats;
  bias: Floats | undefined;
}

/** See the head of this file. */
export const joinedConv = /* @__PURE__ */ kernel(
  "conv2d.joined",
  {
    ...({ y: "write", mean: "write", variance: "write" } as const),
    ...({ input: "read", gated: "read", gate: "read", w: "read", bias: "read" } as const),
  },
  ({ y, mean, variance, input, gated, gate, w, bias }: JoinedArrays, d: JoinedDims) => {
    let x = input;
    if (gated && gate) {
      x = new Float32Array(input.length + gated.length);
      const channels = { A: d.conv.C - d.gatedChannels, B: d.gatedChannels };
      gateConcat.reference({ y: x, a: input, b: gated, gate }, channels);
    }
    conv2dForward.reference({ y, x, w, b: bias }, d.conv);
    if (mean && variance && d.norm) groupNormStatistics.reference({ mean, variance, x: y }, d.norm);
  },
);

const choose = (conv: Conv2dDims, { convolutions }: CodeFeatures): Choice =>
  chooseCorrelation(forwardCorrelation(conv), convolutions);

/** A convolution, joined to nothing yet; `undefined` where it is not one of Winograd's. */
function asJoined({ kernel, buffers, dims }: ProgramCall, features: CodeFeatures) {
  if (kernel.name === joinedConv.name) return { kernel, buffers, dims: dims as JoinedDims };
  const conv = dims as Conv2dDims;
  if (kernel.name !== conv2dForward.name || choose(conv, features).algorithm !== "winograd") return undefined;
  const { y, x: input, w, b: bias } = buffers;
  const joined: JoinedDims = { conv, gatedChannels: 0, norm: undefined };
  return { kernel: joinedConv, buffers: { y, input, w, bias }, dims: joined };
}

/** A convolution of a gated concatenation. */
const ofGated = /* @__PURE__ */ joinPair({
  place: "reader",
  writer: gateConcat,
  result: "y",
  reader: conv2dForward,
  operand: "x",
  join: (join, convolve, features) => {
    const { A, B } = join.dims as GateDims;
    const alone = asJoined(convolve, features);
    if (alone === undefined || A % 4 !== 0 || B % 4 !== 0) return undefined;
    const { a: input, b: gated, gate } = join.buffers;
    return {
      ...alone,
      buffers: { ...alone.buffers, input, gated, gate },
      dims: { ...alone.dims, gatedChannels: B } satisfies JoinedDims,
    };
  },
});

/** Statistics of what a convolution has just written become its own. */
const withStatistics = /* @__PURE__ */ joinPair({
  place: "writer",
  reader: groupNormStatistics,
  operand: "x",
  result: "y",
  join: (writer, statistics, features) => {
    const convolution = asJoined(writer, features);
    if (convolution === undefined) return undefined;
    const { conv, norm: known } = convolution.dims;
    const norm = statistics.dims as GroupNormDims;
    // Strips of tiles go on from one image to the next, their sums must not.
    if (known || norm.N !== 1 || conv.N !== 1 || norm.C !== conv.O || norm.C % 4 !== 0) return undefined;
    const { mean, variance } = statistics.buffers;
    return {
      ...convolution,
      buffers: { ...convolution.buffers, mean, variance },
      dims: { ...convolution.dims, norm } satisfies JoinedDims,
    };
  },
});

export const joinedConvFusions: readonly Fusion[] = [
  { name: "gate+concat+conv", patterns: [ofGated] },
  { name: "conv+statistics", patterns: [withStatistics] },
];

export const joinedConvGenerator: Generator = /* @__PURE__ */ generator(
  joinedConv,
  ({ conv, gatedChannels, norm }: JoinedDims, { bias }, features) => {
    const choice = choose(conv, features);
    if (choice.algorithm !== "winograd") return undefined;
    return planOf(
      "conv2d_joined",
      winogradSteps(forwardCorrelation(conv), choice, features.relaxed, { gatedChannels, norm }),
      {
        ...{ input: "input", output: "y", filter: "w", bias: bias === undefined ? undefined : "bias" },
        ...(gatedChannels > 0 && { gated: "gated", gate: "gate" }),
        ...(norm && { mean: "mean", variance: "variance" }),
      },
    );
  },
);

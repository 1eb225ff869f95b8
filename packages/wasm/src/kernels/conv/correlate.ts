// conv2d.forward, conv2d.transposed and conv2d.filterGradient. The first two are one computation with the roles of the
// arrays exchanged: a correlation, whose geometry core works out.

import {
  type Conv2dDims,
  type Correlation,
  conv2dFilterGradient,
  conv2dForward,
  conv2dTransposed,
  forwardCorrelation,
  type Kernel,
  transposedCorrelation,
} from "@saunet/core/kernels";
import { type CodeFeatures, type Generator, generator, nameOf } from "../../plan.ts";
import { type Choose, chooseCorrelation, chooseGradient } from "./choose.ts";
import { depthwiseSteps } from "./depthwise.ts";
import { depthwiseGradientSteps } from "./depthwise-gradient.ts";
import { directSteps } from "./direct.ts";
import { directGradientSteps } from "./direct-gradient.ts";
import { planarSteps } from "./planar.ts";
import { type Names, planOf, type Steps } from "./steps.ts";
import { winogradSteps } from "./winograd.ts";
import { winogradGradientSteps } from "./winograd-gradient.ts";

/** What is computed by one kernel of all channels and by another in groups of them. */
export interface Kind {
  readonly correlationOf: typeof forwardCorrelation;
  /** Without the bias, which may be absent. */
  readonly names: Names;
  readonly written: "output" | "filter";
  readonly steps: (c: Correlation, features: CodeFeatures, choose?: Choose) => Steps;
  /** Of each channel by itself; `undefined` where the geometry does not suit. */
  readonly depthwise: (channels: Correlation, relaxed: boolean) => Steps | undefined;
}

export const forward: Kind = {
  correlationOf: forwardCorrelation,
  names: { input: "x", output: "y", filter: "w" },
  written: "output",
  steps: correlationSteps,
  depthwise: depthwiseSteps,
};
export const transposed: Kind = {
  ...forward,
  correlationOf: transposedCorrelation,
  names: { input: "y", output: "x", filter: "w" },
};
export const gradient: Kind = {
  correlationOf: forwardCorrelation,
  names: { input: "x", output: "gy", filter: "gw" },
  written: "filter",
  steps: gradientSteps,
  depthwise: depthwiseGradientSteps,
};

/** What a call's operands are called. */
export const namesIn = ({ names }: Kind, lengths: object): Names =>
  "b" in lengths && lengths.b !== undefined ? { ...names, bias: "b" } : names;

const convolving =
  <A>(kernel: Kernel<A, Conv2dDims>, kind: Kind) =>
  (choose?: Choose): Generator =>
    generator(kernel, (d, lengths, features) => {
      const steps = kind.steps(kind.correlationOf(d), features, choose);
      return planOf(nameOf(kernel), steps, namesIn(kind, lengths));
    });

/** `conv2d.forward`, `conv2d.transposed` and `conv2d.filterGradient`, each with a way of choosing. */
export const forwardWith = /* @__PURE__ */ convolving(conv2dForward, forward);
export const transposedWith = /* @__PURE__ */ convolving(conv2dTransposed, transposed);
export const gradientWith = /* @__PURE__ */ convolving(conv2dFilterGradient, gradient);

/** What fills core's convolution kernels without groups. */
export const conv2dGenerators: readonly Generator[] = [
  ...[/* @__PURE__ */ forwardWith(), /* @__PURE__ */ transposedWith(), /* @__PURE__ */ gradientWith()],
];

/** The phases of a correlation by the algorithm that is chosen. */
function correlationSteps(
  c: Correlation,
  { relaxed, convolutions }: CodeFeatures,
  choose: Choose = chooseCorrelation,
): Steps {
  const choice = choose(c, convolutions);
  switch (choice.algorithm) {
    case "winograd":
      return winogradSteps(c, choice, relaxed);
    case "planar":
      return planarSteps(c, relaxed);
    case "direct":
      return directSteps(c, relaxed);
  }
}

/** The phases of the gradient of a correlation's filter. */
function gradientSteps(
  c: Correlation,
  { relaxed, convolutions }: CodeFeatures,
  choose: Choose = chooseGradient,
): Steps {
  const choice = choose(c, convolutions);
  return choice.algorithm === "winograd"
    ? winogradGradientSteps(c, choice, relaxed)
    : directGradientSteps(c, relaxed);
}

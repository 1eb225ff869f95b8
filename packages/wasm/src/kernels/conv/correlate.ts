// conv2d.forward, conv2d.transposed and conv2d.filterGradient. The first two are one computation with the roles of the
// arrays exchanged: a correlation, whose geometry core works out.

import {
  type Correlation,
  conv2dFilterGradient,
  conv2dForward,
  conv2dTransposed,
  forwardCorrelation,
  transposedCorrelation,
} from "@saunet/core/kernels";
import { type CodeFeatures, type Generator, generator, nameOf } from "../../plan.ts";
import { type Choose, chooseCorrelation, chooseGradient } from "./choose.ts";
import { directSteps } from "./direct.ts";
import { directGradientSteps } from "./direct-gradient.ts";
import { planarSteps } from "./planar.ts";
import { type Names, planOf, type Steps } from "./steps.ts";
import { winogradSteps } from "./winograd.ts";
import { winogradGradientSteps } from "./winograd-gradient.ts";

/** What the kernels call their operands. */
export const forwardNames: Names<"x" | "y" | "w"> = { input: "x", output: "y", filter: "w" };
export const transposedNames: Names<"x" | "y" | "w"> = { input: "y", output: "x", filter: "w" };
export const gradientNames = { input: "x", output: "gy", filter: "gw" } as const;

/** The name of a bias that may be absent. */
export const biasName = (b: unknown): "b" | undefined => (b === undefined ? undefined : "b");

const correlating =
  (kernel: typeof conv2dForward, correlationOf: typeof forwardCorrelation, names: typeof forwardNames) =>
  (choose?: Choose): Generator =>
    generator(kernel, (d, { b }, features) => {
      const steps = correlationSteps(correlationOf(d), features, choose);
      return planOf(nameOf(kernel), steps, { ...names, bias: biasName(b) });
    });

/** `conv2d.forward` with a way of choosing. */
export const forwardWith = /* @__PURE__ */ correlating(conv2dForward, forwardCorrelation, forwardNames);

/** `conv2d.transposed` with a way of choosing. */
export const transposedWith = /* @__PURE__ */ correlating(
  conv2dTransposed,
  transposedCorrelation,
  transposedNames,
);

/** `conv2d.filterGradient` with a way of choosing. */
export const gradientWith = (choose?: Choose) =>
  generator(conv2dFilterGradient, (d, _, features) =>
    planOf("conv2d_filter_gradient", gradientSteps(forwardCorrelation(d), features, choose), gradientNames),
  );

/** The phases of a correlation by the algorithm that is chosen. */
export function correlationSteps(
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
export function gradientSteps(
  c: Correlation,
  { relaxed, convolutions }: CodeFeatures,
  choose: Choose = chooseGradient,
): Steps {
  const choice = choose(c, convolutions);
  return choice.algorithm === "winograd"
    ? winogradGradientSteps(c, choice, relaxed)
    : directGradientSteps(c, relaxed);
}

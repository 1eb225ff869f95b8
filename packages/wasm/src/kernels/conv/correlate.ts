// conv2d.forward and conv2d.transposed: one computation with the roles of the arrays exchanged (geometry.ts).

import { conv2dForward, conv2dTransposed, exactKey } from "@saunet/core/kernels";
import { type CodeFeatures, generator } from "../../plan.ts";
import { type Choice, type Choose, chooseCorrelation, keepingTo } from "./choose.ts";
import { directSteps } from "./direct.ts";
import { dotSteps } from "./dot.ts";
import { type Correlation, forwardOf, transposedOf } from "./geometry.ts";
import { planarSteps } from "./planar.ts";
import { type Names, planOf, type Steps } from "./steps.ts";
import { winogradSteps } from "./winograd.ts";

/** `conv2d.forward` with a way of choosing. */
export const forwardWith = (choose: Choose) =>
  generator(conv2dForward, (d, { b }, features) => {
    const bias = b === undefined ? undefined : "b";
    const names = { input: "x", output: "y", filter: "w", bias } as const;
    return plan("conv2d", forwardOf(d), names, choose, features);
  });

/** `conv2d.transposed` with a way of choosing. */
export const transposedWith = (choose: Choose) =>
  generator(conv2dTransposed, (d, { b }, features) => {
    const bias = b === undefined ? undefined : "b";
    const names = { input: "y", output: "x", filter: "w", bias } as const;
    return plan("conv2d_transposed", transposedOf(d), names, choose, features);
  });

export const forward = /* @__PURE__ */ forwardWith(chooseCorrelation);
export const transposed = /* @__PURE__ */ transposedWith(chooseCorrelation);

function plan<N extends string>(
  kernel: string,
  correlation: Correlation,
  names: Names<N>,
  choose: Choose,
  { relaxed, convolutions }: CodeFeatures,
) {
  const choice = keepingTo(convolutions, choose)(correlation);
  const hasBias = names.bias !== undefined;
  const steps = stepsOf(correlation, choice, hasBias, relaxed);
  // Most code goes row by row, whatever image a row is of; the other needs to know how many images there are.
  const rowByRow = choice.algorithm === "direct" || choice.algorithm === "planar";
  const geometry = rowByRow ? { ...correlation, N: 0 } : correlation;
  return planOf(kernel, steps, names, exactKey([geometry, choice, hasBias, relaxed]));
}

/** The phases of a correlation by the algorithm that was chosen. */
export function stepsOf(c: Correlation, choice: Choice, hasBias: boolean, relaxed: boolean): Steps {
  switch (choice.algorithm) {
    case "winograd":
      return winogradSteps(c, choice, relaxed);
    case "planar":
      return planarSteps(c, relaxed);
    case "dot":
      return dotSteps(c, relaxed);
    case "direct":
      return directSteps(c, hasBias, relaxed);
  }
}

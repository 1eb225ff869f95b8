// conv2d.filterGradient.

import { conv2dFilterGradient, exactKey } from "@saunet/core/kernels";
import { generator } from "../../plan.ts";
import { type Choose, chooseGradient, keepingTo } from "./choose.ts";
import { directGradientSteps } from "./direct-gradient.ts";
import { forwardOf } from "./geometry.ts";
import { planOf } from "./steps.ts";
import { winogradGradientSteps } from "./winograd-gradient.ts";

/** `conv2d.filterGradient` with a way of choosing. */
export const gradientWith = (choose: Choose) =>
  generator(conv2dFilterGradient, (d, _, { relaxed, convolutions }) => {
    const correlation = forwardOf(d);
    const choice = keepingTo(convolutions, choose)(correlation);
    const steps =
      choice.algorithm === "winograd"
        ? winogradGradientSteps(correlation, choice, relaxed)
        : directGradientSteps(correlation, relaxed);
    const names = { input: "x", output: "gy", filter: "gw", bias: undefined } as const;
    return planOf("conv2d_filter_gradient", steps, names, exactKey([correlation, choice, relaxed]));
  });

export const gradient = /* @__PURE__ */ gradientWith(chooseGradient);

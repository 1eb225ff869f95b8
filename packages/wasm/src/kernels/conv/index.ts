// The convolutions.

import type { Generator } from "../../plan.ts";
import { forwardWith, gradientWith, transposedWith } from "./correlate.ts";
import * as grouped from "./grouped.ts";

/** What fills core's convolution kernels. */
export const convGenerators: readonly Generator[] = [
  ...[/* @__PURE__ */ forwardWith(), /* @__PURE__ */ transposedWith(), /* @__PURE__ */ gradientWith()],
  ...[grouped.forward, grouped.transposed, grouped.gradient],
];

// The convolutions.

import type { Generator } from "../../plan.ts";
import { forward, transposed } from "./correlate.ts";
import { gradient } from "./gradient.ts";
import {
  forward as groupedForward,
  gradient as groupedGradient,
  transposed as groupedTransposed,
} from "./grouped.ts";

/** What fills core's convolution kernels. */
export const convGenerators: readonly Generator[] = [
  ...[forward, transposed, gradient],
  ...[groupedForward, groupedTransposed, groupedGradient],
];

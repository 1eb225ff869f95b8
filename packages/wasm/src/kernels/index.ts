// Every kernel that has WebAssembly, a line a file.

import type { Generator } from "../plan.ts";
import { relu, reluBackward, sigmoid, sigmoidBackward, silu, siluBackward } from "./activation.ts";
import { add, div, mul, sub } from "./arithmetic.ts";
import { forward as groupNorm, statistics } from "./norm.ts";
import { gradient as groupNormBackward } from "./norm-gradient.ts";
import { max, maxBackward, stretch, sum } from "./reduce.ts";

/** What fills core's kernels. */
export const generators = [
  ...[add, sub, mul, div],
  ...[sum, stretch, max, maxBackward],
  ...[statistics, groupNorm, groupNormBackward],
  ...[relu, reluBackward, sigmoid, sigmoidBackward, silu, siluBackward],
] as readonly unknown[] as readonly Generator[];

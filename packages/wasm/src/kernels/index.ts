// Every kernel that has WebAssembly, a line a file.

import type { Generator } from "../plan.ts";
import { relu, reluBackward, sigmoid, sigmoidBackward, silu, siluBackward } from "./activation.ts";
import { add, div, gradientCopy, gradientSum, mul, sub } from "./arithmetic.ts";
import { convGenerators } from "./conv/index.ts";
import { blockApply, blockDraw, blockScale, dropMask } from "./drop-block.ts";
import { crossEntropy, crossEntropyBackward } from "./losses.ts";
import { concat, gather, scatter, split } from "./movement.ts";
import { forward as groupNorm, statistics } from "./norm.ts";
import { gradient as groupNormBackward } from "./norm-gradient.ts";
import { adam, sgd } from "./optimizers.ts";
import { maxPool, maxPoolBackward } from "./pool.ts";
import { uniform } from "./random.ts";
import { max, maxBackward, stretch, sum } from "./reduce.ts";

/** What fills core's kernels. */
export const generators: readonly Generator[] = [
  ...[add, sub, mul, div, gradientSum, gradientCopy],
  ...[sum, stretch, max, maxBackward],
  ...[statistics, groupNorm, groupNormBackward],
  ...[maxPool, maxPoolBackward],
  ...convGenerators,
  ...[gather, scatter, concat, split],
  ...[uniform, blockDraw, blockScale, blockApply, dropMask],
  ...[crossEntropy, crossEntropyBackward],
  ...[sgd, adam],
  ...[relu, reluBackward, sigmoid, sigmoidBackward, silu, siluBackward],
];

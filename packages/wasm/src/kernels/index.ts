// Every kernel that has WebAssembly, a line a file.

import type { Generator } from "../plan.ts";
import {
  gradientOfLeakyRelu,
  gradientOfRelu,
  gradientOfSigmoid,
  gradientOfSilu,
  leakyRelu,
  relu,
  sigmoid,
  silu,
} from "./activation.ts";
import { arithmetics } from "./arithmetic.ts";
import { compare, gradientOfExtreme, where } from "./choice.ts";
import { conv2dGenerators } from "./conv/correlate.ts";
import { groupedGenerators } from "./conv/grouped.ts";
import { blockApply, blockDraw, blockScale, dropMask } from "./drop-block.ts";
import { gelu, gradientOfGelu } from "./gelu.ts";
import { gather as gatherEntries, gradientOfGather, oneHot } from "./indexing.ts";
import { crossEntropy, gradientOfCrossEntropy } from "./losses.ts";
import { matmul } from "./matmul.ts";
import { concat, gather, scatter, split } from "./movement.ts";
import { forward as groupNorm, statistics } from "./norm.ts";
import { gradient as groupNormBackward } from "./norm-gradient.ts";
import { adam, sgd } from "./optimizers.ts";
import { gradientOfMaxPool, maxPool } from "./pool.ts";
import { uniform } from "./random.ts";
import { gradientOfMax, max, stretch, sum } from "./reduce.ts";
import { gradientOfLogSoftmax, gradientOfSoftmax, logSoftmax, softmax } from "./softmax.ts";
import { gradientOfSoftmaxCrossEntropy, softmaxCrossEntropy } from "./softmax-cross-entropy.ts";
import { unary } from "./unary.ts";

/** What fills core's kernels. */
export const generators: readonly Generator[] = [
  ...arithmetics,
  ...[sum, stretch, max, gradientOfMax],
  ...[statistics, groupNorm, groupNormBackward],
  ...[maxPool, gradientOfMaxPool],
  ...conv2dGenerators,
  ...groupedGenerators,
  matmul,
  ...[gather, scatter, concat, split],
  ...[uniform, blockDraw, blockScale, blockApply, dropMask],
  ...[crossEntropy, gradientOfCrossEntropy],
  ...[sgd, adam],
  ...[gatherEntries, gradientOfGather, oneHot],
  ...[softmax, gradientOfSoftmax, logSoftmax, gradientOfLogSoftmax],
  ...[softmaxCrossEntropy, gradientOfSoftmaxCrossEntropy],
  ...[gradientOfExtreme, compare, where],
  ...[leakyRelu, gradientOfLeakyRelu],
  ...[gelu, gradientOfGelu],
  ...unary,
  ...[relu, gradientOfRelu, sigmoid, gradientOfSigmoid, silu, gradientOfSilu],
];

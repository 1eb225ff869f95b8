// What a user calls: tensors, operators, gradients, optimisers, programs, files. One line per operator file.
// What operators are made of is in kernels.ts.

export { backward, noGrad } from "./autograd.ts";
export { type BatchOptions, batches } from "./batches.ts";
export { capture, type Program } from "./capture.ts";
export { ShapeError } from "./errors.ts";
export { glorotUniform, heNormal } from "./initializers.ts";
export { relu, sigmoid, silu } from "./ops/activation.ts";
export { argmax } from "./ops/argmax.ts";
export { add, div, mul, sub } from "./ops/arithmetic.ts";
export { avgPool2d } from "./ops/avg-pool2d.ts";
export { expandDims, split, squeeze, stack } from "./ops/axes.ts";
export { type BatchNormOptions, batchNorm, type RunningStatistics } from "./ops/batch-norm.ts";
export { equal, greater, greaterEqual, less, lessEqual, notEqual } from "./ops/comparison.ts";
export { type ConvTranspose2dOptions, convTranspose2d } from "./ops/conv-transpose2d.ts";
export { type Conv1dOptions, conv1d } from "./ops/conv1d.ts";
export { conv2d } from "./ops/conv2d.ts";
export type { Conv2dOptions } from "./ops/conv2d-dims.ts";
export { cumsum } from "./ops/cumsum.ts";
export { type DropBlockOptions, dropBlock } from "./ops/drop-block.ts";
export { type DropoutOptions, dropout } from "./ops/dropout.ts";
export { maximum, minimum } from "./ops/extremes.ts";
export { gather } from "./ops/gather.ts";
export { type GeluOptions, gelu } from "./ops/gelu.ts";
export { type GroupNormOptions, groupNorm } from "./ops/group-norm.ts";
export { type LayerNormOptions, layerNorm } from "./ops/layer-norm.ts";
export { leakyRelu } from "./ops/leaky-relu.ts";
export { sigmoidCrossEntropy } from "./ops/losses.ts";
export { dense, type MatmulOptions, matmul } from "./ops/matmul.ts";
export { max } from "./ops/max.ts";
export { maxPool2d } from "./ops/max-pool2d.ts";
export { concat, pad, reshape, slice, transpose } from "./ops/movement.ts";
export { type NormOptions, norm } from "./ops/norm.ts";
export { oneHot } from "./ops/one-hot.ts";
export type { Pool2dOptions } from "./ops/pool2d-dims.ts";
export { type ResizeOptions, resize } from "./ops/resize.ts";
export { logSoftmax, softmax } from "./ops/softmax.ts";
export { type SoftmaxCrossEntropyOptions, softmaxCrossEntropy } from "./ops/softmax-cross-entropy.ts";
export { broadcastTo, mean, type ReduceOptions, sum } from "./ops/sum.ts";
export { abs, type ClipOptions, clip, exp, log, neg, pow, sqrt, tanh } from "./ops/unary.ts";
export { variance } from "./ops/variance.ts";
export { where } from "./ops/where.ts";
export {
  type AdamOptions,
  adam,
  adamW,
  clipGlobalNorm,
  type Optimizer,
  type Parameters,
  sgd,
} from "./optimizers.ts";
export { draw, normal, permutation, type RandomState, randomState, uniform } from "./random.ts";
export { type AbortSignalLike, prepare, type Runnable, type RunOptions } from "./run.ts";
export { type NamedTensors, readSafetensors, SafetensorsError, writeSafetensors } from "./safetensors.ts";
export {
  cosine,
  earlyStopping,
  type PlateauOptions,
  reduceOnPlateau,
  type Schedule,
  type Watch,
} from "./schedules.ts";
export type { AxisPadding, Padding, Pair, Shape } from "./shape.ts";
export { VERSION } from "./shared.ts";
export { full, type NestedNumbers, type Operand, ones, parameter, Tensor, tensor, zeros } from "./tensor.ts";

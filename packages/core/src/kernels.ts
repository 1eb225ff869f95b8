// What operators are made of, for accelerators and tools: kernels and their integers, walks, checks of arguments,
// recording, allocation, planning and running programs. Not needed to build, train or run a network (index.ts is for that).

export { contribute, copyOfGradient, pass, record, sumOfGradients } from "./autograd.ts";
export { forEachRun, joinAxes, type Walk, walkOver } from "./broadcast.ts";
export {
  type ProgramBuffer,
  type ProgramCall,
  type ProgramTensor,
  planProgram,
  shareInPlace,
} from "./capture.ts";
export {
  expectBetween,
  expectIndex,
  expectInteger,
  expectList,
  expectOptions,
  expectRank,
  expectShape,
  formatShape,
  kindOf,
  numberOrKind,
  quote,
} from "./errors.ts";
export { fans } from "./initializers.ts";
export {
  type AnyKernel,
  type Arrays,
  type ArrayType,
  type FlatArray,
  type Floats,
  installKernel,
  intercept,
  type Kernel,
  type KernelCall,
  type KernelFunction,
  type KernelOptions,
  kernel,
  kernelNames,
  type Role,
  watchKernels,
  withoutInterceptors,
  withReferences,
  writtenBy,
} from "./kernel.ts";
export { exactKey } from "./keys.ts";
export {
  reluForward,
  reluGradient,
  sigmoidForward,
  sigmoidGradient,
  siluForward,
  siluGradient,
} from "./ops/activation.ts";
export type { AxisDims } from "./ops/along-axis.ts";
export { argmaxForward } from "./ops/argmax.ts";
export { addForward, divForward, divGradient, mulForward, subForward } from "./ops/arithmetic.ts";
export { avgPool2dForward, avgPool2dGradient } from "./ops/avg-pool2d.ts";
export { batchNormUpdate } from "./ops/batch-norm.ts";
export { compareForward, type Relation } from "./ops/comparison.ts";
export { convTranspose2dDims } from "./ops/conv-transpose2d.ts";
export { conv2dFilterGradient, conv2dForward, conv2dTransposed } from "./ops/conv2d.ts";
export { type Conv2dDims, conv2dDims } from "./ops/conv2d-dims.ts";
export { type CumsumDims, cumsumForward } from "./ops/cumsum.ts";
export {
  allocateMask,
  type DropBlockDims,
  dropAround,
  dropBlockApply,
  dropBlockDims,
  dropBlockDraw,
  dropBlockScale,
  dropMasked,
  gapLimits,
  maskSize,
  wordPairs,
} from "./ops/drop-block.ts";
export { dropoutFromNoise, dropoutMask } from "./ops/dropout.ts";
export { type ExtremeDims, extremeGradient, maximumForward, minimumForward } from "./ops/extremes.ts";
export { type GatherDims, gatherForward, gatherGradient } from "./ops/gather.ts";
export { type GeluDims, geluForward, geluGradient } from "./ops/gelu.ts";
export {
  type GroupNormDims,
  groupNormDims,
  groupNormForward,
  groupNormGradient,
  groupNormStatistics,
} from "./ops/group-norm.ts";
export {
  groupedConv2dFilterGradient,
  groupedConv2dForward,
  groupedConv2dTransposed,
} from "./ops/grouped-conv2d.ts";
export { type GroupedConv2dDims, groupedConv2dDims } from "./ops/grouped-conv2d-dims.ts";
export { leakyReluForward, leakyReluGradient } from "./ops/leaky-relu.ts";
export { sigmoidCrossEntropyForward, sigmoidCrossEntropyGradient } from "./ops/losses.ts";
export { matmulForward } from "./ops/matmul.ts";
export { type MatmulDims, matmulDims, type Products } from "./ops/matmul-dims.ts";
export { maxForward, maxGradient } from "./ops/max.ts";
export { maxPool2dForward, maxPool2dGradient } from "./ops/max-pool2d.ts";
export {
  type Alternation,
  type Box,
  concatForward,
  readBox,
  splitForward,
  writeBox,
} from "./ops/movement.ts";
export { oneHotForward } from "./ops/one-hot.ts";
export { type Pool2dDims, pool2dDims } from "./ops/pool2d-dims.ts";
export { type ResizeDims, resizeDims, resizeForward, resizeGradient } from "./ops/resize.ts";
export { logSoftmaxForward, logSoftmaxGradient, softmaxForward, softmaxGradient } from "./ops/softmax.ts";
export {
  type SoftmaxCrossEntropyDims,
  softmaxCrossEntropyForward,
  softmaxCrossEntropyGradient,
} from "./ops/softmax-cross-entropy.ts";
export { reducedShapes, type ScaledWalk, stretchForward, sumForward } from "./ops/sum.ts";
export { type UnaryKernels, unaryKernels } from "./ops/unary.ts";
export { whereForward } from "./ops/where.ts";
export {
  type AdamDims,
  adamUpdate,
  addSquares,
  countStep,
  fillZero,
  scaleToNorm,
  sgdUpdate,
} from "./optimizers.ts";
export { type ArenaPlan, type Lifetime, planArena } from "./plan.ts";
export {
  type Axis,
  type AxisPhase,
  type Correlation,
  forwardCorrelation,
  transposedCorrelation,
} from "./portable/correlation.ts";
export { erfcTerms } from "./portable/erf.ts";
export { fromBfloat16, fromHalf, LARGEST_HALF, toHalf } from "./portable/half.ts";
export {
  expectInputs,
  type Pending,
  type Prepared,
  type Preparer,
  prepareWithKernels,
  type Work,
} from "./prepared.ts";
export { normalDraw, skipWords, threefry2x32, uniformDraw, wordsAhead } from "./random.ts";
export { installPreparer } from "./run.ts";
export {
  broadcastShapes,
  normalizeAxes,
  outputSize,
  pair,
  resolvePadding,
  samePadding,
  sizeOf,
  stridesOf,
} from "./shape.ts";
export { shared } from "./shared.ts";
export {
  type Allocator,
  allocate,
  allocateIndices,
  asTensor,
  empty,
  expectTensors,
  type History,
  installAllocator,
  withAllocator,
  withoutReading,
} from "./tensor.ts";

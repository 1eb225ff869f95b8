// Batch normalisation (Ioffe and Szegedy, ICML 2015), as Keras's fused layer computes it.
//
//   y = (x - mean) / sqrt(variance + epsilon) · gamma + beta
//
//   x, y [N,…,C]   gamma, beta, mean, variance [C]
//
// Training: mean and biased variance of the batch, and running statistics that follow them,
//   running ← running · momentum + batch · (1 - momentum),
// where the running variance takes the unbiased batch variance (times M / (M - 1), M values a channel).
// Inference: the running statistics. Keras's momentum is 0.99, its epsilon 1e-3.
//
// It is group normalisation of one image whose groups are single channels: the batch's images lie one after the
// other, so the statistics, forward and gradient kernels of group-norm.ts serve it unchanged.

import { contribute, record } from "../autograd.ts";
import { expectBetween, expectOptions, expectShape, formatShape, ShapeError } from "../errors.ts";
import { type Floats, kernel } from "../kernel.ts";
import { allocate, asTensor, empty, type Tensor } from "../tensor.ts";
import {
  type GroupNormDims,
  groupNormDims,
  groupNormForward,
  groupNormGradient,
  groupNormStatistics,
} from "./group-norm.ts";

/** The running statistics of a layer: no parameters, but they travel with them. Training changes them in place. */
export interface RunningStatistics {
  /** `[C]`, zeros at first. */
  readonly mean: Tensor;
  /** `[C]`, ones at first. */
  readonly variance: Tensor;
}

/** Which statistics to use. */
export interface BatchNormOptions {
  /** Whether to normalise by the batch and update the running statistics, or to use the running ones. */
  readonly training: boolean;
  /** How much of the running statistics stays at each update; default 0.99. */
  readonly momentum?: number;
  /** Keeps the root away from zero; default 1e-3. */
  readonly epsilon?: number;
}

type RunningUpdate = {
  runningMean: Floats;
  runningVariance: Floats;
  mean: Floats;
  variance: Floats;
};

/** Moves the running statistics towards those of the batch. */
export const batchNormUpdate = kernel(
  "batchNorm.update",
  { runningMean: "update", runningVariance: "update", mean: "read", variance: "read" },
  (
    { runningMean, runningVariance, mean, variance }: RunningUpdate,
    { d, momentum }: { d: GroupNormDims; momentum: number },
  ) => {
    const unbiased = d.P > 1 ? d.P / (d.P - 1) : 1;
    for (let c = 0; c < d.C; c++) {
      runningMean[c] = runningMean[c] * momentum + mean[c] * (1 - momentum);
      runningVariance[c] = runningVariance[c] * momentum + variance[c] * unbiased * (1 - momentum);
    }
  },
);

/**
 * Normalises every channel over the batch and all positions.
 *
 * @param x `[N,…,C]`
 * @param gamma scale of each channel `[C]`
 * @param beta shift of each channel `[C]`
 * @param running statistics of the layer; changed in place when training
 * @throws ShapeError where gamma, beta or a statistic is not `[C]`, or training is on no positions
 * @example
 * const running = { mean: zeros([1]), variance: ones([1]) };
 * const y = batchNorm(tensor([[1], [3]]), ones([1]), zeros([1]), running, { training: true, epsilon: 0 });
 * console.log(String(y), running.mean.item()); // Tensor [2,1] [[-1], [1]] 0.019999999552965164
 */
export function batchNorm(
  x: Tensor,
  gamma: Tensor,
  beta: Tensor,
  running: RunningStatistics,
  options: BatchNormOptions,
): Tensor {
  expectOptions("batchNorm", options, ["training", "momentum", "epsilon"]);
  const { training, momentum = 0.99, epsilon = 1e-3 } = options;
  x = asTensor("batchNorm", "x", x);
  gamma = asTensor("batchNorm", "gamma", gamma);
  beta = asTensor("batchNorm", "beta", beta);
  if (x.shape.length < 2) throw new ShapeError(`batchNorm: x must be [N,…,C] but is ${formatShape(x.shape)}`);
  expectBetween("batchNorm", "momentum", momentum, 0, 1);
  expectBetween("batchNorm", "epsilon", epsilon, 0, Number.MAX_VALUE);
  const C = x.shape.at(-1)!;
  const vectors = { gamma, beta, "running.mean": running.mean, "running.variance": running.variance };
  for (const [name, vector] of Object.entries(vectors)) expectShape("batchNorm", name, vector.shape, [C]);
  const positions = x.shape.slice(0, -1).reduce((product, size) => product * size, 1);
  if (training && positions === 0)
    throw new ShapeError(`batchNorm: x ${formatShape(x.shape)} has no positions to train on`);
  const d = { ...groupNormDims([1, positions, C], { groups: C, epsilon }), fixedStatistics: !training };

  const mean = training ? allocate(C) : running.mean.data;
  const variance = training ? allocate(C) : running.variance.data;
  if (training) {
    groupNormStatistics({ mean, variance, x: x.data }, d);
    batchNormUpdate(
      { runningMean: running.mean.data, runningVariance: running.variance.data, mean, variance },
      { d, momentum },
    );
  }
  const y = empty(x.shape);
  groupNormForward({ y: y.data, x: x.data, mean, variance, gamma: gamma.data, beta: beta.data }, d);
  return record("batchNorm", y, [x, gamma, beta], (gy) =>
    contribute([x, gamma, beta], (gx, gGamma, gBeta) =>
      groupNormGradient({ gx, gGamma, gBeta, gy, x: x.data, mean, variance, gamma: gamma.data }, d),
    ),
  );
}

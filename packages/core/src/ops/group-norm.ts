// Group normalisation (Wu and He, "Group normalization", ECCV 2018), as Keras and TensorFlow Addons compute it.
//
//   y = (x - mean) / sqrt(variance + epsilon) · gamma + beta
//
//   x, y [N,…,C]   gamma, beta [C]   mean, variance [N,G]
//
// The channels form G contiguous groups of C/G; mean and (biased) variance run over a group's channels and all
// positions of one image. They see zero padding too, so the result depends on how much of it there is.
// Epsilon is 1e-3, Keras's default; PyTorch's is 1e-5.

import { contribute, record } from "../autograd.ts";
import { expectBetween, expectOptions, expectShape, formatShape, ShapeError } from "../errors.ts";
import { type Floats, kernel } from "../kernel.ts";
import type { Shape } from "../shape.ts";
import { allocate, asTensor, empty, type Tensor } from "../tensor.ts";

/** How channels are grouped. */
export interface GroupNormOptions {
  readonly groups: number;
  /** Keeps the root away from zero; default 1e-3. */
  readonly epsilon?: number;
}

/** The integers of one group normalisation: N images of P positions and G groups of D channels. */
export interface GroupNormDims {
  readonly N: number;
  readonly P: number;
  readonly C: number;
  readonly G: number;
  readonly D: number;
  readonly epsilon: number;
  /** Whether mean and variance are constants (running statistics) and not computed from x. */
  readonly fixedStatistics: boolean;
  /** Per element: two for the sums, two to normalise, scale and shift. */
  readonly flops: number;
}

/**
 * Checks the shape against the groups and works out the integers.
 *
 * @throws ShapeError where the channels do not divide into the groups; RangeError where epsilon is negative
 * @example
 * console.log(groupNormDims([2, 8, 8, 32], { groups: 4 }).D); // 8
 */
export function groupNormDims(shape: Shape, { groups, epsilon = 1e-3 }: GroupNormOptions): GroupNormDims {
  if (shape.length < 2) throw new ShapeError(`groupNorm: x must be [N,…,C] but is ${formatShape(shape)}`);
  const N = shape[0];
  const C = shape.at(-1)!;
  if (!Number.isInteger(groups) || groups < 1 || C % groups !== 0) {
    throw new ShapeError(
      `groupNorm: groups ${groups} does not divide the ${C} channels of x ${formatShape(shape)}`,
    );
  }
  expectBetween("groupNorm", "epsilon", epsilon, 0, Number.MAX_VALUE);
  const P = shape.slice(1, -1).reduce((product, size) => product * size, 1);
  return Object.freeze({
    N,
    P,
    C,
    G: groups,
    D: C / groups,
    epsilon,
    fixedStatistics: false,
    flops: 7 * N * P * C,
  });
}

/** Mean and biased variance of every group. */
export const groupNormStatistics = kernel(
  "groupNorm.statistics",
  { mean: "write", variance: "write", x: "read" },
  ({ mean, variance, x }: { mean: Floats; variance: Floats; x: Floats }, d: GroupNormDims) => {
    const sum = new Float64Array(d.C);
    const sumOfSquares = new Float64Array(d.C);
    for (let n = 0; n < d.N; n++) {
      sum.fill(0);
      sumOfSquares.fill(0);
      for (let i = n * d.P * d.C; i < (n + 1) * d.P * d.C; i += d.C)
        for (let c = 0; c < d.C; c++) {
          const value = x[i + c];
          sum[c] += value;
          sumOfSquares[c] += value * value;
        }
      for (let g = 0; g < d.G; g++) {
        let total = 0;
        let totalOfSquares = 0;
        for (let c = g * d.D; c < (g + 1) * d.D; c++) {
          total += sum[c];
          totalOfSquares += sumOfSquares[c];
        }
        const average = total / (d.P * d.D);
        mean[n * d.G + g] = average;
        // In double the difference of squares loses nothing that a 32-bit input had.
        variance[n * d.G + g] = Math.max(0, totalOfSquares / (d.P * d.D) - average * average);
      }
    }
  },
);

type Normalized = {
  x: Floats;
  mean: Floats;
  variance: Floats;
  gamma: Floats;
};

/** `y = (x - mean) / sqrt(variance + epsilon) · gamma + beta`. */
export const groupNormForward = kernel(
  "groupNorm.forward",
  { y: "write", x: "read", mean: "read", variance: "read", gamma: "read", beta: "read" },
  ({ y, x, mean, variance, gamma, beta }: Normalized & { y: Floats; beta: Floats }, d: GroupNormDims) => {
    const scale = new Float64Array(d.C);
    const shift = new Float64Array(d.C);
    for (let n = 0; n < d.N; n++) {
      for (let c = 0; c < d.C; c++) {
        const group = n * d.G + Math.floor(c / d.D);
        scale[c] = gamma[c] / Math.sqrt(variance[group] + d.epsilon);
        shift[c] = beta[c] - mean[group] * scale[c];
      }
      for (let i = n * d.P * d.C; i < (n + 1) * d.P * d.C; i += d.C)
        for (let c = 0; c < d.C; c++) y[i + c] = x[i + c] * scale[c] + shift[c];
    }
  },
  { inPlace: { y: "x" } },
);

/**
 * With rstd = 1 / sqrt(variance + epsilon), x̂ = (x - mean) · rstd and averages over a group:
 * `gx = rstd · (gamma·gy - average(gamma·gy) - x̂ · average(gamma·gy·x̂))`, `gGamma = Σ gy·x̂`, `gBeta = Σ gy`.
 * Statistics that do not depend on x leave only `gx = rstd · gamma·gy`.
 */
export const groupNormGradient = kernel(
  "groupNorm.gradient",
  {
    gx: "write",
    gGamma: "write",
    gBeta: "write",
    gy: "read",
    x: "read",
    mean: "read",
    variance: "read",
    gamma: "read",
  },
  (
    {
      gx,
      gGamma,
      gBeta,
      gy,
      x,
      mean,
      variance,
      gamma,
    }: Normalized & { gx: Floats; gGamma: Floats; gBeta: Floats; gy: Floats },
    d: GroupNormDims,
  ) => {
    const sumsOfGy = new Float64Array(d.C);
    const sumsOfGyX = new Float64Array(d.C);
    // gx is linear in gy and x for each channel: gx = fromGy · gy + fromX · x + constant.
    const fromGy = new Float64Array(d.C);
    const fromX = new Float64Array(d.C);
    const constant = new Float64Array(d.C);
    const allGamma = new Float64Array(d.C);
    const allBeta = new Float64Array(d.C);
    for (let n = 0; n < d.N; n++) {
      sumsOfGy.fill(0);
      sumsOfGyX.fill(0);
      const start = n * d.P * d.C;
      const end = start + d.P * d.C;
      for (let i = start; i < end; i += d.C)
        for (let c = 0; c < d.C; c++) {
          const gradient = gy[i + c];
          sumsOfGy[c] += gradient;
          sumsOfGyX[c] += gradient * x[i + c];
        }
      for (let g = 0; g < d.G; g++) {
        const average = mean[n * d.G + g];
        const rstd = 1 / Math.sqrt(variance[n * d.G + g] + d.epsilon);
        let sumOfGradients = 0;
        let sumOfProducts = 0;
        for (let c = g * d.D; c < (g + 1) * d.D; c++) {
          const gradientTimesNormalized = (sumsOfGyX[c] - average * sumsOfGy[c]) * rstd;
          allGamma[c] += gradientTimesNormalized;
          allBeta[c] += sumsOfGy[c];
          sumOfGradients += gamma[c] * sumsOfGy[c];
          sumOfProducts += gamma[c] * gradientTimesNormalized;
        }
        const count = d.fixedStatistics ? Number.POSITIVE_INFINITY : d.P * d.D;
        for (let c = g * d.D; c < (g + 1) * d.D; c++) {
          fromGy[c] = rstd * gamma[c];
          fromX[c] = (-rstd * rstd * sumOfProducts) / count;
          constant[c] = (-rstd * sumOfGradients) / count - fromX[c] * average;
        }
      }
      for (let i = start; i < end; i += d.C)
        for (let c = 0; c < d.C; c++) gx[i + c] = fromGy[c] * gy[i + c] + fromX[c] * x[i + c] + constant[c];
    }
    gGamma.set(allGamma);
    gBeta.set(allBeta);
  },
  { inPlace: { gx: "gy" } },
);

/**
 * Normalises groups of channels of every image on its own.
 *
 * @param x `[N,…,C]`
 * @param gamma scale of each channel `[C]`
 * @param beta shift of each channel `[C]`
 * @throws ShapeError where the groups do not divide the channels, or gamma or beta is not `[C]`
 * @example
 * const y = groupNorm(tensor([[1, 3, 10, 30]]), ones([4]), zeros([4]), { groups: 2, epsilon: 0 });
 * console.log(String(y)); // Tensor [1,4] [[-1, 1, -1, 1]]
 */
export function groupNorm(x: Tensor, gamma: Tensor, beta: Tensor, options: GroupNormOptions): Tensor {
  expectOptions("groupNorm", options, ["groups", "epsilon"]);
  x = asTensor("groupNorm", "x", x);
  gamma = asTensor("groupNorm", "gamma", gamma);
  beta = asTensor("groupNorm", "beta", beta);
  const d = groupNormDims(x.shape, options);
  expectShape("groupNorm", "gamma", gamma.shape, [d.C]);
  expectShape("groupNorm", "beta", beta.shape, [d.C]);
  const mean = allocate(d.N * d.G);
  const variance = allocate(d.N * d.G);
  const y = empty(x.shape);
  groupNormStatistics({ mean, variance, x: x.data }, d);
  groupNormForward({ y: y.data, x: x.data, mean, variance, gamma: gamma.data, beta: beta.data }, d);
  return record("groupNorm", y, [x, gamma, beta], (gy) =>
    contribute([x, gamma, beta], (gx, gGamma, gBeta) =>
      groupNormGradient({ gx, gGamma, gBeta, gy, x: x.data, mean, variance, gamma: gamma.data }, d),
    ),
  );
}

// The operators whose calls edges.test.ts lays at the ends of memory.

import {
  abs,
  add,
  clip,
  concat,
  conv2d,
  convTranspose2d,
  div,
  dropBlock,
  dropout,
  exp,
  gather,
  gelu,
  greater,
  greaterEqual,
  groupNorm,
  layerNorm,
  leakyRelu,
  log,
  logSoftmax,
  max,
  maximum,
  maxPool2d,
  mean,
  minimum,
  mul,
  neg,
  notEqual,
  oneHot,
  pad,
  pow,
  randomState,
  relu,
  reshape,
  sigmoid,
  sigmoidCrossEntropy,
  silu,
  slice,
  softmax,
  softmaxCrossEntropy,
  sqrt,
  sub,
  sum,
  Tensor,
  tanh,
  transpose,
  uniform,
  where,
} from "@saunet/core";

/** An operator, or some that belong together, on operands of some shapes. */
export interface Case {
  readonly shapes: readonly (readonly number[])[];
  readonly apply: (operands: readonly Tensor[]) => readonly Tensor[];
}

/** What to do with a map; `undefined` where it does not suit. `O` is another number of channels. */
export type Family = (map: { N: number; H: number; W: number; C: number; O: number }) => Case | undefined;

const convolution =
  (kernel: number, options: Parameters<typeof conv2d>[3]): Family =>
  ({ N, H, W, C, O }) => ({
    shapes: [[N, H, W, C], [kernel, kernel, C, O], [O]],
    apply: ([x, w, b]) => [conv2d(x, w, b, options), conv2d(x, w, undefined, options)],
  });

export const convolutions: Readonly<Record<string, Family>> = {
  "conv2d 3x3": convolution(3, {}),
  "conv2d 1x1": convolution(1, {}),
  "conv2d 1x1, into one channel and out of one": ({ N, H, W, C }) => ({
    shapes: [[N, H, W, C], [1, 1, C, 1], [1], [1, 1, 1, C]],
    apply: ([x, w, b, back]) => {
      const y = conv2d(x, w, b);
      return [y, conv2d(y, back)];
    },
  }),
  "conv2d 3x3 / 2": convolution(3, { stride: 2 }),
  "conv2d 7x7": convolution(7, {}),
  "conv2d 7x7, of two channels into one and back": ({ N, H, W }) => ({
    shapes: [[N, H, W, 2], [7, 7, 2, 1], [1], [7, 7, 1, 2], [2]],
    apply: ([x, w, b, wBack, bBack]) => {
      const y = conv2d(x, w, b);
      return [y, conv2d(y, wBack, bBack)];
    },
  }),
  "conv2d 3x3, dilated, over the borders": convolution(3, {
    dilation: [2, 3],
    padding: { top: 2, bottom: 3, left: 7, right: 1 },
  }),
  "convTranspose2d 3x3 / 2": ({ N, H, W, C, O }) => ({
    shapes: [[N, H, W, C], [3, 3, O, C], [O]],
    apply: ([x, w, b]) => [convTranspose2d(x, w, b, { stride: 2 })],
  }),
  "conv2d, statistics, normalisation": ({ N, H, W, C, O }) => ({
    shapes: [[N, H, W, C], [3, 3, C, O], [O], [O], [O]],
    apply: ([x, w, b, gamma, beta]) => [
      silu(groupNorm(conv2d(x, w, b), gamma, beta, { groups: groupsOf(O) })),
    ],
  }),
  "conv2d 3x3, a filter for each channel": ({ N, H, W, C }) => ({
    shapes: [[N, H, W, C], [3, 3, 1, C], [C]],
    apply: ([x, w, b]) => [
      conv2d(x, w, b, { groups: C }),
      conv2d(x, w, undefined, { groups: C, stride: 2, dilation: [1, 2] }),
    ],
  }),
  "conv2d 3x3 in groups": ({ N, H, W, C }) =>
    C % 2 === 0
      ? {
          shapes: [[N, H, W, C], [3, 3, C / 2, C], [C]],
          apply: ([x, w, b]) => [conv2d(x, w, b, { groups: 2 })],
        }
      : undefined,
  "conv2d of a gated skip connection": ({ N, H, W, C, O }) => ({
    shapes: [[N, H, W, C], [N, H, W, C], [N, H, W, 1], [3, 3, 2 * C, O], [O]],
    apply: ([x, skip, gate, w, b]) => [conv2d(concat([x, mul(skip, gate)], -1), w, b)],
  }),
};

/** Integers below a number. */
const indices = (shape: readonly number[], below: number): Tensor =>
  new Tensor(
    uniform(shape, randomState(5)).data.map((share) => Math.floor(share * below)),
    shape,
  );

const groupsOf = (count: number): number => (count % 4 === 0 ? count / 4 : 1);
const overChannels = { axes: -1, keepDims: true } as const;

export const maps: Readonly<Record<string, Family>> = {
  arithmetic: ({ N, H, W, C }) => ({
    shapes: [[N, H, W, C], [N, H, W, C], [N, H, W, 1], [C]],
    apply: ([a, b, perPixel, perChannel]) => [
      ...[add(a, b), mul(a, perPixel), div(perChannel, b)],
      ...[sub(a, b), sub(a, perPixel), sub(perChannel, b)],
    ],
  }),
  activations: ({ N, H, W, C }) => ({
    shapes: [[N, H, W, C]],
    apply: ([x]) => [relu(x), sigmoid(x), silu(x)],
  }),
  choices: ({ N, H, W, C }) => ({
    shapes: [[N, H, W, C], [N, H, W, C], [N, H, W, 1], [C]],
    apply: ([a, b, perPixel, perChannel]) => [
      ...[minimum(a, b), maximum(a, perPixel), minimum(perChannel, b), maximum(a, 0.5)],
      ...[where(greater(a, perPixel), a, b), where(notEqual(perChannel, b), 1, perPixel)],
      ...[greaterEqual(a, b), leakyRelu(a)],
    ],
  }),
  "functions of one number": ({ N, H, W, C }) => ({
    shapes: [[N, H, W, C]],
    apply: ([x]) => [
      ...[neg(x), exp(x), log(x), sqrt(x), abs(x), tanh(x)],
      ...[pow(x, 3), pow(x, -2), clip(x, { min: -1, max: 1 })],
      ...[gelu(x), gelu(x, { approximate: "tanh" })],
    ],
  }),
  "shares of a line": ({ N, H, W, C }) => ({
    shapes: [
      [N, H, W, C],
      [N, H, W, C],
    ],
    apply: ([x, shares]) => [
      ...[softmax(x), logSoftmax(x), softmaxCrossEntropy(x, new Tensor(shares.data, shares.shape))],
      softmaxCrossEntropy(x, indices([N, H, W], C), { ignoreClass: C - 1 }),
    ],
  }),
  indexing: ({ N, H, W, C }) => ({
    shapes: [[N, H, W, C]],
    apply: ([x]) => [
      ...[gather(x, indices([3, 7], H), 1), gather(x, indices([5], C), -1)],
      gather(reshape(x, [N * H * W, C]), indices([20], N * H * W)),
      oneHot(indices([N, H, W], C), C),
    ],
  }),
  reductions: ({ N, H, W, C }) => ({
    shapes: [[N, H, W, C]],
    apply: ([x]) => [sum(x), mean(x, overChannels), max(x, overChannels), sum(x, { axes: [0, 1, 2] })],
  }),
  "normalisation and what is made of it": ({ N, H, W, C }) => ({
    shapes: [[N, H, W, C], [C], [C]],
    apply: ([x, gamma, beta]) => {
      const normalized = groupNorm(x, gamma, beta, { groups: groupsOf(C) });
      const y = silu(normalized);
      return [
        ...[y, mean(y, overChannels), max(y, overChannels)],
        ...(H > 1 && W > 1 ? [maxPool2d(y)] : []),
        relu(groupNorm(x, gamma, beta, { groups: 1 })),
      ];
    },
  }),
  "normalisation alone": ({ N, H, W, C }) => ({
    shapes: [[N, H, W, C], [C], [C]],
    apply: ([x, gamma, beta]) => [groupNorm(x, gamma, beta, { groups: groupsOf(C) })],
  }),
  "layer normalisation": ({ N, H, W, C }) => ({
    shapes: [[N, H, W, C], [C], [C], [W, C], [W, C]],
    apply: ([x, gamma, beta, gammas, betas]) => [layerNorm(x, gamma, beta), layerNorm(x, gammas, betas)],
  }),
  "activated normalisation alone": ({ N, H, W, C }) => ({
    shapes: [[N, H, W, C], [C], [C]],
    apply: ([x, gamma, beta]) => [
      silu(groupNorm(x, gamma, beta, { groups: groupsOf(C) })),
      relu(groupNorm(x, gamma, beta, { groups: C })),
    ],
  }),
  gate: ({ N, H, W, C }) => ({
    shapes: [
      [N, H, W, C],
      [N, H, W, C],
      [N, H, W, 1],
    ],
    apply: ([x, skip, gate]) => [concat([x, mul(skip, gate)], -1)],
  }),
  "max pooling": ({ N, H, W, C }) =>
    H > 1 && W > 1 ? { shapes: [[N, H, W, C]], apply: ([x]) => [maxPool2d(x)] } : undefined,
  movement: ({ N, H, W, C }) => ({
    shapes: [[N, H, W, C]],
    apply: ([x]) => [
      slice(x, [0, H >> 1, 0, 0], [N, H - (H >> 1), W, C]),
      pad(
        x,
        [
          [0, 0],
          [1, 2],
          [3, 0],
          [0, 0],
        ],
        -1.5,
      ),
      transpose(x, [0, 2, 1, 3]),
      transpose(x, [3, 1, 0, 2]),
      concat([x, slice(x, [0, 0, 0, 0], [N, H, W, 1])], -1),
    ],
  }),
  "dropped blocks": ({ N, H, W, C }) => ({
    shapes: [[N, H, W, C], [C], [C]],
    apply: ([x, gamma, beta]) => {
      const options = { rate: 0.3, blockSize: [3, 5] } as const;
      const drop = (y: Tensor) => dropBlock(y, randomState(1), options);
      return [
        groupNorm(drop(add(x, beta)), gamma, beta, { groups: 1 }),
        dropBlock(x, randomState(2), { ...options, sharedMask: true }),
        dropout(x, randomState(3), { rate: 0.4 }),
        uniform([N, H, W, C], randomState(4)),
      ];
    },
  }),
  losses: ({ N, H, W, C }) => ({
    shapes: [
      [N, H, W, C],
      [N, H, W, C],
    ],
    apply: ([x, y]) => [sigmoidCrossEntropy(x, y)],
  }),
};

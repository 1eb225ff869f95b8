// Families of calls that meet every kernel, whatever the size and the channels of a map.

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

/** Those with convolutions. */
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
  "conv2d of a gated skip connection": ({ N, H, W, C, O }) => ({
    shapes: [[N, H, W, C], [N, H, W, C], [N, H, W, 1], [3, 3, 2 * C, O], [O]],
    apply: ([x, skip, gate, w, b]) => [conv2d(concat([x, mul(skip, gate)], -1), w, b)],
  }),
};

/** Numbers below `size`, some of them more than once. */
const everyThird = (length: number, size: number): Tensor =>
  new Tensor(
    Float32Array.from({ length }, (_, i) => (3 * i) % size),
    [length],
  );
const groupsOf = (count: number): number => (count % 4 === 0 ? count / 4 : 1);
const overChannels = { axes: -1, keepDims: true } as const;

/** All others. */
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
  "shares of a line": ({ N, H, W, C }) => ({
    shapes: [[N, H, W, C]],
    apply: ([x]) => [softmax(x), logSoftmax(x)],
  }),
  "functions of one number": ({ N, H, W, C }) => ({
    shapes: [[N, H, W, C]],
    apply: ([x]) => {
      const positive = exp(x);
      return [
        ...[neg(x), log(positive), sqrt(positive), abs(x), tanh(x), pow(x, 3)],
        ...[clip(x, { min: -0.5, max: 0.5 }), gelu(x), gelu(x, { approximate: "tanh" })],
      ];
    },
  }),
  "entries by their numbers": ({ N, H, W, C }) => ({
    shapes: [[N, H, W, C]],
    apply: ([x]) => [
      gather(x, everyThird(2 * W + 1, W), 2),
      gather(x, everyThird(C + 2, C), -1),
      oneHot(everyThird(N * H * W, C), C),
    ],
  }),
  "cross entropy of classes": ({ N, H, W, C }) =>
    C < 2
      ? undefined
      : {
          shapes: [
            [N * H * W, C],
            [N * H * W, C],
          ],
          apply: ([x, y]) => [
            softmaxCrossEntropy(x, everyThird(N * H * W, C)),
            softmaxCrossEntropy(x, softmax(y)),
          ],
        },
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

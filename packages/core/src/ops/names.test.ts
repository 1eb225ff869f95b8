// Every message names the operator and the argument, every result the operator that it came from, every kernel itself.

import { describe, expect, it } from "vitest";
import { backward } from "../autograd.ts";
import * as core from "../index.ts";
import { ones, parameter, sum, type Tensor } from "../index.ts";
import { kernelNames } from "../kernel.ts";
import * as kernels from "../kernels.ts";

/** Operators by name: their tensors by the names that messages have for them, and the call. */
interface Operator {
  readonly tensors: Readonly<Record<string, Tensor>>;
  readonly call: (...tensors: Tensor[]) => Tensor;
  /** The operator that computes it last, where it is made of others. */
  readonly last?: string;
}

const all = { ...core };
const row = ones([1, 4, 2]);
const image = ones([1, 4, 4, 2]);
const filter = ones([2, 2, 2, 2]);
const vector = ones([2]);
const random = () => core.randomState(1);
const running = () => ({ mean: ones([2]), variance: ones([2]) });

const binary = Object.fromEntries(
  (["add", "sub", "mul", "div", "minimum", "maximum"] as const).map((op): [string, Operator] => [
    op,
    { tensors: { a: vector, b: vector }, call: all[op] },
  ]),
);
const unary = Object.fromEntries(
  (
    "neg exp log sqrt abs tanh relu leakyRelu sigmoid silu gelu softmax logSoftmax cumsum max sum".split(
      " ",
    ) as "exp"[]
  ).map((op): [string, Operator] => [op, { tensors: { x: vector }, call: (x) => all[op](x) }]),
);

const operators: Readonly<Record<string, Operator>> = {
  ...binary,
  ...unary,
  pow: { tensors: { x: vector }, call: (x) => core.pow(x, 3) },
  clip: { tensors: { x: vector }, call: (x) => core.clip(x, { min: 0 }) },
  where: {
    tensors: { condition: vector, a: vector, b: vector },
    call: (c, a, b) => core.where(c, a, b),
  },
  matmul: { tensors: { a: ones([3, 2]), b: ones([2, 3]) }, call: (a, b) => core.matmul(a, b) },
  dense: {
    tensors: { x: ones([3, 2]), weights: ones([2, 5]), bias: ones([5]) },
    call: (x, w, b) => core.dense(x, w, b),
    last: "add",
  },
  conv2d: { tensors: { x: image, w: filter, b: vector }, call: (x, w, b) => core.conv2d(x, w, b) },
  convTranspose2d: {
    tensors: { x: image, w: filter, b: vector },
    call: (x, w, b) => core.convTranspose2d(x, w, b),
  },
  conv1d: {
    tensors: { x: row, w: ones([3, 2, 2]), b: vector },
    call: (x, w, b) => core.conv1d(x, w, b),
    last: "reshape",
  },
  maxPool2d: { tensors: { x: image }, call: (x) => core.maxPool2d(x, { size: 2 }) },
  avgPool2d: { tensors: { x: image }, call: (x) => core.avgPool2d(x, { size: 2 }) },
  resize: { tensors: { x: image }, call: (x) => core.resize(x, [2, 3]) },
  groupNorm: {
    tensors: { x: image, gamma: vector, beta: vector },
    call: (x, gamma, beta) => core.groupNorm(x, gamma, beta, { groups: 1 }),
  },
  layerNorm: {
    tensors: { x: image, gamma: vector, beta: vector },
    call: (x, gamma, beta) => core.layerNorm(x, gamma, beta),
  },
  batchNorm: {
    tensors: { x: image, gamma: vector, beta: vector },
    call: (x, gamma, beta) => core.batchNorm(x, gamma, beta, running(), { training: true }),
  },
  dropout: { tensors: { x: image }, call: (x) => core.dropout(x, random(), { rate: 0.5 }), last: "mul" },
  dropBlock: { tensors: { x: image }, call: (x) => core.dropBlock(x, random(), { rate: 0.5 }) },
  sigmoidCrossEntropy: {
    tensors: { logits: vector, target: vector },
    call: (x, z) => core.sigmoidCrossEntropy(x, z),
  },
  softmaxCrossEntropy: {
    tensors: { logits: vector, target: vector },
    call: (x, z) => core.softmaxCrossEntropy(x, z),
  },
  gather: { tensors: { x: vector, indices: ones([3]) }, call: (x, indices) => core.gather(x, indices) },
  reshape: { tensors: { x: vector }, call: (x) => core.reshape(x, [1, 2]) },
  transpose: { tensors: { x: image }, call: (x) => core.transpose(x) },
  slice: { tensors: { x: vector }, call: (x) => core.slice(x, [0], [1]) },
  pad: { tensors: { x: vector }, call: (x) => core.pad(x, [[1, 1]]) },
  concat: {
    tensors: { "tensor 0": vector, "tensor 1": vector },
    call: (...all) => core.concat(all),
  },
  broadcastTo: { tensors: { x: vector }, call: (x) => core.broadcastTo(x, [3, 2]) },
};

describe.each(Object.entries(operators))("%s", (op, { tensors, call, last = op }) => {
  const given = Object.values(tensors);
  it.each(Object.keys(tensors))("says so where its %s is no tensor", (name) => {
    const args = given.map((each, i) => (Object.keys(tensors)[i] === name ? ([1] as never) : each));
    expect(() => call(...args)).toThrow(
      `${op}: ${name} must be a tensor or a number but is an Array; tensor() converts`,
    );
  });

  it("is named in the history of its result, and where that is used twice", () => {
    const result = call(...given.map((each) => parameter(each)));
    expect(result.history?.op).toBe(last);
    backward(sum(result));
    expect(() => backward(sum(result))).toThrow(
      `backward: the graph behind ${last} was used before and is freed; compute the loss again`,
    );
  });
});

it("normalisations say which of their vectors is too long", () => {
  const long = ones([3]);
  const { groupNorm, batchNorm } = core;
  const calls: [string, () => unknown][] = [
    ["groupNorm: gamma", () => groupNorm(image, long, vector, { groups: 1 })],
    ["groupNorm: beta", () => groupNorm(image, vector, long, { groups: 1 })],
    ["batchNorm: gamma", () => batchNorm(image, long, vector, running(), { training: true })],
    ["batchNorm: beta", () => batchNorm(image, vector, long, running(), { training: true })],
    [
      "batchNorm: running.mean",
      () => batchNorm(image, vector, vector, { ...running(), mean: long }, { training: true }),
    ],
    [
      "batchNorm: running.variance",
      () => batchNorm(image, vector, vector, { ...running(), variance: long }, { training: true }),
    ],
  ];
  for (const [what, call] of calls) expect(call).toThrow(`${what} must be [2] but is [3]`);
});

it("a kernel's name is its operator and its step", () => {
  const wrong = kernelNames().filter((name) => !/^[a-z][A-Za-z0-9]*\.[a-z][A-Za-z]*$/.test(name));
  expect(wrong).toEqual([]);
});

it("kernels that pay off have a portable form beside their reference", () => {
  const faster = Object.values<unknown>(kernels)
    .filter((each): each is kernels.AnyKernel => typeof each === "function" && "portable" in each)
    .filter(({ portable, reference }) => portable !== reference);
  // Without one nothing is wrong but the time that it takes, which no other test notices.
  expect(faster.map(({ name }) => name).sort()).toEqual([
    ...["filterGradient", "forward", "transposed"].map((step) => `conv2d.${step}`),
    ...["gelu.forward", "gelu.gradient"],
    ...["filterGradient", "forward", "transposed"].map((step) => `groupedConv2d.${step}`),
    ...["logSoftmax.forward", "logSoftmax.gradient", "matmul.forward", "sigmoid.forward", "silu.forward"],
    ...["softmax.forward", "softmaxCrossEntropy.forward", "softmaxCrossEntropy.gradient"],
  ]);
});

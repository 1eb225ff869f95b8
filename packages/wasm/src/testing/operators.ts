// Core's operators as random programs call them. Each takes its operands from what is live and answers with a tensor, or
// with nothing where it has an effect only or does not suit. Their results stay near one in size: where an operator
// would leave its domain or grow without limit (exp, div, pow), its operand goes through a bounded function first.

import {
  abs,
  add,
  argmax,
  avgPool2d,
  batchNorm,
  broadcastTo,
  clip,
  concat,
  conv1d,
  conv2d,
  convTranspose2d,
  cumsum,
  dense,
  div,
  dropBlock,
  dropout,
  equal,
  exp,
  expandDims,
  full,
  gelu,
  glorotUniform,
  greater,
  greaterEqual,
  groupNorm,
  heNormal,
  layerNorm,
  leakyRelu,
  less,
  lessEqual,
  log,
  logSoftmax,
  matmul,
  max,
  maximum,
  maxPool2d,
  mean,
  minimum,
  mul,
  neg,
  norm,
  normal,
  notEqual,
  ones,
  pad,
  parameter,
  pow,
  type RandomState,
  relu,
  reshape,
  resize,
  type Shape,
  sigmoid,
  sigmoidCrossEntropy,
  silu,
  slice,
  softmax,
  softmaxCrossEntropy,
  split,
  sqrt,
  squeeze,
  stack,
  sub,
  sum,
  Tensor,
  tanh,
  tensor,
  transpose,
  uniform,
  variance,
  where,
  zeros,
} from "@saunet/core";
import { allocateMask, dropBlockDims, dropMasked, dropoutFromNoise } from "@saunet/core/kernels";

/** What an operator of a random program is made from. */
export interface Maker {
  /** Decides whatever an operator leaves open. */
  readonly choice: number;
  readonly random: RandomState;
  /** An operand `[N,H,W,C]` that convolutions and pooling suit. */
  image(which?: number): Tensor;
  /** An operand that `suits`, if any is live. */
  operand(which: number, suits: (candidate: Tensor) => boolean): Tensor | undefined;
  /** A parameter of this kind and shape; there are two of each, which all that ask share. */
  parameter(kind: string, shape: Shape, low: number, high: number): Tensor;
  /** An array of numbers that nobody learns. */
  constant(kind: string, shape: Shape, low: number, high: number): Tensor;
}

const overChannels = { axes: -1, keepDims: true } as const;
const MOST_CHANNELS = 32;
/** More elements than this cost time and show nothing new. */
const MOST_ELEMENTS = 5000;

export const pick = <T>(list: readonly T[], choice: number): T => list[choice % list.length];
const channelsOf = ({ shape }: Tensor): number => shape[3];
const sameShape = (x: Tensor) => (other: Tensor) => String(other.shape) === String(x.shape);
const groupsOf = (channels: number): number => [4, 3, 2, 1].find((groups) => channels % groups === 0)!;

/** Uniform numbers keep the variance of what goes through a filter of so many taps. */
const filter = (m: Maker, shape: Shape, taps: number): Tensor => {
  const limit = Math.sqrt(3 / taps);
  return m.parameter("filter", shape, -limit, limit);
};
const bias = (m: Maker, channels: number): Tensor => m.parameter("bias", [channels], -0.3, 0.3);
const gamma = (m: Maker, channels: number): Tensor => m.parameter("gamma", [channels], 0.5, 1.5);
const beta = (m: Maker, channels: number): Tensor => m.parameter("beta", [channels], -0.5, 0.5);
/** A number that is added to keep a root or a quotient away from zero. */
const half = (m: Maker): Tensor => m.constant("half", [1], 0.5, 0.5);

function convolve(m: Maker, x: Tensor, filterOf: (shape: Shape, taps: number) => Tensor): Tensor {
  const size = pick([3, 3, 3, 3, 1], m.choice >> 4);
  const [C, O] = [channelsOf(x), pick([8, 8, 16, 8, 8, 16, 4, 12], m.choice >> 1)];
  const stride = pick([1, 1, 1, 1, 1, 1, 1, 2], m.choice >> 6);
  const b = (m.choice & 3) === 0 ? undefined : bias(m, O);
  if (m.choice % 7 === 6) return grouped(m, x, filterOf, b);
  return conv2d(x, filterOf([size, size, C, O], size * size * C), b, { stride });
}

/** A filter for each channel, or several groups of channels that have one. */
function grouped(
  m: Maker,
  x: Tensor,
  filterOf: (shape: Shape, taps: number) => Tensor,
  b: Tensor | undefined,
): Tensor {
  const C = channelsOf(x);
  const groups = pick([C, groupsOf(C)], m.choice >> 3);
  const w = filterOf([3, 3, C / groups, C], (9 * C) / groups);
  return conv2d(x, w, b && bias(m, C), { groups, stride: pick([1, 1, 2], m.choice >> 5) });
}

/** The second operand of a sum or a difference. */
function addend(m: Maker, x: Tensor): Tensor {
  const other = m.operand(1, sameShape(x));
  return pick([other, bias(m, channelsOf(x)), other], m.choice >> 1) ?? bias(m, channelsOf(x));
}

function reduced(m: Maker, reduce: typeof mean, x: Tensor): Tensor {
  return reduce(x, pick([overChannels, overChannels, { axes: [1, 2], keepDims: true }], m.choice));
}

/** What {@link dropBlock} is told; blocks that all channels share now and then. */
const dropping = (m: Maker) => ({ rate: 0.2, blockSize: 3, sharedMask: m.choice % 6 === 5 });

function drawnFilter(m: Maker, draw: (shape: Shape, state: RandomState) => Tensor): Tensor {
  return convolve(m, m.image(), (shape) => draw(shape, m.random));
}

/** Where the map is on one side of a number, it is kept. */
const masked = (m: Maker, compare: typeof greater): Tensor => mul(m.image(), compare(m.image(), 0.1));

type Operator = (m: Maker) => Tensor | undefined;

/** By their names in core. */
export const operators: Readonly<Record<string, Operator>> = {
  relu: (m) => relu(m.image()),
  sigmoid: (m) => sigmoid(m.operand(0, () => true)!),
  silu: (m) => silu(m.image()),
  add: (m) => add(m.image(), addend(m, m.image())),
  sub: (m) => sub(m.image(), addend(m, m.image())),
  mul: (m) => {
    const x = m.image();
    const [N, H, W] = x.shape;
    const gate = m.operand(1, ({ shape }) => String(shape) === String([N, H, W, 1]));
    // Gates are small already; another map could make products of products grow.
    return gate ? mul(x, gate) : mul(x, tanh(m.operand(1, sameShape(x))!));
  },
  div: (m) => div(m.image(), add(sigmoid(addend(m, m.image())), half(m))),
  avgPool2d: (m) => avgPool2d(m.image(), pick([{}, { size: 3, stride: 1, padding: "same" }], m.choice)),
  maxPool2d: (m) => maxPool2d(m.image(), pick([{}, {}, {}, {}, {}, { size: 3, stride: 2 }], m.choice)),
  batchNorm: (m) => {
    const x = m.image();
    const C = channelsOf(x);
    const running = {
      mean: m.constant("running.mean", [C], -0.2, 0.2),
      variance: m.constant("running.variance", [C], 0.5, 1.5),
    };
    return batchNorm(x, gamma(m, C), beta(m, C), running, { training: m.choice % 3 !== 0, momentum: 0.9 });
  },
  layerNorm: (m) => {
    const x = m.image();
    const C = channelsOf(x);
    return layerNorm(x, gamma(m, C), beta(m, C));
  },
  conv1d: (m) => {
    const x = m.image();
    const [N, H, W, C] = x.shape;
    const padding = pick(["same", "causal"] as const, m.choice);
    const w = filter(m, [3, C, C], 3 * C);
    return reshape(conv1d(reshape(x, [N * H, W, C]), w, undefined, { padding }), x.shape);
  },
  conv2d: (m) => convolve(m, m.image(), (shape, taps) => filter(m, shape, taps)),
  convTranspose2d: (m) => {
    const x = m.image();
    const [C, O] = [channelsOf(x), pick([8, 4, 16], m.choice >> 1)];
    const stride = 4 * (x.size / C) * O > MOST_ELEMENTS ? 1 : 2;
    const w = filter(m, [3, 3, O, C], 9 * C);
    return convTranspose2d(x, w, (m.choice & 1) === 0 ? undefined : bias(m, O), { stride });
  },
  dropBlock: (m) => dropBlock(m.image(), m.random, dropping(m)),
  dropMasked: (m) => {
    const x = m.image();
    const d = dropBlockDims(x.shape, { rate: 0.2, blockSize: 3 });
    const noise = m.constant("mask", [allocateMask(d).length], 0.5, 1);
    return dropMasked(
      x,
      Int32Array.from(noise.data, (value) => (value < 0.6 ? 0xff00ffff : -1)),
      d,
    );
  },
  dropout: (m) => dropout(m.image(), m.random, { rate: 0.2 }),
  dropoutFromNoise: (m) => {
    const x = m.image();
    return dropoutFromNoise(x, m.constant("noise", x.shape, 0, 1), { rate: 0.3 });
  },
  groupNorm: (m) => {
    const x = m.image();
    const C = channelsOf(x);
    return groupNorm(x, gamma(m, C), beta(m, C), { groups: pick([groupsOf(C), 1], m.choice >> 1) });
  },
  sigmoidCrossEntropy: (m) => {
    const x = m.image();
    const target = m.operand(1, sameShape(x))!;
    return sigmoidCrossEntropy(x, m.choice % 2 === 0 ? sigmoid(target) : m.constant("labels", x.shape, 0, 1));
  },
  matmul: (m) => {
    const x = m.image();
    const [C, O] = [channelsOf(x), pick([8, 4, 16], m.choice >> 1)];
    const transposeB = m.choice % 2 === 1;
    const w = filter(m, transposeB ? [O, C] : [C, O], C);
    if ((m.choice >> 4) % 2 === 1) return matmul(x, w, { transposeB });
    const W = x.shape[2];
    return matmul(m.parameter("mix", [W, W], -0.3, 0.3), x, { transposeA: transposeB });
  },
  dense: (m) => {
    const x = m.image();
    const [C, O] = [channelsOf(x), pick([8, 4, 16], m.choice >> 1)];
    return dense(x, filter(m, [C, O], C), m.choice % 2 === 0 ? undefined : bias(m, O));
  },
  softmax: (m) => softmax(m.image(), pick([-1, -1, 1], m.choice)),
  logSoftmax: (m) => logSoftmax(m.image(), pick([-1, 2], m.choice)),
  softmaxCrossEntropy: (m) => {
    const x = m.image();
    // Shares alone: what writes between two calls would leave classes that do not exist.
    return softmaxCrossEntropy(x, softmax(m.operand(1, sameShape(x))!));
  },
  argmax: (m) => {
    const x = m.image();
    return mul(x, reshape(argmax(mul(x, m.constant("part", x.shape, -1, 1))), [...x.shape.slice(0, 3), 1]));
  },
  max: (m) => reduced(m, max, m.image()),
  mean: (m) => reduced(m, mean, m.image()),
  sum: (m) => {
    const x = m.image();
    const total = sum(x, pick([overChannels, { axes: [1, 2], keepDims: true }, { axes: 0 }], m.choice));
    return mul(total, m.constant("share", [1], 0.05, 0.1));
  },
  variance: (m) => reduced(m, variance, m.image()),
  reshape: (m) => {
    const x = m.image();
    const [N, , W, C] = x.shape;
    return reshape(x, [N, W, -1, C]);
  },
  transpose: (m) => transpose(m.image(), [0, 2, 1, 3]),
  slice: (m) => {
    const x = m.image();
    const [N, H, W, C] = x.shape;
    if (m.choice % 2 === 0 && C % 8 === 0) return slice(x, [0, 0, 0, C / 2], [N, H, W, C / 2]);
    return slice(x, [0, 1, 0, 0], [N, H - 2, W - 2, C]);
  },
  pad: (m) => {
    const margin = [m.choice % 2, 2 - (m.choice % 2)] as const;
    return pad(m.image(), [[0, 0], margin, [1, 1], [0, 0]], pick([0, 0.5, -0.25], m.choice));
  },
  concat: (m) => {
    const x = m.image();
    const beside = (other: Tensor) =>
      other.shape.length === 4 &&
      String(other.shape.slice(0, 3)) === String(x.shape.slice(0, 3)) &&
      channelsOf(other) + channelsOf(x) <= MOST_CHANNELS;
    const other = m.operand(1, beside);
    return other && concat(m.choice % 5 === 4 ? [other, x] : [x, other], -1);
  },
  expandDims: (m) => {
    const x = expandDims(m.image(), 0);
    return m.choice % 2 === 0 ? squeeze(x, 0) : max(x, { axes: 0 });
  },
  squeeze: (m) => squeeze(sum(mul(m.image(), 0.1), overChannels), -1),
  stack: (m) => {
    const x = m.image();
    const other = m.operand(1, sameShape(x))!;
    const [H, W] = [x.shape[1], x.shape[2]];
    // Rows of one between rows of the other.
    const rows = stack([x, other], 2);
    return x.size > MOST_ELEMENTS / 2 ? mean(rows, { axes: 2 }) : reshape(rows, [x.shape[0], 2 * H, W, -1]);
  },
  split: (m) => {
    const x = m.image();
    const [first, ...others] = split(x, channelsOf(x) % 2 === 0 ? 2 : [1, channelsOf(x) - 1], -1);
    return concat([...others, first], -1);
  },
  cumsum: (m) => {
    const axis = pick([-1, 1, 2], m.choice);
    return mul(cumsum(m.image(), axis, { reverse: m.choice % 2 === 0 }), m.constant("share", [1], 0.05, 0.1));
  },
  norm: (m) => {
    const order = pick([2, 1, 3, Number.POSITIVE_INFINITY], m.choice >> 1);
    return mul(norm(m.image(), { ...overChannels, order }), m.constant("share", [1], 0.05, 0.1));
  },
  resize: (m) => {
    const method = pick(["bilinear", "nearest"] as const, m.choice);
    return resize(
      m.image(),
      pick(
        [
          [12, 12],
          [8, 12],
          [16, 8],
        ] as const,
        m.choice >> 1,
      ),
      { method },
    );
  },
  broadcastTo: (m) => {
    const x = m.image();
    return broadcastTo(mean(x, { axes: [1, 2], keepDims: true }), x.shape);
  },
  minimum: (m) => minimum(m.image(), addend(m, m.image())),
  maximum: (m) => maximum(m.image(), m.choice % 2 === 0 ? 0.1 : addend(m, m.image())),
  greater: (m) => masked(m, greater),
  greaterEqual: (m) => masked(m, greaterEqual),
  less: (m) => masked(m, less),
  lessEqual: (m) => masked(m, lessEqual),
  equal: (m) => masked(m, equal),
  notEqual: (m) => masked(m, notEqual),
  where: (m) => {
    const x = m.image();
    const condition = greater(m.constant("condition", pick([x.shape, [x.shape[2], 1]], m.choice), -1, 1), 0);
    return where(condition, x, addend(m, x));
  },
  leakyRelu: (m) => leakyRelu(m.image(), { slope: 0.2 }),
  gelu: (m) => gelu(m.image(), { approximate: pick(["none", "tanh"] as const, m.choice) }),
  neg: (m) => neg(m.image()),
  exp: (m) => exp(tanh(m.image())),
  log: (m) => log(add(mul(m.image(), m.image()), half(m))),
  sqrt: (m) => sqrt(add(mul(m.image(), m.image()), half(m))),
  abs: (m) => abs(m.image()),
  tanh: (m) => tanh(m.image()),
  pow: (m) => pow(add(sigmoid(m.image()), half(m)), pick([2, -1, 0.5, 3], m.choice)),
  clip: (m) => clip(m.image(), pick([{ min: -1.5, max: 1.5 }, { min: -0.5 }, { max: 0.75 }], m.choice)),
  uniform: (m) => uniform(m.image().shape, m.random, { low: -1 }),
  normal: (m) => normal(m.image().shape, m.random, { limit: 2 }),
  heNormal: (m) => drawnFilter(m, heNormal),
  glorotUniform: (m) => drawnFilter(m, glorotUniform),
  parameter: (m) => parameter(m.image()),
  zeros: (m) => add(m.image(), zeros([channelsOf(m.image())])),
  ones: (m) => add(m.image(), ones([1])),
  full: (m) => mul(m.image(), full([channelsOf(m.image())], 0.75)),
  tensor: (m) => add(m.image(), tensor([0.25])),
};

/** Whether a tensor can be taken for an image. */
export const isImage = ({ shape, size }: Tensor): boolean =>
  shape.length === 4 &&
  shape[1] >= 4 &&
  shape[2] >= 4 &&
  shape[3] >= 4 &&
  shape[3] <= MOST_CHANNELS &&
  size <= MOST_ELEMENTS;

/** The same numbers without their history. */
export const detached = ({ data, shape }: Tensor): Tensor => new Tensor(data, shape);

// Random small networks from core's operators: what captured programs are tried on.

import {
  add,
  avgPool2d,
  batchNorm,
  concat,
  conv2d,
  convTranspose2d,
  dropBlock,
  groupNorm,
  max,
  maxPool2d,
  mean,
  mul,
  normal,
  ones,
  pad,
  parameter,
  type RandomState,
  randomState,
  relu,
  resize,
  type Shape,
  sigmoid,
  silu,
  slice,
  sub,
  type Tensor,
  transpose,
  zeros,
} from "@saunet/core";
import fc from "fast-check";

/** Which network: everything about it follows from these numbers. */
export interface Recipe {
  /** Each picks an operator, and what it needs besides. */
  readonly layers: readonly { readonly op: number; readonly choice: number }[];
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly seed: number;
}

/** A network and all that it changes as it trains. */
export interface RandomNetwork {
  readonly input: Shape;
  readonly parameters: Readonly<Record<string, Tensor>>;
  /** Drops blocks. */
  readonly random: RandomState;
  readonly forward: (x: Tensor) => Tensor;
}

const CHANNELS = [1, 2, 3, 4, 5, 8, 16, 17, 20];

/** Recipes that run in milliseconds. */
export const recipes: fc.Arbitrary<Recipe> = fc.record({
  layers: fc.array(fc.record({ op: fc.nat(1000), choice: fc.nat(1000) }), { minLength: 1, maxLength: 8 }),
  batch: fc.integer({ min: 1, max: 2 }),
  height: fc.integer({ min: 4, max: 19 }),
  width: fc.integer({ min: 4, max: 23 }),
  channels: fc.constantFrom(...CHANNELS),
  seed: fc.nat(1000),
});

/** A layer of a network that is being made: parameters are named and drawn once, in the order of the layers. */
interface Maker {
  readonly choice: number;
  readonly training: boolean;
  readonly random: RandomState;
  readonly draw: (name: string, shape: Shape, deviation: number) => Tensor;
  readonly fill: (name: string, tensor: Tensor) => Tensor;
  /** A result of an earlier layer that has this shape. */
  readonly earlier: (shape: Shape) => Tensor | undefined;
}

type Layer = (x: Tensor, maker: Maker) => Tensor;

const channelsOf = ({ shape }: Tensor): number => shape[3];
const overChannels = { axes: -1, keepDims: true } as const;
/** Deviation that keeps the size of what goes through a filter. */
const deviationOf = (taps: number): number => Math.sqrt(1 / taps);
/** The largest number of groups up to 4 that divides the channels. */
const groupsOf = (channels: number): number => [4, 3, 2, 1].find((groups) => channels % groups === 0)!;

const convolution =
  (size: number): Layer =>
  (x, { choice, draw }) => {
    const [C, O] = [channelsOf(x), CHANNELS[choice % CHANNELS.length]];
    const filter = draw("filter", [size, size, C, O], deviationOf(size * size * C));
    const bias = choice % 2 === 0 ? draw("bias", [O], 0.1) : undefined;
    return conv2d(x, filter, bias, { stride: choice % 5 === 0 ? 2 : 1 });
  };

/** Convolution, DropBlock, normalisation, activation, as the network has them: what rewrites join. */
const unit: Layer = (x, { choice, training, random, draw, fill }) => {
  const [C, O] = [channelsOf(x), 4 * (1 + (choice % 5))];
  let y = conv2d(x, draw("filter", [3, 3, C, O], deviationOf(9 * C)), draw("bias", [O], 0.1));
  if (training && choice % 2 === 0) y = dropBlock(y, random, { rate: 0.2, blockSize: 3 });
  const [gamma, beta] = [fill("gamma", parameter(ones([O]))), fill("beta", parameter(zeros([O])))];
  return (choice % 3 === 0 ? relu : silu)(groupNorm(y, gamma, beta, { groups: O / 4 }));
};

/** The end of an encoder's stage: what is pooled, and what an attention averages. */
const stage: Layer = (x, maker) => {
  const y = unit(x, maker);
  const [, H, W] = y.shape;
  return H < 2 || W < 2 ? y : add(maxPool2d(y), maxPool2d(mul(y, sigmoid(mean(y, overChannels)))));
};

/** A gated skip connection beside what was upsampled, and the convolution that reads both. */
const gatedSkip: Layer = (x, { choice, draw }) => {
  const [C, O] = [4 * (1 + (choice % 4)), 4 * (1 + (choice % 5))];
  const skip = conv2d(x, draw("skip", [1, 1, channelsOf(x), C], deviationOf(channelsOf(x))));
  const up = conv2d(x, draw("up", [3, 3, channelsOf(x), C], deviationOf(9 * channelsOf(x))));
  const maps = concat([mean(skip, overChannels), mean(up, overChannels)], -1);
  const gate = sigmoid(conv2d(maps, draw("attention", [7, 7, 2, 1], 0.2)));
  return conv2d(concat([up, mul(skip, gate)], -1), draw("filter", [3, 3, 2 * C, O], deviationOf(18 * C)));
};

const layers: readonly Layer[] = [
  unit,
  unit,
  stage,
  stage,
  gatedSkip,
  gatedSkip,
  convolution(1),
  convolution(3),
  convolution(3),
  convolution(7),
  (x, { choice, draw }) => {
    const [C, O] = [channelsOf(x), CHANNELS[choice % CHANNELS.length]];
    const stride = 1 + (choice % 2);
    return convTranspose2d(x, draw("up", [3, 3, O, C], deviationOf(9 * C)), draw("bias", [O], 0.1), {
      stride,
    });
  },
  (x, { fill }) => {
    const C = channelsOf(x);
    const [gamma, beta] = [fill("gamma", parameter(ones([C]))), fill("beta", parameter(zeros([C])))];
    return groupNorm(x, gamma, beta, { groups: groupsOf(C) });
  },
  (x, { fill, training }) => {
    const C = channelsOf(x);
    const [gamma, beta] = [fill("gamma", parameter(ones([C]))), fill("beta", parameter(zeros([C])))];
    const running = { mean: fill("mean", zeros([C])), variance: fill("variance", ones([C])) };
    return batchNorm(x, gamma, beta, running, { training });
  },
  (x, { random, training }) => (training ? dropBlock(x, random, { rate: 0.2, blockSize: 3 }) : x),
  silu,
  silu,
  relu,
  sigmoid,
  (x) => (x.shape[1] >= 2 && x.shape[2] >= 2 ? maxPool2d(x) : x),
  (x) => (x.shape[1] >= 2 && x.shape[2] >= 2 ? avgPool2d(x) : x),
  (x, { earlier }) => add(x, earlier(x.shape) ?? silu(x)),
  // Not from an earlier result: what all but cancels out is all rounding.
  (x) => sub(x, silu(x)),
  (x) => (channelsOf(x) > 40 ? x : concat([x, silu(x)], -1)),
  (x) => mul(x, sigmoid(mean(x, overChannels))),
  (x) => (channelsOf(x) > 40 ? x : concat([x, mul(x, sigmoid(max(x, overChannels)))], -1)),
  (x) => mul(x, x),
  (x) => transpose(x, [0, 2, 1, 3]),
  (x, { choice }) =>
    pad(x, [
      [0, 0],
      [choice % 3, 1],
      [0, choice % 2],
      [0, 0],
    ]),
  (x) => {
    const [N, H, W, C] = x.shape;
    return H > 2 && W > 2 ? slice(x, [0, 1, 0, 0], [N, H - 1, W - 1, C]) : x;
  },
  (x, { choice }) => resize(x, [3 + (choice % 9), 3 + (choice % 7)]),
];

/** The network of a recipe; equal recipes give equal networks, each with parameters of its own. */
export function networkOf(
  { layers: chosen, batch, height, width, channels, seed }: Recipe,
  { training }: { readonly training: boolean },
): RandomNetwork {
  const parameters: Record<string, Tensor> = {};
  const [state, random] = [randomState(seed), randomState(seed, 1)];
  const forward = (x: Tensor): Tensor => {
    const results: Tensor[] = [];
    return chosen.reduce((f, { op, choice }, i) => {
      const fill = (name: string, fresh: Tensor): Tensor => {
        parameters[`${i}.${name}`] ??= fresh;
        return parameters[`${i}.${name}`];
      };
      const draw = (name: string, shape: Shape, deviation: number): Tensor =>
        parameters[`${i}.${name}`] ?? fill(name, parameter(normal(shape, state, { deviation })));
      const earlier = (shape: Shape) => results.find((result) => String(result.shape) === String(shape));
      const out = layers[op % layers.length](f, { choice, training, random, draw, fill, earlier });
      results.push(out);
      return out;
    }, x);
  };
  const input = [batch, height, width, channels];
  // A first run, whose dropped blocks are taken back, draws the parameters.
  const before = random.slice();
  forward(zeros(input));
  random.set(before);
  for (const [name, tensor] of Object.entries(parameters)) {
    if (name.endsWith(".mean")) tensor.data.fill(0);
    if (name.endsWith(".variance")) tensor.data.fill(1);
  }
  return { input, parameters, random, forward };
}

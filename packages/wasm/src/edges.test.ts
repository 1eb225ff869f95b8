// Every generated kernel with each of its arrays in turn at either end of memory (testing-edges.ts), over channels and
// sizes that suit no tile, in every arithmetic and with every algorithm of the convolutions.

import {
  abs,
  adam,
  add,
  backward,
  capture,
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
  normal,
  notEqual,
  oneHot,
  type Padding,
  type Program,
  pad,
  parameter,
  pow,
  randomState,
  relu,
  sgd,
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
import {
  type AnyKernel,
  type Arrays,
  intercept,
  type KernelCall,
  matmulForward,
  type ProgramCall,
  prepareWithKernels,
} from "@saunet/core/kernels";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fuseAll, fusedGenerators } from "./fusions/index.ts";
import { arraysOf, cases } from "./kernels/conv/testing.ts";
import { generators } from "./kernels/index.ts";
import { productCases, sizesOf } from "./kernels/matmul-cases.ts";
import { arithmetics, channels, sizeOf, sizes } from "./kernels/testing.ts";
import { CONVOLUTIONS, type CodeFeatures, type Generator, type Lengths, type Plan } from "./plan.ts";
import { lengthsOf } from "./runner.ts";
import { checkEdges } from "./testing-edges.ts";

/** The portable convolutions do so many products in a few milliseconds. */
const MOST_PRODUCTS = 1e5;
/** Elements of the largest map: whole strips and the beginning of others. */
const MOST_ELEMENTS = 1e5;

const features = arithmetics.flatMap((relaxed) =>
  CONVOLUTIONS.map((convolutions) => ({ relaxed, convolutions })),
);
const generatorOf = new Map([...generators, ...fusedGenerators].map((each) => [each.kernel.name, each]));
/** The names of the plans that each kernel was met with. */
const met = new Map([...generatorOf.keys()].map((name) => [name, new Set<string>()]));
const checked = new Set<string>();

/** The plans of a call with all features, but for those that were checked before. */
function newPlans(kernel: AnyKernel, lengths: Lengths<Arrays>, dims: unknown) {
  const generator = generatorOf.get(kernel.name);
  if (generator === undefined) return [];
  const found = new Map<string, { generator: Generator; plan: Plan; features: CodeFeatures }>();
  for (const each of features) {
    const plan = generator.plan(dims, lengths, each);
    const key = `${plan?.key} ${Object.values(lengths)}`;
    if (plan !== undefined && !checked.has(key)) found.set(key, { generator, plan, features: each });
  }
  return [...found];
}

/** Checks a call at the edges with all features. */
function checkCall({ kernel, arrays, dims }: KernelCall): void {
  for (const [key, { generator, plan, features }] of newPlans(kernel, lengthsOf(kernel, arrays), dims)) {
    checked.add(key);
    checkEdges(generator, arrays, dims, features);
    met.get(kernel.name)!.add(plan.name);
  }
}

/** Whether nothing is left to check of a call of a program. */
function isKnown({ kernel, buffers, dims }: ProgramCall, program: Program): boolean {
  const lengths = Object.keys(kernel.roles).map((name) => {
    const buffer = buffers[name];
    return [name, buffer === undefined ? undefined : program.buffers[buffer].length];
  });
  return newPlans(kernel, Object.fromEntries(lengths), dims).length === 0;
}

/** An operator, or some that belong together, on operands of some shapes. */
interface Case {
  readonly shapes: readonly (readonly number[])[];
  readonly apply: (operands: readonly Tensor[]) => readonly Tensor[];
}

const random = (shape: readonly number[], seed: number): Tensor => normal(shape, randomState(seed));

/** Checks the calls of a case: its results alone, and with all gradients; as they are and rewritten. */
function checkCase({ shapes, apply }: Case): void {
  const operands = shapes.map((shape, i) => random(shape, i + 1));
  const trained = (inputs: readonly Tensor[]) => {
    const parameters = inputs.map((input) => parameter(input));
    const results = apply(parameters);
    const scores = results.map((result) => sum(mul(result, random(result.shape, 9))));
    backward(scores.reduce((a, b) => add(a, b)));
    return [...results, ...parameters.flatMap(({ grad, shape }) => (grad ? [new Tensor(grad, shape)] : []))];
  };
  for (const body of [apply, trained]) {
    const program = capture(body, operands);
    const fused = CONVOLUTIONS.map((convolutions) => fuseAll(program, [], { relaxed: false, convolutions }));
    for (const each of [program, ...fused]) {
      if (each.calls.every((call) => isKnown(call, each))) continue;
      const { runSync } = prepareWithKernels(each);
      intercept(
        (call) => {
          checkCall(call);
          call.run();
        },
        () => runSync(operands),
      );
    }
  }
}

/** What to do with a map; `undefined` where it does not suit. `O` is another number of channels. */
type Family = (map: { N: number; H: number; W: number; C: number; O: number }) => Case | undefined;

/** Each family of convolutions meets every so many-th map, the next family the next ones. */
const EVERY = 8;

const convolution =
  (kernel: number, options: Parameters<typeof conv2d>[3]): Family =>
  ({ N, H, W, C, O }) => ({
    shapes: [[N, H, W, C], [kernel, kernel, C, O], [O]],
    apply: ([x, w, b]) => [conv2d(x, w, b, options), conv2d(x, w, undefined, options)],
  });

const convolutions: Readonly<Record<string, Family>> = {
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

const maps: Readonly<Record<string, Family>> = {
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

/** Every number of channels at every size, two images where there is room. */
const everyMap = channels.flatMap((C, c) =>
  sizes.map(([H, W], s) => ({
    N: 2 * H * W * C <= MOST_ELEMENTS ? 1 + ((c + s) % 2) : 1,
    H,
    W,
    C,
    turn: 7 * c + s,
  })),
);

describe("at the ends of memory", () => {
  it.each(Object.keys(convolutions))("%s", (name) => {
    const at = Object.keys(convolutions).indexOf(name);
    for (const { turn, ...map } of everyMap.filter(({ turn }) => (turn + at) % EVERY === 0)) {
      const rotated = channels.map((_, i) => channels[(turn + i) % channels.length]);
      const O = rotated.find((O) => sizeOf([map.N, map.H, map.W, map.C, O]) <= MOST_PRODUCTS);
      const found = O === undefined ? undefined : convolutions[name]({ ...map, O });
      if (found) checkCase(found);
    }
  });

  it.each(Object.keys(maps))("%s", (name) => {
    // Every other map, as on a chessboard: every number of channels, and every size.
    const at = Object.keys(maps).indexOf(name);
    for (const { turn, ...map } of everyMap.filter(({ turn }) => (turn + at) % 2 === 0)) {
      const found =
        sizeOf([map.N, map.H, map.W, map.C]) > MOST_ELEMENTS ? undefined : maps[name]({ ...map, O: 1 });
      if (found) checkCase(found);
    }
  });

  it.each([512, 515, 1003, 5001])("steps of the optimisers, %i elements", (length) => {
    for (const make of [adam, sgd, (w: { w: Tensor }) => sgd(w, { momentum: 0.9, nesterov: true })]) {
      const w = parameter(random([length], 1));
      w.grad = random([length], 2).data;
      intercept(checkCall, () => make({ w }).step());
    }
  });

  it("matrix products of any shape", () => {
    for (const d of productCases) {
      const [sizeY, sizeA, sizeB] = sizesOf(d);
      const arrays = { y: new Float32Array(sizeY), a: random([sizeA], 1).data, b: random([sizeB], 2).data };
      checkCall({ kernel: matmulForward, arrays, dims: d } as unknown as KernelCall);
    }
    const names = [...met.get("matmul.forward")!].join();
    for (const form of ["_nn_", "_np_", "_tp_", "_tn_"]) expect(names).toContain(form);
  });

  it.each(["conv2d.forward", "conv2d.transposed", "conv2d.filterGradient"])("%s of any geometry", (name) => {
    const generator = generatorOf.get(name)!;
    const size = fc.constantFrom(1, 2, 3, 5, 7);
    const geometry = fc.record({
      kernel: fc.tuple(size, size),
      stride: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
      dilation: fc.tuple(fc.constantFrom(1, 1, 2), fc.constantFrom(1, 1, 2, 3)),
      padding: fc.constantFrom<Padding>("same", "valid", 1, { top: 2, bottom: 0, left: 1, right: 5 }),
    });
    fc.assert(
      fc.property(cases(geometry, { products: 1e5 }), fc.constantFrom(...features), (call, each) => {
        expect(checkEdges(generator, arraysOf(generator, call), call.d, each)).toBeDefined();
      }),
      { numRuns: 60 },
    );
  });

  it("meet every generator and every algorithm of the convolutions", () => {
    for (const [name, plans] of met) expect(plans.size, name).toBeGreaterThan(0);
    const all = ["direct", "dot", "planar", "winograd4", "winograd6"];
    for (const [name, algorithms] of [
      ["conv2d.forward", all],
      ["conv2d.transposed", all],
      ["conv2d.filterGradient", ["direct", "winograd4", "winograd6"]],
      ["conv2d.joined", ["winograd4", "winograd6"]],
    ] as const)
      for (const algorithm of algorithms)
        expect([...met.get(name)!].join(), `${name} ${algorithm}`).toContain(algorithm);
  });
});

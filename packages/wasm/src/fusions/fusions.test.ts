import {
  add,
  backward,
  capture,
  concat,
  conv2d,
  dropBlock,
  groupNorm,
  maxPool2d,
  mean,
  mul,
  normal,
  ones,
  type Program,
  parameter,
  randomState,
  relu,
  reshape,
  sigmoid,
  silu,
  Tensor,
  zeros,
} from "@saunet/core";
import { conv2dDims, groupNormDims, prepareWithKernels } from "@saunet/core/kernels";
import { relativeError } from "@saunet/core/testing";
import { beforeAll, describe, expect, it } from "vitest";
import { checkCode, outputsOf } from "../kernels/testing.ts";
import { Arena } from "../memory.ts";
import { prepareInArena } from "../program.ts";
import { alone, Runner } from "../runner.ts";
import { gateConcat, gateConcatGenerator } from "./gate-concat.ts";
import { fuseAll, fusions } from "./index.ts";
import { joinedConvGenerator } from "./joined-conv.ts";
import { groupNormRelu, groupNormSilu, normalizeActivateGenerators } from "./normalize-activate.ts";

const random = (shape: readonly number[], seed: number) => normal(shape, randomState(seed));
const names = ({ calls }: Program) => calls.map(({ kernel }) => kernel.name);
const [C, shape] = [16, [1, 20, 24, 16]];
const norm = (x: Tensor) => groupNorm(x, ones([C]), zeros([C]), { groups: 4 });
const gated = (x: Tensor, gate: Tensor) => concat([x, mul(x, sigmoid(gate))], -1);
const gateShape = [1, 20, 24, 1];
const filter = random([3, 3, 2 * C, C], 9);

describe("fusions", () => {
  it("join what belongs together", () => {
    expect(names(fuseAll(capture(([x]) => [silu(norm(x))], [zeros(shape)])))).toEqual([
      "groupNorm.statistics",
      "groupNorm.silu",
    ]);
    expect(names(fuseAll(capture(([x]) => [relu(norm(x))], [zeros(shape)])))).toContain("groupNorm.relu");
    const gate = capture(([x, g]) => [gated(x, g)], [zeros(shape), zeros(gateShape)]);
    expect(names(fuseAll(gate))).toEqual(["sigmoid.forward", "gate.concat"]);
    const convolved = capture(([x, g]) => [conv2d(gated(x, g), filter)], [zeros(shape), zeros(gateShape)]);
    expect(names(fuseAll(convolved))).toEqual(["sigmoid.forward", "conv2d.joined"]);
    const w = random([3, 3, C, C], 9);
    const normalized = capture(([x]) => [silu(norm(conv2d(x, w)))], [zeros(shape)]);
    expect(names(fuseAll(normalized))).toEqual(["conv2d.joined", "groupNorm.silu"]);
    const several = capture(([x]) => [silu(norm(conv2d(x, w)))], [zeros([2, ...shape.slice(1)])]);
    expect(names(fuseAll(several))).toContain("groupNorm.statistics");
  });

  it("keep no normalised map for the gradient of SiLU", () => {
    const gamma = parameter(ones([C]));
    const step = (read: (y: Tensor) => Tensor) =>
      capture(
        ([x]) => {
          const y = groupNorm(x, gamma, zeros([C]), { groups: 4 });
          gamma.grad = undefined;
          backward(mean(read(y)));
          return [new Tensor(gamma.grad!, [C])];
        },
        [zeros(shape)],
      );
    const joined = names(fuseAll(step(silu)));
    expect(joined).toContain("groupNorm.silu");
    expect(joined).toContain("groupNorm.siluGradient");
    expect(joined).not.toContain("silu.gradient");
    // Here somebody else reads the map too.
    const kept = step((y) => add(silu(y), y));
    expect(names(fuseAll(kept))).toEqual(names(kept));
  });

  it("leave alone what somebody else reads, what is given out, and what only looks alike", () => {
    const kept = [
      capture(
        ([x]) => {
          const y = norm(x);
          return [add(silu(y), y)];
        },
        [zeros(shape)],
      ),
      capture(
        ([x]) => {
          const y = norm(x);
          return [silu(y), y];
        },
        [zeros(shape)],
      ),
      capture(([x, y]) => [concat([x, mul(x, y)], -1)], [zeros(shape), zeros(shape)]),
      capture(([x, g]) => [concat([x, mul(x, g)], -1)], [zeros(shape), zeros([C])]),
      capture(([x, g]) => [concat([mul(x, g), x], -1)], [zeros(shape), zeros(gateShape)]),
      capture(([x, g]) => [concat([x, mul(x, g)], 1)], [zeros(shape), zeros(gateShape)]),
      capture(([x, g]) => [concat([x, mul(x, g)], 2)], [zeros(shape), zeros(gateShape)]),
    ];
    for (const program of kept) expect(names(fuseAll(program))).toEqual(names(program));
  });

  it("take the statistics of a convolution once, and not where other images or channels are normalised", () => {
    const w = random([3, 3, C, C], 9);
    const [N, H, W] = shape;
    const eight = (x: Tensor) => groupNorm(x, ones([C]), zeros([C]), { groups: 8 });
    const twice = capture(
      ([x]) => {
        const y = conv2d(x, w);
        return [norm(y), eight(y)];
      },
      [zeros(shape)],
    );
    const halves = capture(([x]) => [norm(reshape(conv2d(x, w), [2 * N, H / 2, W, C]))], [zeros(shape)]);
    const pairs = capture(
      ([x]) => [
        groupNorm(reshape(conv2d(x, w), [N, H, W / 2, 2 * C]), ones([2 * C]), zeros([2 * C]), { groups: 4 }),
      ],
      [zeros(shape)],
    );
    const statisticsOf = (program: Program) =>
      names(fuseAll(program)).filter((name) => name === "conv2d.joined" || name === "groupNorm.statistics");
    expect(statisticsOf(twice)).toEqual(["conv2d.joined", "groupNorm.statistics"]);
    expect(statisticsOf(halves)).toEqual(["groupNorm.statistics"]);
    expect(statisticsOf(pairs)).toEqual(["groupNorm.statistics"]);
    const x = random(shape, 3);
    for (const program of [twice, halves, pairs]) {
      const wanted = prepareWithKernels(program).runSync([x]);
      const runner = new Runner(new Arena(false, 2 ** 28), alone, { relaxed: false });
      const found = prepareInArena(runner, program).runSync([x]);
      found.forEach(({ data }, i) => {
        expect(relativeError(data, wanted[i].data)).toBeLessThan(1e-5);
      });
    }
  });

  it.each(fusions.map(({ name }) => name))("%s can be switched off", (name) => {
    const inference = capture(
      ([x, g]) => {
        const y = silu(norm(relu(norm(x))));
        return [norm(conv2d(gated(y, g), filter)), maxPool2d(y), mean(y, { axes: -1, keepDims: true })];
      },
      [zeros(shape), zeros(gateShape)],
    );
    const training = capture(
      ([data]) => {
        const x = parameter(data);
        const bias = parameter(zeros([C]));
        backward(mean(norm(dropBlock(add(x, bias), randomState(1), { rate: 0.2 }))));
        return [new Tensor(x.grad!, shape)];
      },
      [zeros(shape)],
    );
    const calls = (without: string[]) =>
      [inference, training].flatMap((program) => names(fuseAll(program, without)));
    expect(calls([name])).not.toEqual(calls([]));
  });

  describe("keep the numbers", () => {
    let runner: Runner;
    beforeAll(() => {
      runner = new Runner(new Arena(false, 2 ** 26), alone, { relaxed: false });
    });

    it("of a network with all of them", () => {
      const program = capture(
        ([x, g]) => [norm(conv2d(gated(silu(norm(relu(norm(x)))), g), filter))],
        [zeros(shape), zeros(gateShape)],
      );
      const inputs = [random(shape, 1), random(gateShape, 2)];
      const [wanted] = prepareWithKernels(program).runSync(inputs);
      for (const without of [[], fusions.map(({ name }) => name)]) {
        const [actual] = prepareInArena(runner, program, { without }).runSync(inputs);
        expect(relativeError(actual.data, wanted.data)).toBeLessThan(1e-5);
      }
      // Without WebAssembly the joined kernels run their references.
      const [fused] = prepareWithKernels(fuseAll(program)).runSync(inputs);
      expect(relativeError(fused.data, wanted.data)).toBeLessThan(1e-6);
    });

    it.each([4, 8, 12, 16, 20, 32, 48])("of normalisation and activation, %i channels", (channels) => {
      const x = random([2, 331, channels], 1).data;
      const [mean, variance] = [
        random([2 * 4], 2).data,
        random([2 * 4], 3).data.map((value) => value * value),
      ];
      const [gamma, beta] = [random([channels], 4).data, random([channels], 5).data];
      const arrays = { y: new Float32Array(x.length), x, mean, variance, gamma, beta };
      const d = {
        N: 2,
        P: 331,
        C: channels,
        G: 4,
        D: channels / 4,
        epsilon: 1e-3,
        fixedStatistics: false,
        flops: 0,
      };
      const [forSilu, forRelu, forGradient] = normalizeActivateGenerators;
      expect([forSilu.kernel.name, forRelu.kernel.name]).toEqual([groupNormSilu.name, groupNormRelu.name]);
      for (const generator of [forSilu, forRelu]) expect(checkCode(generator, arrays, d)).toBeLessThan(2e-6);
      const gradients = {
        gx: new Float32Array(x.length),
        gGamma: new Float32Array(channels),
        gBeta: new Float32Array(channels),
        gy: random([x.length], 6).data,
        ...{ x, mean, variance, gamma, beta },
      };
      for (const fixedStatistics of [false, true])
        expect(checkCode(forGradient, gradients, { ...d, fixedStatistics })).toBeLessThan(4e-6);
    });

    describe.each([
      [16, 16, 24, 24, 16, 4],
      [48, 48, 13, 9, 32, 8],
      [8, 20, 7, 41, 12, 3],
      [4, 4, 40, 6, 4, 1],
      [16, 0, 131, 97, 16, 8],
    ])("of a convolution, %i and %i gated channels at %ix%i", (A, B, H, W, O, groups) => {
      const arraysOf = (N: number) => ({
        y: new Float32Array(N * H * W * O),
        input: random([N * H * W * A], 1).data,
        ...(B > 0 && { gated: random([N * H * W * B], 2).data, gate: random([N * H * W], 3).data }),
        w: random([9 * (A + B) * O], 4).data,
      });
      const dims = (N: number) =>
        conv2dDims("conv2d", [N, H, W, A + B], [3, 3, A + B, O], { padding: "same" });

      it("of two images", () => {
        const d = { conv: dims(2), gatedChannels: B, norm: undefined };
        const bias = random([O], 5).data;
        expect(checkCode(joinedConvGenerator, arraysOf(2), d)).toBeLessThan(1e-4);
        expect(checkCode(joinedConvGenerator, { ...arraysOf(2), bias }, d)).toBeLessThan(1e-4);
      });

      it("with its statistics", () => {
        const norm = groupNormDims([1, H, W, O], { groups });
        // Far from zero beside its deviation.
        const bias = random([O], 5).data.map((value) => 1000 + value);
        const statistics = { mean: new Float32Array(groups), variance: new Float32Array(groups) };
        const arrays = { ...arraysOf(1), ...statistics, bias };
        const d = { conv: dims(1), gatedChannels: B, norm };
        expect(checkCode(joinedConvGenerator, arrays, d)).toBeLessThan(1e-4);
        // A channel that never changes has no variance.
        const constant = { ...arrays, w: new Float32Array(arrays.w.length), bias: bias.fill(1000.1) };
        expect(outputsOf(joinedConvGenerator, constant, d)?.variance).toEqual(new Float32Array(groups));
      });
    });

    it.each([
      [4, 4],
      [16, 16],
      [48, 48],
      [8, 20],
    ])("of gate and concatenation, %i and %i channels", (A, B) => {
      const pixels = 97;
      const arrays = {
        y: new Float32Array(pixels * (A + B)),
        a: random([pixels * A], 1).data,
        b: random([pixels * B], 2).data,
        gate: random([pixels], 3).data,
      };
      expect(gateConcatGenerator.kernel.name).toBe(gateConcat.name);
      expect(checkCode(gateConcatGenerator, arrays, { A, B })).toBeLessThan(1e-7);
    });
  });
});

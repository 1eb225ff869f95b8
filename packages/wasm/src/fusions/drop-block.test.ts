import {
  backward,
  capture,
  conv2d,
  dropBlock,
  groupNorm,
  mean,
  mul,
  normal,
  ones,
  type Program,
  parameter,
  randomState,
  silu,
  Tensor,
  zeros,
} from "@saunet/core";
import {
  dropBlockDims,
  dropBlockDraw,
  dropMasked,
  gapLimits,
  type Prepared,
  planProgram,
  prepareWithKernels,
} from "@saunet/core/kernels";
import { relativeError } from "@saunet/core/testing";
import { describe, expect, it } from "vitest";
import { FUSION_NAMES } from "../accelerate.ts";
import { checkCode, outputsOf } from "../kernels/testing.ts";
import { Arena } from "../memory.ts";
import type { Generator } from "../plan.ts";
import { prepareInArena } from "../program.ts";
import { alone, Runner } from "../runner.ts";
import { dropBlockFusions, dropBlockGenerators } from "./drop-block.ts";
import { fuseAll } from "./index.ts";
import type { Fusion } from "./rewrite.ts";

const random = (shape: readonly number[], seed: number) => normal(shape, randomState(seed));
const dropping = ({ calls }: Program) =>
  calls.map(({ kernel }) => kernel.name).filter((name) => name.startsWith("dropBlock"));
const floats = ["dropBlock.draw", "dropBlock.scale", "dropBlock.apply", "dropBlock.apply"];
const [bytes, sums] = dropBlockFusions as [Fusion, Fusion];
const shape = [2, 21, 26, 12];
const state = randomState(1);

/** What a DropBlock before a normalisation gives, and the gradient of what goes in. */
const training = (drop: (x: Tensor) => Tensor) =>
  capture(
    ([data]) => {
      const x = parameter(data);
      const y = silu(groupNorm(drop(mul(x, x)), ones([shape[3]]), zeros([shape[3]]), { groups: 4 }));
      backward(mean(mul(y, y)));
      return [y, new Tensor(x.grad!, shape)];
    },
    [zeros(shape)],
  );
const options = { rate: 0.2, blockSize: 5 };
const dropped = () => training((x) => dropBlock(x, state, options));

describe("masks of bytes", () => {
  it("stand for those of floats", () => {
    expect(dropping(fuseAll(dropped()))).toEqual([
      ...["dropBlock.drawBytes", "dropBlock.scaleBytes"],
      ...["dropBlock.applyBytes", "dropBlock.applyBytes"],
    ]);
    const [kept, packed] = [[bytes.name], []].map((without) => planProgram(fuseAll(dropped(), without)));
    const mask = 4 * shape.reduce((product, size) => product * size);
    expect(packed.lowerBound).toBeLessThan(kept.lowerBound - 0.7 * mask);
  });

  it("do not where channels share them, where they come from elsewhere or go elsewhere", () => {
    const shared = training((x) => dropBlock(x, state, { ...options, sharedMask: true }));
    expect(dropping(fuseAll(shared))).toEqual(floats);
    const given = training((x) => dropMasked(x, ones(shape).data, dropBlockDims(shape, options)));
    expect(dropping(fuseAll(given))).toEqual(floats.slice(1));
    const read = training((x) => {
      const d = dropBlockDims(shape, options);
      const mask = zeros(shape);
      dropBlockDraw({ mask: mask.data, limits: gapLimits(1 - d.keepRate), state }, d);
      return mul(dropMasked(x, mask.data, d), mask);
    });
    expect(dropping(fuseAll(read))).toEqual(floats);
    const odd = capture(([x]) => [dropBlock(x, state, options)], [zeros([1, 21, 26, 5])]);
    expect(dropping(fuseAll(odd))).toEqual(floats.slice(0, 3));
  });

  it("sum up what they leave of a gradient, for the bias before", () => {
    const step = (C: number) => {
      const filter = random([3, 3, 4, C], 2);
      return capture(
        ([x]) => {
          const bias = parameter(zeros([C]));
          const y = dropBlock(conv2d(x, filter, bias), state, options);
          backward(mean(mul(y, y)));
          return [y, new Tensor(bias.grad!, [C])];
        },
        [zeros([2, 21, 26, 4])],
      );
    };
    const names = (program: Program) => dropping(fuseAll(program)).slice(-1);
    expect(names(step(16))).toEqual(["dropBlock.applyBytesSums"]);
    // Three vectors of four are no pairs.
    expect(names(step(24))).toEqual(["dropBlock.applyBytes"]);
    const runner = new Runner(new Arena(false, 2 ** 26), alone, { relaxed: false });
    const program = step(16);
    const [together, apart] = [[], [sums.name]].map((without) => {
      state.set(randomState(1));
      return prepareInArena(runner, program, { without }).runSync([random([2, 21, 26, 4], 1)]);
    });
    expect(relativeError(together[0].data, apart[0].data)).toBe(0);
    expect(relativeError(together[1].data, apart[1].data)).toBeLessThan(1e-6);
  });

  it("drop the same, bit for bit", () => {
    const runner = new Runner(new Arena(false, 2 ** 26), alone, { relaxed: false });
    const x = random(shape, 1);
    const program = dropped();
    // A run moves the random state on.
    const run = (runnable: Prepared) => {
      state.set(randomState(1));
      return runnable.runSync([x]).map(({ data }) => data);
    };
    const [fused, kept] = [[], [bytes.name]].map((without) =>
      run(prepareInArena(runner, program, { without })),
    );
    const others = FUSION_NAMES.filter((name) => name !== bytes.name);
    const only = (program: Program) => run(prepareWithKernels(program));
    const [reference, wanted] = [fuseAll(program, others), program].map(only);
    for (const [a, b] of [
      [fused, kept],
      [reference, wanted],
    ])
      expect(a.every((array, i) => array.every((value, k) => Object.is(value, b[i][k])))).toBe(true);
    expect(fused[1].some((value) => value !== 0)).toBe(true);
  });

  const [draw, scale, apply, summed] = dropBlockGenerators as [Generator, Generator, Generator, Generator];

  it.each([
    [1, 16, 16, 4],
    [2, 7, 16, 12],
    [1, 33, 29, 20],
    [2, 131, 97, 16],
    [1, 13, 600, 4],
  ])("are drawn, counted and applied by generated code: [%i,%i,%i,%i]", (...shape) => {
    const size = shape.reduce((product, length) => product * length);
    const mask = new Uint32Array(size / 4);
    for (const options of [
      { rate: 0.15, blockSize: 7 },
      { rate: 0.5, blockSize: [2, 4] as const },
      { rate: 1, blockSize: 1 },
    ]) {
      const d = dropBlockDims(shape, options);
      const limits = gapLimits(1 - d.keepRate);
      const state = new Uint32Array([1, 2, 2 ** 32 - 5, 7]);
      expect(checkCode(draw, { mask, limits, state }, d)).toBe(0);
      const drawn = outputsOf(draw, { mask, limits, state }, d)!.mask;
      const one = new Float32Array(1);
      expect(checkCode(scale, { scale: one, mask: drawn }, d)).toBe(0);
      const x = random(shape, 3).data;
      x[5] = Number.NaN;
      const arrays = { y: new Float32Array(size), x, mask: drawn, scale: one.fill(1.2) };
      const y = outputsOf(apply, arrays, d)!.y;
      const wanted = new Float32Array(size);
      apply.kernel.reference({ ...arrays, y: wanted } as never, d as never);
      expect(y.every((value, i) => Object.is(value, wanted[i]))).toBe(true);
      const finite = { ...arrays, x: random(shape, 3).data };
      expect(checkCode(apply, finite, d)).toBe(0);
      const withSums = { ...finite, sums: new Float32Array(shape[3]!) };
      if (shape[3]! % 8 === 0) expect(checkCode(summed, withSums, d)).toBeLessThan(2e-6);
      else expect(outputsOf(summed, withSums, d)).toBeUndefined();
    }
  });
});

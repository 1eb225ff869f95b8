import {
  add,
  backward,
  batchNorm,
  capture,
  groupNorm,
  max,
  maxPool2d,
  mean,
  mul,
  normal,
  ones,
  type Program,
  parameter,
  randomState,
  relu,
  silu,
  sum,
  Tensor,
  zeros,
} from "@saunet/core";
import { groupNormDims, pool2dDims, prepareWithKernels } from "@saunet/core/kernels";
import { relativeError } from "@saunet/core/testing";
import { describe, expect, it } from "vitest";
import { checkCode, outputsOf } from "../kernels/testing.ts";
import { Arena } from "../memory.ts";
import { prepareInArena } from "../program.ts";
import { alone, Runner } from "../runner.ts";
import { fuseAll } from "./index.ts";
import { groupNormReducedGenerator, normalizeReduceFusions } from "./normalize-reduce.ts";

const random = (shape: readonly number[], seed: number) => normal(shape, randomState(seed));
const names = ({ calls }: Program) => calls.map(({ kernel }) => kernel.name);
const overChannels = { axes: -1, keepDims: true } as const;
const norm = (x: Tensor) => groupNorm(x, ones([x.shape[3]]), zeros([x.shape[3]]), { groups: 4 });
const captured = (
  read: (y: Tensor) => readonly Tensor[],
  shape = [1, 20, 24, 16],
  activate: (x: Tensor) => Tensor = (x) => silu(norm(x)),
) => capture(([x]) => read(activate(x)), [zeros(shape)]);

describe("a normalised map with what is made of it", () => {
  it("is one call with its pooling, its averages, its maxima", () => {
    const all = (y: Tensor) => [y, maxPool2d(y), mean(y, overChannels), max(y, overChannels)];
    const joined = ["groupNorm.statistics", "groupNorm.reduced"];
    expect(names(fuseAll(captured(all)))).toEqual(joined);
    expect(names(fuseAll(captured(all, undefined, (x) => relu(norm(x)))))).toEqual(joined);
    for (const read of [all, ...[1, 2, 3].map((which) => (y: Tensor) => [all(y)[which]])])
      expect(names(fuseAll(captured(read)))).toEqual(joined);
    // Not only what comes at once.
    expect(names(fuseAll(captured((y) => [add(maxPool2d(mul(y, y)), maxPool2d(y))])))).toEqual([
      ...joined,
      ...["mul.forward", "maxPool2d.forward", "add.forward"],
    ]);
  });

  it("leaves alone what it does not suit", () => {
    const pooling = "maxPool2d.forward";
    expect(names(fuseAll(captured((y) => [maxPool2d(y)], [1, 21, 24, 16])))).toContain(pooling);
    expect(names(fuseAll(captured((y) => [maxPool2d(y)], [2, 20, 24, 16])))).toContain(pooling);
    expect(names(fuseAll(captured((y) => [maxPool2d(y, { size: 3 })])))).toContain(pooling);
    expect(names(fuseAll(captured((y) => [maxPool2d(y)], undefined, silu)))).toContain(pooling);
    expect(names(fuseAll(captured((y) => [maxPool2d(y)], [1, 2, 2, 16])))).toContain(pooling);
    expect(names(fuseAll(captured((y) => [sum(y)])))).toContain("sum.forward");
    expect(names(fuseAll(captured((y) => [mean(y, { axes: 0 })])))).toContain("sum.forward");
    expect(names(fuseAll(captured((y) => [max(y, { axes: 0 })])))).toContain("max.forward");
    const twice = names(fuseAll(captured((y) => [mean(y, overChannels), sum(y, overChannels)])));
    expect(twice.filter((name) => name === "sum.forward")).toHaveLength(1);
  });

  it("keeps the pooling of a training step, whose gradient asks where the largest were", () => {
    const gamma = parameter(ones([16]));
    const program = capture(
      ([x]) => {
        const y = silu(groupNorm(x, gamma, zeros([16]), { groups: 4 }));
        gamma.grad = undefined;
        backward(add(mean(maxPool2d(y)), mean(mean(y, overChannels))));
        return [new Tensor(gamma.grad!, [16])];
      },
      [zeros([1, 20, 24, 16])],
    );
    const joined = names(fuseAll(program));
    expect(joined).toContain("maxPool2d.forward");
    expect(joined).toContain("groupNorm.reduced");
  });

  it("gives what its parts give, of batches too", () => {
    const runner = new Runner(new Arena(false, 2 ** 26), alone, { relaxed: false });
    const running = { mean: random([16], 2), variance: ones([16]) };
    const [gamma, beta] = [random([16], 3), random([16], 4)];
    const batch = (x: Tensor) => relu(batchNorm(x, gamma, beta, running, { training: false }));
    const AVERAGES = 2;
    const read = (y: Tensor) => [maxPool2d(y), y, mean(y, overChannels), max(y, overChannels)];
    for (const program of [captured(read, [1, 36, 41, 16]), captured(read, [2, 18, 41, 16], batch)]) {
      expect(names(fuseAll(program))).toContain("groupNorm.reduced");
      const inputs = program.inputs.map(({ shape }) => random(shape, 1));
      const run = (without: string[]) => prepareInArena(runner, program, { without }).runSync(inputs);
      const fused = run([]);
      const apart = run(normalizeReduceFusions.map(({ name }) => name));
      const references = prepareWithKernels(fuseAll(program)).runSync(inputs);
      apart.forEach(({ data }, i) => {
        // The averages alone are summed up in another way.
        if (i === AVERAGES) expect(relativeError(fused[i].data, data)).toBeLessThan(1e-6);
        else expect(fused[i].data).toEqual(data);
        expect(relativeError(references[i].data, data)).toBeLessThan(1e-5);
      });
    }
  });

  describe.each([4, 8, 12, 16, 20, 32, 48, 64, 516])("of %i channels", (C) => {
    const arraysOf = (N: number, H: number, W: number) => {
      const variance = random([N * 4], 3).data.map((value) => value * value);
      return {
        y: new Float32Array(N * H * W * C),
        x: random([N * H * W * C], 1).data,
        mean: random([N * 4], 2).data,
        variance,
        gamma: random([C], 4).data,
        beta: random([C], 5).data,
      };
    };
    const dims = (N: number, H: number, W: number, activation: "relu" | "silu") => ({
      norm: groupNormDims([N, H, W, C], { groups: 4 }),
      activation,
      pool: undefined,
      scale: 1 / C,
    });
    const reductions = (pixels: number) => ({
      averages: new Float32Array(pixels),
      maxima: new Float32Array(pixels),
    });

    it.each([
      [2, 15, 19],
      [1, 131, 3],
    ])("without a pooling, %i images of %ix%i", (N, H, W) => {
      for (const activation of ["relu", "silu"] as const) {
        const arrays = { ...arraysOf(N, H, W), ...reductions(N * H * W) };
        const { averages, maxima, ...rest } = arrays;
        for (const given of [arrays, { ...rest, averages }, { ...rest, maxima }])
          expect(checkCode(groupNormReducedGenerator, given, dims(N, H, W, activation))).toBeLessThan(2e-6);
      }
    });

    it("has maxima below 0 where all channels are", () => {
      const [N, H, W] = [1, 15, 37];
      const low = { gamma: new Float32Array(C).fill(0.1), beta: new Float32Array(C).fill(-5) };
      const arrays = { ...arraysOf(N, H, W), ...low, ...reductions(N * H * W) };
      const d = dims(N, H, W, "silu");
      expect(checkCode(groupNormReducedGenerator, arrays, d)).toBeLessThan(1e-5);
      expect(Math.max(...outputsOf(groupNormReducedGenerator, arrays, d)!.maxima)).toBeLessThan(0);
    });

    it.each([
      [16, 19],
      [2, 97],
      [46, 2],
      [20, 40],
    ])("with one, %ix%i", (H, W) => {
      const pool = pool2dDims("maxPool2d", [1, H, W, C], { size: 2 });
      const d = { ...dims(1, H, W, "silu"), pool };
      const arrays = { ...arraysOf(1, H, W), pooled: new Float32Array(pool.OH * pool.OW * C) };
      if (H * W * C < 4 * 512) return;
      expect(checkCode(groupNormReducedGenerator, arrays, d)).toBeLessThan(2e-6);
      expect(checkCode(groupNormReducedGenerator, { ...arrays, ...reductions(H * W) }, d)).toBeLessThan(2e-6);
    });
  });

  it("hands NaN on", () => {
    const [H, W, C] = [16, 20, 16];
    const pool = pool2dDims("maxPool2d", [1, H, W, C], { size: 2 });
    const x = random([H * W * C], 1).data;
    for (const at of [0, 17, W * C, (W + 1) * C + 3, H * W * C - 1]) x[at] = Number.NaN;
    const arrays = {
      ...{ y: new Float32Array(x.length), pooled: new Float32Array(x.length / 4), x },
      ...{ averages: new Float32Array(H * W), maxima: new Float32Array(H * W) },
      ...{ mean: zeros([4]).data, variance: ones([4]).data, gamma: ones([C]).data, beta: zeros([C]).data },
    };
    const norm = groupNormDims([1, H, W, C], { groups: 4 });
    const d = { norm, activation: "silu", pool, scale: 1 / C };
    const made = outputsOf(groupNormReducedGenerator, arrays, d)!;
    const wanted = { ...arrays, y: x.slice(), pooled: x.slice(0, x.length / 4) };
    groupNormReducedGenerator.kernel.reference(wanted as never, d as never);
    for (const name of ["y", "pooled", "averages", "maxima"] as const)
      expect([...made[name]].map(Number.isNaN), name).toEqual([...wanted[name]].map(Number.isNaN));
  });
});

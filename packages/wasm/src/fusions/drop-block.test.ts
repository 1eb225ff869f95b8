import {
  backward,
  capture,
  conv2d,
  dropBlock,
  mean,
  mul,
  normal,
  type Program,
  parameter,
  randomState,
  sum,
  Tensor,
  zeros,
} from "@saunet/core";
import { allocateMask, dropBlockDims, dropBlockDraw, gapLimits } from "@saunet/core/kernels";
import { relativeError } from "@saunet/core/testing";
import { describe, expect, it } from "vitest";
import { checkCode } from "../kernels/testing.ts";
import { Arena } from "../memory.ts";
import { prepareInArena } from "../program.ts";
import { alone, Runner } from "../runner.ts";
import { dropBlockFusion, dropBlockGenerator } from "./drop-block.ts";
import { fuseAll } from "./index.ts";

const random = (shape: readonly number[], seed: number) => normal(shape, randomState(seed));
const dropping = ({ calls }: Program) =>
  calls.map(({ kernel }) => kernel.name).filter((name) => name.startsWith("dropBlock"));
const state = randomState(1);

const options = { rate: 0.2, blockSize: 5 };

describe("DropBlock in training", () => {
  it("keeps a byte for each element from the forward pass to the backward pass", () => {
    const shape = [2, 21, 26, 12];
    const drop = (x: Tensor) => dropBlock(x, state, options);
    const program = capture(
      ([data]) => {
        const x = parameter(data);
        backward(mean(drop(x)));
        return [new Tensor(x.grad!, shape)];
      },
      [zeros(shape)],
    );
    const masks = program.calls.flatMap(({ buffers: { mask } }) => (mask === undefined ? [] : [mask]));
    expect(new Set(masks).size).toBe(1);
    expect(program.buffers[masks[0]]).toMatchObject({ type: "i32", length: (2 * 21 * 26 * 12) / 4 });
  });

  it("sums up what it leaves of a gradient, for the bias before", () => {
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
    expect(names(step(16))).toEqual(["dropBlock.applySums"]);
    // Three vectors of four are no pairs.
    expect(names(step(24))).toEqual(["dropBlock.apply"]);
    const runner = new Runner(new Arena(false, 2 ** 26), alone, { relaxed: false });
    const program = step(16);
    const [together, apart] = [[], [dropBlockFusion.name]].map((without) => {
      state.set(randomState(1));
      return prepareInArena(runner, program, { without }).runSync([random([2, 21, 26, 4], 1)]);
    });
    expect(relativeError(together[0].data, apart[0].data)).toBe(0);
    expect(relativeError(together[1].data, apart[1].data)).toBeLessThan(1e-6);
  });

  it("leaves a mean of what it leaves to its own kernel", () => {
    const x = random([2, 21, 26, 16], 1);
    const after = (reduce: typeof sum) =>
      capture(([x]) => [reduce(dropBlock(x, state, options), { axes: [0, 1, 2] })], [x]);
    expect(dropping(fuseAll(after(sum))).slice(-1)).toEqual(["dropBlock.applySums"]);
    expect(dropping(fuseAll(after(mean))).slice(-1)).toEqual(["dropBlock.apply"]);
    const runner = new Runner(new Arena(false, 2 ** 26), alone, { relaxed: false });
    const [total, average] = [after(sum), after(mean)].map((program) => {
      state.set(randomState(1));
      return prepareInArena(runner, program).runSync([x])[0].data.map(Math.fround);
    });
    expect(
      relativeError(
        average,
        total.map((value) => value / (2 * 21 * 26)),
      ),
    ).toBeLessThan(1e-6);
  });

  it.each([
    [1, 16, 16, 8],
    [2, 7, 16, 24],
    [1, 33, 29, 32],
    [2, 131, 97, 16],
    [1, 13, 600, 4],
  ])("is applied and summed up by generated code: [%i,%i,%i,%i]", (...shape) => {
    const d = dropBlockDims(shape, { rate: 0.15, blockSize: 7 });
    const mask = allocateMask(d);
    dropBlockDraw.reference({ mask, limits: gapLimits(1 - d.keepRate), state: randomState(1) }, d);
    const x = random(shape, 3).data;
    const [scale, sums] = [new Float32Array([1.2]), new Float32Array(d.C)];
    const arrays = { y: new Float32Array(x.length), x, mask, scale, sums };
    const error = checkCode(dropBlockGenerator, arrays, d);
    // Vectors that come in no pairs stay with two kernels.
    if (d.C % 8 === 0 && d.C !== 24) expect(error).toBeLessThan(2e-6);
    else expect(error).toBeUndefined();
  });
});

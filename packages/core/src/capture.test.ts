import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backward, noGrad } from "./autograd.ts";
import { capture, planProgram, shareInPlace } from "./capture.ts";
import { type Floats, kernel } from "./kernel.ts";
import { relu, sigmoid, silu } from "./ops/activation.ts";
import { add, mul, mulForward } from "./ops/arithmetic.ts";
import { batchNorm } from "./ops/batch-norm.ts";
import { convTranspose2d } from "./ops/conv-transpose2d.ts";
import { conv2d } from "./ops/conv2d.ts";
import { dropBlock } from "./ops/drop-block.ts";
import { groupNorm } from "./ops/group-norm.ts";
import { max } from "./ops/max.ts";
import { maxPool2d } from "./ops/max-pool2d.ts";
import { concat } from "./ops/movement.ts";
import { mean, sum } from "./ops/sum.ts";
import { adam, clipGlobalNorm, type Parameters } from "./optimizers.ts";
import { normal, type RandomState, randomState, uniform } from "./random.ts";
import { prepare } from "./run.ts";
import { ones, parameter, Tensor, tensor, zeros } from "./tensor.ts";
import { checkPlan } from "./testing.ts";

const C = 4;

/** A small network of random layers that keep `[N,8,8,4]`, and everything that it changes as it trains. */
function network(layers: readonly number[], seed: number) {
  const state = randomState(seed);
  const random: RandomState = randomState(seed, 1);
  const parameters: Record<string, Tensor> = {
    filter: parameter(normal([3, 3, C, C], state, { deviation: 0.2 })),
    up: parameter(normal([3, 3, C, C], state, { deviation: 0.2 })),
    both: parameter(normal([1, 1, 2 * C, C], state, { deviation: 0.3 })),
    gamma: parameter(ones([C])),
    beta: parameter(zeros([C])),
    mean: zeros([C]),
    variance: ones([C]),
  };
  const { filter, up, both, gamma, beta } = parameters;
  const running = { mean: parameters.mean, variance: parameters.variance };
  const blocks: ((x: Tensor) => Tensor)[] = [
    (x) => conv2d(x, filter),
    silu,
    relu,
    (x) => groupNorm(x, gamma, beta, { groups: 2 }),
    (x) => batchNorm(x, gamma, beta, running, { training: true }),
    (x) => dropBlock(x, random, { rate: 0.2, blockSize: 3 }),
    (x) => convTranspose2d(maxPool2d(x), up, undefined, { stride: 2 }),
    (x) => conv2d(concat([x, silu(x)], -1), both),
    (x) => mul(x, sigmoid(mean(x, { axes: -1, keepDims: true }))),
    (x) => mul(x, sigmoid(max(x, { axes: -1, keepDims: true }))),
    (x) => add(x, relu(x)),
  ];
  const forward = (x: Tensor) => layers.reduce((f, layer) => blocks[layer % blocks.length](f), x);
  return { parameters, random, forward };
}

function trainStep(
  { parameters, forward }: ReturnType<typeof network>,
  optimizer: { step(): void },
  x: Tensor,
): Tensor {
  const out = forward(x);
  const loss = mean(mul(out, out));
  if (loss.history !== undefined) {
    backward(loss);
    clipGlobalNorm(parameters, 0.5);
    optimizer.step();
  }
  return loss;
}

const snapshot = (parameters: Parameters) =>
  Object.entries(parameters).map(([name, { data }]) => [name, data.slice()]);

describe("a captured program", () => {
  it("equals the eager run bit for bit, in place and not, training and not", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(10), { minLength: 1, maxLength: 7 }), fc.nat(1000), (layers, seed) => {
        const [eager, captured] = [network(layers, seed), network(layers, seed)];
        const [optimizerA, optimizerB] = [adam(eager.parameters), adam(captured.parameters)];
        const shape = [2, 8, 8, C];
        const program = capture(([x]) => [trainStep(captured, optimizerB, x)], [zeros(shape)]);
        for (const form of [program, shareInPlace(program)]) checkPlan(form);
        const { runSync } = prepare(program);
        for (let step = 0; step < 3; step++) {
          const x = normal(shape, randomState(step));
          optimizerA.learningRate[0] = optimizerB.learningRate[0] = 0.01 / (step + 1);
          expect(runSync([x])[0].data).toEqual(trainStep(eager, optimizerA, x).data);
        }
        expect(snapshot(captured.parameters)).toEqual(snapshot(eager.parameters));
        expect(captured.random).toEqual(eager.random);
      }),
      { numRuns: 60 },
    );
  });

  it("changes nothing while it is captured", () => {
    const { parameters, random, forward } = network([0, 4, 5], 1);
    const before = [snapshot(parameters), random.slice()];
    capture(([x]) => [forward(x)], [zeros([1, 8, 8, C])]);
    expect([snapshot(parameters), random]).toEqual(before);
  });

  it("sees parameters that changed between runs, and leaves its inputs and outputs to the caller", () => {
    const w = parameter(tensor([2]));
    const { runSync } = prepare(capture(([x]) => [noGrad(() => mul(x, w))], [zeros([1])]));
    const x = tensor([3]);
    const [first] = runSync([x]);
    w.data[0] = 5;
    const [second] = runSync([x]);
    expect([first.item(), second.item(), x.item()]).toEqual([6, 15, 3]);
  });

  it("lives beside others", () => {
    const programs = [1, 2].map((size) => prepare(capture(([x]) => [sum(silu(x))], [zeros([size])])));
    const values = () => [
      programs[0].runSync([ones([1])])[0].item(),
      programs[1].runSync([ones([2])])[0].item(),
    ];
    expect(values()).toEqual(values());
    expect(values()[1]).toBeCloseTo(2 * values()[0]);
  });

  it("refuses inputs of another shape", () => {
    const { runSync } = prepare(capture(([x]) => [relu(x)], [zeros([2])]));
    expect(() => runSync([zeros([3])])).toThrow("run: input 0 must be [2] but is [3]");
  });

  it("refuses to have a number read on the host, and says what to do", () => {
    expect(() => capture(([x]) => [mul(x, tensor(sum(x).item()))], [zeros([2])])).toThrow(
      "item: no value is known while a program is captured; return the tensor",
    );
    expect(sum(ones([2])).item()).toBe(2);
  });

  it("can return a parameter, an input, or the same tensor twice", () => {
    const w = parameter(tensor([4]));
    const { runSync } = prepare(
      capture(
        ([x]) => {
          const y = mul(x, w);
          return [y, w, x, y];
        },
        [zeros([1])],
      ),
    );
    expect(runSync([tensor([2])]).map((out) => out.item())).toEqual([8, 4, 2, 8]);
  });
});

describe("checkPlan", () => {
  it("finds buffers that lie over others, in one call or across several, and what nobody wrote", () => {
    const program = capture(
      ([x]) => {
        const y = relu(x);
        return [add(silu(y), y)];
      },
      [zeros([16])],
    );
    const plan = planProgram(program);
    const check = (...offsets: number[]) => checkPlan(program, { ...plan, offsets });
    expect(() => check(0, 64, 128)).not.toThrow();
    expect(() => check(0, 0, 64)).toThrow(
      "call 1, silu.forward: x is buffer 1, but buffer 2 lies in its place",
    );
    expect(() => check(0, 64, 64)).toThrow("call 2, add.forward: a is buffer 2");
    expect(() => check(0, 32, 64)).toThrow("buffer 2 lies at 32 to 96");
    expect(() => check(0, 64, 192)).toThrow("buffer 3 lies at 192 to 256 of 192");
    const unwritten = { ...program, calls: program.calls.slice(1) };
    expect(() => checkPlan(unwritten)).toThrow("nobody has written it");
  });
});

describe("capture", () => {
  it("refuses arrays that overlap and are written", () => {
    const data = new Float32Array(8);
    const half = (start: number) => new Tensor(data.subarray(start, start + 4), [4]);
    const written = (out: Tensor, x: Tensor) =>
      capture(() => {
        mulForward({ out: out.data, a: x.data, b: x.data }, { shape: [4], strides: [[1], [1], [1]] });
        return [];
      }, []);
    expect(() => written(half(0), half(2))).toThrow(
      "capture: two arrays share 8 bytes and one of them is written; use one array, or copies",
    );
    expect(() => written(half(0), half(0))).toThrow("two arrays share 16 bytes");
    expect(written(half(0), half(4)).calls.length).toBe(1);
    expect(capture(() => [add(half(0), half(2))], []).calls.length).toBe(1);
  });

  it("refuses promises and doubles, which a program cannot hold", () => {
    const asynchronous = (async ([x]: readonly Tensor[]) => [x]) as never;
    expect(() => capture(asynchronous, [zeros([1])])).toThrow(
      "capture: body must return a list of tensors at once but returned a Promise",
    );
    const doubles = new Tensor(new Float64Array(1) as never, [1]);
    expect(() => capture(([x]) => [add(x, doubles)], [zeros([1])])).toThrow(
      "capture: a program has no place for a Float64Array",
    );
  });
});

describe("shareInPlace", () => {
  it("gives a chain of activations one buffer, and never takes one that is still to be read", () => {
    const chain = capture(([x]) => [silu(relu(silu(mul(x, x))))], [uniform([100], randomState(1))]);
    expect(planProgram(chain).temporaries.length).toBe(4);
    expect(planProgram(shareInPlace(chain)).temporaries.length).toBe(1);
    const fork = capture(
      ([x]) => {
        const y = mul(x, x);
        return [add(silu(y), y)];
      },
      [zeros([100])],
    );
    expect(planProgram(shareInPlace(fork)).temporaries.length).toBe(3);
  });

  it("gives a result of another length a buffer of its own", () => {
    const evens = kernel(
      "capture-test.evens",
      { y: "write", x: "read" },
      ({ y, x }: { y: Floats; x: Floats }) => {
        for (let i = 0; i < y.length; i++) y[i] = x[2 * i];
      },
      { inPlace: { y: "x" } },
    );
    const half = (x: Tensor) => {
      const y = zeros([x.size / 2]);
      evens({ y: y.data, x: x.data }, {});
      return y;
    };
    // The result itself is no temporary, and relu may write over the half.
    const program = shareInPlace(capture(([x]) => [relu(half(mul(x, x)))], [zeros([100])]));
    const lengths = program.calls.map(({ buffers }) => program.buffers[Object.values(buffers)[0]!].length);
    expect(lengths).toEqual([100, 50, 50]);
  });
});

// Captured programs in the arena, on random networks: replayed they equal the eager run bit for bit, whatever is fused
// and shared out they equal each other, and their plans hold.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  adam,
  backward,
  capture,
  mean,
  mul,
  noGrad,
  normal,
  type Program,
  prepare,
  randomState,
  Tensor,
  zeros,
} from "@saunet/core";
import { type Prepared, prepareWithKernels, withReferences } from "@saunet/core/kernels";
import { checkPlan, relativeError } from "@saunet/core/testing";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { largestDifference } from "../../../fixtures/networks.ts";
import { accelerate, restore } from "./accelerate.ts";
import { fuseAll, fusions } from "./fusions/index.ts";
import { Arena } from "./memory.ts";
import { prepareInArena } from "./program.ts";
import { alone, Runner } from "./runner.ts";
import { runFree } from "./testing.ts";
import { networkOf, type RandomNetwork, type Recipe, recipes } from "./testing-networks.ts";
import { Pool } from "./threads/pool.ts";

const UNFUSED = fusions.map(({ name }) => name);
const THREADS = 3;
const STEPS = 3;
const meanSquare = (x: Tensor): Tensor => mean(mul(x, x));

/** One pass without gradients. */
const inference =
  ({ forward }: RandomNetwork) =>
  ([x]: readonly Tensor[]) => [noGrad(() => forward(x))];

/** The loss and the gradient of every parameter. */
const gradients =
  ({ forward, parameters }: RandomNetwork) =>
  ([x]: readonly Tensor[]) => {
    const loss = meanSquare(forward(x));
    if (loss.history !== undefined) backward(loss);
    const wanted = Object.values(parameters).filter(({ grad }) => grad !== undefined);
    return [loss, ...wanted.map(({ grad, shape }) => new Tensor(grad!, shape))];
  };

/** A step of Adam; gives the loss before it. */
const trainingStep = (network: RandomNetwork) => {
  const optimizer = adam(network.parameters);
  return {
    optimizer,
    step: ([x]: readonly Tensor[]) => {
      const loss = meanSquare(network.forward(x));
      if (loss.history !== undefined) {
        backward(loss);
        optimizer.step();
      }
      return [loss];
    },
  };
};

const inputOf = ({ input }: RandomNetwork, seed: number): Tensor => normal(input, randomState(seed));
const captured = (network: RandomNetwork, body: (inputs: readonly Tensor[]) => Tensor[]): Program =>
  capture(body, [zeros(network.input)]);
const dataOf = (tensors: readonly Tensor[]): Float32Array[] => tensors.map(({ data }) => data);
const largest = (array: Float32Array): number =>
  array.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
const stateOf = ({ parameters, random }: RandomNetwork) => [
  ...Object.values(parameters).map(({ data }) => data),
  random,
];
const recipesOf = (numRuns: number) => ({ numRuns, seed: 20250911 });

describe("random networks", () => {
  const arenas = [new Arena(false, 2 ** 29), new Arena(true, 2 ** 29)];
  const runners: Runner[] = [];
  let pool: Pool;
  beforeAll(async () => {
    pool = await Pool.start(arenas[1], THREADS);
    const features = { relaxed: false };
    runners.push(new Runner(arenas[0], alone, features), new Runner(arenas[1], pool, features));
    await accelerate({ threads: THREADS, relaxed: false });
  });
  afterAll(() => {
    pool.stop();
    restore();
  });

  /** What a program gives on one thread and on several, run and let go. */
  const onAllThreads = async (
    program: Program,
    x: Tensor,
    without: readonly string[] = [],
  ): Promise<Float32Array[][]> => {
    const results: Float32Array[][] = [];
    for (const runner of runners) {
      const runnable = prepareInArena(runner, program, { without });
      checkPlan(runnable.program);
      results.push(dataOf(runnable.runSync([x])), dataOf(await runFree(runnable, [x])));
      runnable.free();
    }
    return results;
  };

  it("replayed equal the eager run bit for bit, with the references and with generated code", () =>
    fc.assert(
      fc.asyncProperty(recipes, async (recipe) => {
        for (const [training, bodyOf] of [
          [false, inference],
          [true, gradients],
        ] as const) {
          // Equal networks of their own: a pass moves random state and running statistics on.
          const make = () => networkOf(recipe, { training });
          const x = inputOf(make(), recipe.seed);
          const replay = (prepareBody: (program: Program) => Prepared) => {
            const network = make();
            return dataOf(prepareBody(captured(network, bodyOf(network))).runSync([x]));
          };
          const eager = () => dataOf(bodyOf(make())([x]));
          expect(withReferences(() => replay(prepareWithKernels))).toEqual(withReferences(eager));
          const accelerated = eager();
          for (const runner of runners) {
            let runnable: Prepared | undefined;
            const result = replay((program) => {
              runnable = prepareInArena(runner, program, { without: UNFUSED });
              return runnable;
            });
            runnable?.free();
            expect(result).toEqual(accelerated);
          }
        }
      }),
      recipesOf(10),
    ));

  it("are the same fused and not, within 1e-5, on any number of threads bit for bit, and near the references", () =>
    fc.assert(
      fc.asyncProperty(recipes, async (recipe) => {
        const network = networkOf(recipe, { training: false });
        const x = inputOf(network, recipe.seed);
        const reference = withReferences(() => dataOf(inference(network)([x])));
        const passes = [inference(network), gradients(network)];
        for (const body of passes) {
          const program = captured(network, body);
          const [unfused, ...otherUnfused] = await onAllThreads(program, x, UNFUSED);
          const [fused, ...otherFused] = await onAllThreads(program, x);
          for (const other of otherUnfused) expect(other).toEqual(unfused);
          for (const other of otherFused) expect(other).toEqual(fused);
          // A bias before a normalisation has gradient 0 but for rounding: what is that small counts by the others.
          const least = 0.01 * Math.max(...unfused.map(largest));
          fused.forEach((array, i) => {
            const error = largestDifference(array, unfused[i]) / Math.max(largest(unfused[i]), least);
            expect(error).toBeLessThan(1e-5);
          });
          if (body === passes[0]) expect(relativeError(fused[0], reference[0])).toBeLessThan(1e-4);
        }
      }),
      recipesOf(20),
    ));

  it("train as the eager ones do, bit for bit, when the learning rate changes between steps", () =>
    fc.assert(
      fc.property(recipes, (recipe) => {
        const [eager, replayed] = [0, 1].map(() => networkOf(recipe, { training: true }));
        const [a, b] = [trainingStep(eager), trainingStep(replayed)];
        const runnable = prepareInArena(runners[1], captured(replayed, b.step), { without: UNFUSED });
        checkPlan(runnable.program);
        for (let step = 0; step < STEPS; step++) {
          a.optimizer.learningRate[0] = b.optimizer.learningRate[0] = 0.01 / (step + 1);
          const x = inputOf(eager, step);
          expect(dataOf(runnable.runSync([x]))).toEqual(dataOf(a.step([x])));
        }
        runnable.free();
        expect(stateOf(replayed)).toEqual(stateOf(eager));
      }),
      recipesOf(10),
    ));

  it("live beside each other, whatever the order in which they run", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(recipes, { minLength: 2, maxLength: 4 }),
        fc.array(fc.nat(3), { maxLength: 8 }),
        async (chosen, order) => {
          const programs = chosen.map((recipe: Recipe) => {
            const network = networkOf(recipe, { training: false });
            const x = inputOf(network, recipe.seed);
            const runnable = prepare(captured(network, inference(network)));
            return { x, runnable, alone: dataOf(runnable.runSync([x])) };
          });
          const turns = order.map((number) => programs[number % programs.length]);
          for (const { x, runnable, alone } of turns) expect(dataOf(runnable.runSync([x]))).toEqual(alone);
          // All at once: they wait for each other.
          const results = await Promise.all(turns.map(({ x, runnable }) => runnable.run([x])));
          results.forEach((result, i) => {
            expect(dataOf(result)).toEqual(turns[i].alone);
          });
          for (const { runnable } of programs) runnable.release();
        },
      ),
      recipesOf(8),
    ));

  it("meet every rewrite", () => {
    const programs = fc.sample(recipes, recipesOf(20)).flatMap((recipe) =>
      ([inference, gradients] as const).map((bodyOf) => {
        const network = networkOf(recipe, { training: bodyOf === gradients });
        return captured(network, bodyOf(network));
      }),
    );
    for (const name of UNFUSED) {
      const others = UNFUSED.filter((other) => other !== name);
      const met = programs.some((program) => {
        // Some join what others have joined before.
        const kernels = (without: readonly string[]) =>
          fuseAll(program, without).calls.map(({ kernel }) => kernel.name);
        return (
          String(kernels(others)) !== String(kernels(UNFUSED)) ||
          String(kernels([name])) !== String(kernels([]))
        );
      });
      expect(met, name).toBe(true);
    }
  });

  it("keep their memory as long as they can be run, and give it back when they are forgotten", async () => {
    setFlagsFromString("--expose-gc");
    const collect: () => void = runInNewContext("gc");
    const collected = async (wanted: () => boolean): Promise<boolean> => {
      for (let turn = 0; turn < 20 && !wanted(); turn++) {
        collect();
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      return wanted();
    };
    const [arena] = arenas;
    const used = arena.used;
    const network = networkOf(fc.sample(recipes, { numRuns: 1, seed: 1 })[0], { training: false });
    // In a function of its own, whose frame takes all else along.
    const runOf = () =>
      prepareInArena(runners[0], captured(network, inference(network)), { without: UNFUSED }).runSync;
    let kept: Prepared["runSync"] | undefined = runOf();
    const x = inputOf(network, 1);
    const [wanted] = inference(network)([x]);
    expect(kept([x])[0].data).toEqual(wanted.data);
    expect(await collected(() => arena.used === used)).toBe(false);
    expect(kept([x])[0].data).toEqual(wanted.data);
    kept = undefined;
    expect(await collected(() => arena.used === used)).toBe(true);
  });

  it("that the host does not compile give their memory back", () => {
    const [arena] = arenas;
    const fresh = new Runner(arena, alone, { relaxed: false });
    const used = arena.used;
    const network = networkOf(fc.sample(recipes, { numRuns: 1, seed: 1 })[0], { training: false });
    const { Module } = WebAssembly;
    WebAssembly.Module = class extends Module {
      constructor() {
        super(new Uint8Array());
      }
    };
    try {
      expect(() => prepareInArena(fresh, captured(network, inference(network)))).toThrow(
        WebAssembly.CompileError,
      );
    } finally {
      WebAssembly.Module = Module;
    }
    expect(arena.used).toBe(used);
    const x = inputOf(network, 1);
    const { runSync, free } = prepareInArena(fresh, captured(network, inference(network)), {
      without: UNFUSED,
    });
    expect(runSync([x])[0].data).toEqual(inference(network)([x])[0].data);
    free();
    expect(arena.used).toBe(used);
  });

  it("leave the arena as they found it", () => {
    const used = arenas.map((arena) => arena.used);
    const network = networkOf(fc.sample(recipes, { numRuns: 1, seed: 1 })[0], { training: true });
    for (let i = 0; i < 50; i++) {
      for (const runner of runners)
        prepareInArena(runner, captured(network, trainingStep(network).step)).free();
    }
    expect(arenas.map((arena) => arena.used)).toEqual(used);
  });
});

// The network itself as a program in the arena: its plan, weights that change under it, threads that fail.

import {
  adam,
  capture,
  normal,
  type Program,
  prepare,
  randomState,
  silu,
  type Tensor,
  zeros,
} from "@saunet/core";
import { prepareWithKernels, siluForward } from "@saunet/core/kernels";
import { checkPlan } from "@saunet/core/testing";
import {
  captureInference,
  initialize,
  type Parameters,
  paperLoss,
  readWeights,
  saUNet,
  saUNetV2,
  trainStep,
  writeWeights,
} from "@saunet/model";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { accelerate, restore } from "./accelerate.ts";
import { Arena } from "./memory.ts";
import type { Plan } from "./plan.ts";
import { prepareInArena } from "./program.ts";
import { type Job, KernelError, Runner } from "./runner.ts";
import { runFree } from "./testing.ts";
import { Pool } from "./threads/pool.ts";

const config = saUNetV2;
const photograph = (seed: number, side = 64): Tensor => normal([1, side, side, 3], randomState(seed));
const inference = (parameters: Parameters, side = 64): Program =>
  captureInference({ config, parameters }, zeros([1, side, side, 3]));

describe("the plan of the network", () => {
  beforeAll(async () => {
    await accelerate({ threads: 2 });
  });
  afterAll(restore);

  /** As core runs it, and as the arena does, with its fusions. */
  const forms = (program: Program): Program[] =>
    [prepareWithKernels(program), prepare(program)].map((ready) => ready.program);

  it("lays no two arrays that are needed over each other, at 592x592", () => {
    const parameters = initialize(config, randomState(1));
    for (const form of forms(inference(parameters, 592))) {
      expect(form.calls.length).toBeGreaterThan(40);
      checkPlan(form);
    }
  });

  it.each([saUNetV2, saUNet])("does so in a step of training too: $name", (network) => {
    const parameters = initialize(network, randomState(1));
    const random = randomState(2);
    const step = { config: network, parameters, optimizer: adam(parameters), loss: paperLoss(), random };
    const program = capture(
      ([x, target]) => [trainStep(step, { x, target })],
      [zeros([2, 64, 48, 3]), zeros([2, 64, 48, 1])],
    );
    for (const form of forms(program)) {
      expect(form.calls.length).toBeGreaterThan(150);
      checkPlan(form);
    }
  });
});

describe("a program in the arena", () => {
  /** Set to let one job of the next list go astray: its arrays then lie outside of all memory. */
  let astray: ((job: Job) => boolean) | undefined;
  const spoil = (job: Job): Job =>
    astray?.(job) ? { ...job, addresses: job.addresses.map(() => 0xffffff00) } : job;
  let pool: Pool;
  let runner: Runner;
  beforeAll(async () => {
    const arena = new Arena(true, 2 ** 29);
    pool = await Pool.start(arena, 2);
    const crew = {
      threads: pool.threads,
      load: (module: number, name: string, bytes: Uint8Array<ArrayBuffer>) => pool.load(module, name, bytes),
      run: (job: Job) => pool.run(spoil(job)),
      runList: (jobs: readonly Job[]) => pool.runList(jobs.map(spoil)),
    };
    runner = new Runner(arena, crew, { relaxed: false });
  });
  afterAll(() => pool.stop());

  it("takes another weights file, and another again, from the next run on", () => {
    const files = [1, 2].map((seed) =>
      writeWeights({ config, parameters: initialize(config, randomState(seed)), metadata: {} }),
    );
    const x = photograph(1);
    const wanted = files.map((file) => {
      const fresh = prepareInArena(runner, inference(readWeights(file).parameters));
      const [{ data }] = fresh.runSync([x]);
      fresh.free();
      return data;
    });
    expect(wanted[0]).not.toEqual(wanted[1]);

    const { parameters } = readWeights(files[0]);
    const { runSync, free } = prepareInArena(runner, inference(parameters));
    for (const which of [0, 1, 1, 0]) {
      const other = readWeights(files[which]).parameters;
      for (const [name, { data }] of Object.entries(parameters)) data.set(other[name].data);
      expect(runSync([x])[0].data).toEqual(wanted[which]);
    }
    // One number of one filter is enough.
    parameters["encoder2.conv1.filter"].data[7] += 1;
    expect(runSync([x])[0].data).not.toEqual(wanted[0]);
    free();
  });

  it("gives the same for each size, however they alternate and whatever came between", async () => {
    const parameters = initialize(config, randomState(1));
    const sizes = [64, 32, 48].map((side) => ({
      x: photograph(side, side),
      program: prepareInArena(runner, inference(parameters, side)),
    }));
    const alone = sizes.map(({ program, x }) => program.runSync([x])[0].data);
    for (const which of [0, 1, 0, 2, 2, 1, 0]) {
      const { program, x } = sizes[which];
      expect((await runFree(program, [x]))[0].data).toEqual(alone[which]);
    }
    for (const { program } of sizes) program.free();
  });

  it("names the kernel that traps, and runs again as if nothing had happened", async () => {
    const parameters = initialize(config, randomState(1));
    const program = prepareInArena(runner, inference(parameters));
    const x = photograph(1);
    const [{ data: wanted }] = program.runSync([x]);
    for (const kernel of ["conv2d_f32", "group_norm"]) {
      const message = new RegExp(`^${kernel}\\w*: thread \\d: .*out of bounds`);
      let hit = false;
      astray = ({ name, alone }) => {
        const chosen = !hit && !alone && name.startsWith(kernel);
        hit ||= chosen;
        return chosen;
      };
      const error: unknown = await runFree(program, [x]).catch((reason) => reason);
      astray = undefined;
      expect(error).toBeInstanceOf(KernelError);
      expect((error as Error).message).toMatch(message);
      expect((await runFree(program, [x]))[0].data).toEqual(wanted);
      expect(program.runSync([x])[0].data).toEqual(wanted);
    }
    program.free();
  });

  // What is made of a filter stays for the runs that follow; a run that ended before it came to the filter has made nothing of it.
  it("makes anew what a run that failed did not come to make of changed weights", async () => {
    const { parameters } = readWeights(
      writeWeights({ config, parameters: initialize(config, randomState(1)), metadata: {} }),
    );
    const program = prepareInArena(runner, inference(parameters));
    const x = photograph(1);
    const [{ data: before }] = program.runSync([x]);
    const { data: filter } = parameters["decoder1.conv2.filter"];
    for (let i = 0; i < filter.length; i++) filter[i] *= -1;
    astray = ({ name, alone }) => !alone && name.startsWith("conv2d_f32");
    await expect(runFree(program, [x])).rejects.toThrow(KernelError);
    astray = undefined;
    const fresh = prepareInArena(runner, inference(parameters));
    const [{ data: wanted }] = fresh.runSync([x]);
    fresh.free();
    expect(wanted).not.toEqual(before);
    expect(program.runSync([x])[0].data).toEqual(wanted);
    program.free();
  });

  // 256 modules are remembered, besides those that programs hold; a module that is forgotten gives its number to another.
  it("keeps its code while hundreds of other pieces come and go", async () => {
    const shape = [1, 64, 64, 16];
    const [x, other] = [3, 4].map((seed) => normal(shape, randomState(seed)));
    const program = prepareInArena(
      runner,
      capture(([input]) => [silu(input)], [x]),
    );
    const [{ data: wanted }] = await runFree(program, [x]);
    await runFree(program, [other]);
    for (let i = 0; i < 300; i++) {
      const plan: Plan = { name: "empty", key: `empty ${i}`, phases: [{ items: 2, write: () => {} }] };
      runner.compile(siluForward as never, plan);
    }
    expect((await runFree(program, [x]))[0].data).toEqual(wanted);
    program.free();
  });
});

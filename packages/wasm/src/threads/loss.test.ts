// Workers that die: whoever waits for them is told which kernel was at work, and the next run works again.

import { Worker } from "node:worker_threads";
import { capture, normal, randomState, silu, type Tensor } from "@saunet/core";
import { siluForward } from "@saunet/core/kernels";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { Arena } from "../memory.ts";
import type { Plan } from "../plan.ts";
import { prepareInArena } from "../program.ts";
import { type Job, KernelError, Runner } from "../runner.ts";
import { driven, runFree } from "../testing.ts";
import { WORD } from "./control.ts";
import { Pool, type SpawnedWorker, type WorkerData } from "./pool.ts";

/** The workers that were started last, the stand-in of the caller first. */
const spawned = vi.hoisted((): SpawnedWorker[] => []);
/** What the workers were given. */
const places = vi.hoisted((): WorkerData[] => []);
/** Numbers of threads that end before they are up. */
const stillborn = vi.hoisted(() => new Set<number>());
vi.mock("node:worker_threads", async (original) => {
  const threads = await original<typeof import("node:worker_threads")>();
  class Worker extends threads.Worker {
    constructor(...args: ConstructorParameters<typeof threads.Worker>) {
      super(...args);
      if (stillborn.has(args[1]?.workerData?.thread)) void this.terminate();
    }
  }
  return { ...threads, Worker };
});
vi.mock("./spawn-node.ts", async (original) => {
  const { spawn, ...others } = await original<typeof import("./spawn-node.ts")>();
  return {
    ...others,
    spawn: async (data: Parameters<typeof spawn>[0]) => {
      const worker = await spawn(data);
      spawned[data.thread] = worker;
      places.push(data);
      return worker;
    },
  };
});

describe("a pool that loses a worker", () => {
  let arena: Arena;
  let pool: Pool;
  let runner: Runner;
  beforeAll(async () => {
    arena = new Arena(true, 2 ** 28);
    pool = await Pool.start(arena, 3);
    runner = new Runner(arena, pool, { relaxed: false });
  });
  afterAll(() => pool.stop());

  const shape = [1, 64, 64, 16];
  const x = normal(shape, randomState(1));
  const program = () => {
    const prepared = prepareInArena(
      runner,
      capture(([image]) => [silu(image)], [x]),
    );
    return { ...prepared, run: (inputs: readonly Tensor[]) => runFree(prepared, inputs) };
  };
  /** A list that takes long enough to lose somebody in its midst: every item counts to 200 million. */
  const longList = (): Job[] => {
    const plan: Plan = {
      name: "count_i32",
      key: "count",
      phases: [
        {
          items: 3,
          write: (f, { from, to }) => {
            const [item, i] = [f.local("item", "i32"), f.local("i", "i32")];
            f.forRange(item, { from, to }, () => f.forRange(i, { from: 0, to: 200_000_000 }, () => {}));
          },
        },
      ],
    };
    const code = runner.compile(siluForward as never, plan);
    return Array.from({ length: 20 }, () => runner.jobs(plan, code, [64, 64], 64, 64)[0]);
  };

  it.each([
    ["the stand-in of the caller", 0],
    ["another one", 2],
  ])("rejects the list that runs, names the kernel, and has new ones for the next: %s", async (_, which) => {
    const { run, free } = program();
    const [wanted] = await run([x]);
    const { used } = arena;
    const running = driven(runner.executeList(longList())).catch((error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await spawned[which].terminate();
    const error = await running;
    expect(error).toBeInstanceOf(KernelError);
    expect((error as Error).message).toBe("count_i32: a worker ended; the work was not finished");
    expect(pool.threads).toBe(3);
    expect((await run([x]))[0].data).toEqual(wanted.data);
    expect(arena.used).toBe(used);
    free();
  });

  it("replaces one that ended between two lists before the second, which is not disturbed", async () => {
    const { run, free } = program();
    const [wanted] = await run([x]);
    await spawned[1].terminate();
    expect((await run([x]))[0].data).toEqual(wanted.data);
    expect(pool.threads).toBe(3);
    free();
  });

  it("does not wait with a single job for one that is not there to take part", async () => {
    const { runSync, run, free } = program();
    const [wanted] = runSync([x]);
    await spawned[1].terminate();
    expect(runSync([x])[0].data).toEqual(wanted.data);
    // The next list has new ones come.
    expect((await run([x]))[0].data).toEqual(wanted.data);
    expect(pool.threads).toBe(3);
    expect(runSync([x])[0].data).toEqual(wanted.data);
    free();
  });

  it("gives up a single job whose worker never comes out of it, and works alone until others are there", async () => {
    const { runSync, run, free } = program();
    const [wanted] = runSync([x]);
    const [job] = longList();
    // Loaded first, so that the job is all that is posted.
    pool.run(job);
    const { memory, control } = places.at(-1)!;
    // Goes in as a worker does, and ends there.
    const intruder = new Worker(
      `const { workerData: { memory, control } } = require("node:worker_threads");
      const words = new Int32Array(memory.buffer, control, 64);
      const before = Atomics.load(words, ${WORD.generation});
      require("node:worker_threads").parentPort.postMessage("ready");
      while (Atomics.load(words, ${WORD.generation}) === before);
      Atomics.add(words, ${WORD.door}, 1);`,
      { eval: true, workerData: { memory, control } },
    );
    await new Promise((resolve) => intruder.once("message", resolve));
    expect(() => pool.run(job)).toThrow(
      /^count_i32: 1 of 2 workers did not answer; they are being replaced$/,
    );
    expect(runSync([x])[0].data).toEqual(wanted.data);
    await expect.poll(() => pool.threads).toBe(3);
    expect(runSync([x])[0].data).toEqual(wanted.data);
    expect((await run([x]))[0].data).toEqual(wanted.data);
    free();
  });
});

it("a pool whose new worker ends before it is up works alone, and leaves none of the others behind", async () => {
  const arena = new Arena(true, 2 ** 28);
  const pool = await Pool.start(arena, 3);
  const x = normal([1, 64, 64, 16], randomState(1));
  const prepared = prepareInArena(
    new Runner(arena, pool, { relaxed: false }),
    capture(([image]) => [silu(image)], [x]),
  );
  const [wanted] = await runFree(prepared, [x]);
  const before = [...spawned];
  stillborn.add(2);
  try {
    await spawned[1].terminate();
    expect((await runFree(prepared, [x]))[0].data).toEqual(wanted.data);
    expect(pool.threads).toBe(1);
    for (const thread of [0, 1]) {
      await expect.poll(() => spawned[thread].terminate).not.toBe(before[thread].terminate);
      await spawned[thread].ended;
    }
  } finally {
    stillborn.clear();
  }
  expect((await runFree(prepared, [x]))[0].data).toEqual(wanted.data);
  prepared.free();
  pool.stop();
});

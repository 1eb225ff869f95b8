// Several things at once: segmentations, programs, eager operators, releases, and calls of accelerate and restore. Each
// result is what it is alone.

import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  capture,
  conv2d,
  normal,
  ones,
  pad,
  prepare,
  randomState,
  relu,
  silu,
  type Tensor,
  tensor,
  zeros,
} from "@saunet/core";
import { type Floats, kernel, kernelNames } from "@saunet/core/kernels";
import { relativeError } from "@saunet/core/testing";
import { syntheticFundus } from "@saunet/data";
import { initialize, loadSegmenter, type Segmentation, saUNetV2, segmenterOf } from "@saunet/model";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { accelerate, restore } from "./accelerate.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Without resizing: a small photograph would be enlarged four times. */
const AS_IT_IS = { scale: 1 };
/** How many workers have been started and have not ended. */
const workers = vi.hoisted(() => ({ alive: 0 }));
vi.mock("./threads/spawn-node.ts", async (original) => {
  const { spawn, ...others } = await original<typeof import("./threads/spawn-node.ts")>();
  return {
    ...others,
    spawn: async (data: Parameters<typeof spawn>[0]) => {
      const worker = await spawn(data);
      workers.alive++;
      void worker.ended.then(() => workers.alive--);
      return worker;
    },
  };
});

/** A kernel that has only its TypeScript form. */
const countUp = kernel("test.steps", { count: "update" }, ({ count }: { count: Floats }) => {
  count[0] += 1;
});
const w = normal([3, 3, 8, 8], randomState(1), { deviation: 0.2 });
const x = normal([1, 64, 64, 8], randomState(2));
const convolve = () => prepare(capture(([image]) => [silu(conv2d(image, w))], [x]));
afterEach(() => restore());

describe.each([1, 2])("on %i threads", (threads) => {
  it("programs, operators and another segmenter work while a program runs", async () => {
    await accelerate({ threads });
    const program = convolve();
    const [alone] = program.runSync([x]);
    const eager = relu(x).data;
    const eye = syntheticFundus({ seed: 3, width: 64, height: 64 }).image;
    const segmenter = await loadSegmenter();
    const seen = (await segmenter.segment(eye, AS_IT_IS)).probability;
    const runs = Array.from({ length: 10 }, () => program.run([x]));
    expect(relu(x).data).toEqual(eager);
    // Code that nobody has met yet has to be loaded.
    expect(
      pad(
        x,
        [
          [0, 0],
          [1, 1],
          [1, 1],
          [0, 0],
        ],
        5,
      ).data[0],
    ).toBe(5);
    const other = (await loadSegmenter()).segment(eye, AS_IT_IS);
    expect(program.runSync([x])[0].data).toEqual(alone.data);
    for (const [y] of await Promise.all(runs)) expect(y.data).toEqual(alone.data);
    expect((await other).probability).toEqual(seen);
  });

  it("a release during a run waits for it, and later runs say so", async () => {
    await accelerate({ threads });
    const program = convolve();
    const [alone] = program.runSync([x]);
    const runs = [program.run([x]), program.run([x])];
    program.release();
    for (const [y] of await Promise.all(runs)) expect(y.data).toEqual(alone.data);
    await expect(program.run([x])).rejects.toThrow("run: the program was released; prepare it anew");
    expect(() => program.runSync([x])).toThrow("run: the program was released; prepare it anew");
  });

  it("restore and accelerate during a run wait for it, and programs go on under what is in force then", async () => {
    await accelerate({ threads, relaxed: false });
    const program = convolve();
    const [alone] = program.runSync([x]);
    // What has kept this thread busy makes a run wait for the event loop first.
    await sleep(5);
    const first = program.run([x]);
    const restored = restore();
    const portable = program.run([x]);
    expect((await first)[0].data).toEqual(alone.data);
    await restored;
    const y = (await portable)[0].data;
    expect(y).not.toEqual(alone.data);
    expect(Math.max(...y.map((value, i) => Math.abs(value - alone.data[i])))).toBeLessThan(1e-4);
    await accelerate({ threads, relaxed: false });
    await sleep(5);
    const running = program.run([x]);
    const again = accelerate({ threads: 3 - threads, relaxed: false });
    expect((await running)[0].data).toEqual(alone.data);
    await again;
    expect((await program.run([x]))[0].data).toEqual(alone.data);
  });

  it("an abort ends a run that is under way or waits, and leaves everything as it was", async () => {
    await accelerate({ threads });
    const steps = tensor([0]);
    const program = prepare(
      capture(
        ([image]) => {
          let y = image;
          for (let i = 0; i < 20; i++) y = conv2d(y, w);
          countUp({ count: steps.data }, undefined);
          return [y];
        },
        [x],
      ),
    );
    const [alone] = program.runSync([x]);
    expect(steps.item()).toBe(1);
    const stop = new AbortController();
    const stopped = [program.run([x], { signal: stop.signal }), program.run([x], { signal: stop.signal })];
    const kept = program.run([x]);
    const reason = new Error("no longer wanted");
    stop.abort(reason);
    // On one thread the first run is over before anybody can stop it.
    const outcomes = await Promise.allSettled(stopped);
    const rejected = outcomes.filter((outcome) => outcome.status === "rejected");
    expect(rejected.map(({ reason }) => reason)).toEqual(rejected.map(() => reason));
    expect(rejected.length).toBe(threads === 1 ? rejected.length : 2);
    expect((await kept)[0].data).toEqual(alone.data);
    expect(steps.item()).toBe(1 + 1 + outcomes.length - rejected.length);
  });

  // A shallow network: every change of acceleration plans and compiles each of its sizes anew.
  const config = { ...saUNetV2, channels: [8, 16], groups: 4 };
  const network = { config, parameters: initialize(config, randomState(3)), metadata: {} };
  const sides = [32, 40, 48, 56, 64, 72, 80, 88, 96, 104];
  const eyes = sides.map((side, seed) => syntheticFundus({ seed, width: side, height: side }).image);

  it("50 segmentations in 10 sizes with releases and other accelerations equal those alone", async () => {
    const segmenter = segmenterOf(network);
    // Which acceleration a photograph meets is chance: it equals one of those that there are.
    const settings = [
      { threads: 1, relaxed: false },
      { threads: 2, relaxed: false },
    ];
    const wanted: Segmentation[][] = [];
    for (const setting of [undefined, settings[0]]) {
      if (setting === undefined) await restore();
      else await accelerate(setting);
      const list: Segmentation[] = [];
      for (const eye of eyes) list.push(await segmenter.segment(eye, AS_IT_IS));
      wanted.push(list);
    }
    await accelerate({ threads, relaxed: false });
    const isAsAlone = ({ probability }: Segmentation, which: number): boolean =>
      wanted.some((list) => probability.every((value, i) => Object.is(value, list[which].probability[i])));
    const moments = fc.array(fc.nat(19), { minLength: 50, maxLength: 50 });
    await fc.assert(
      fc.asyncProperty(moments, async (list) => {
        const acts: Promise<unknown>[] = [];
        const results = list.map(async (moment, i) => {
          for (let turn = 0; turn < moment; turn++) await (turn % 5 === 4 ? sleep(1) : null);
          if (moment === 3) segmenter.release();
          if (moment === 5) acts.push(accelerate(settings[i % 2]));
          if (moment === 7 && i % 4 === 0) acts.push(restore());
          const which = i % eyes.length;
          return isAsAlone(await segmenter.segment(eyes[which], AS_IT_IS), which);
        });
        expect(await Promise.all(results)).toEqual(list.map(() => true));
        await Promise.all(acts);
      }),
      // Once for each number of threads, with moments of its own.
      { numRuns: 1 },
    );
    segmenter.release();
  });
});

describe("accelerate", () => {
  it("called twice at once starts one pool, and leaves no thread behind", async () => {
    const reports = await Promise.all([accelerate({ threads: 2 }), accelerate({ threads: 3 })]);
    expect(reports.map(({ threads }) => threads)).toEqual([2, 3]);
    // With one that stands in for the caller while a program runs.
    await expect.poll(() => workers.alive).toBe(3);
    await Promise.all([accelerate({ threads: 2 }), restore()]);
    await expect.poll(() => workers.alive).toBe(0);
  });

  it("says why where the host grants no memory, and changes nothing", async () => {
    const { Memory } = WebAssembly;
    WebAssembly.Memory = class {
      constructor() {
        throw new RangeError("could not allocate memory");
      }
    } as never;
    try {
      const { kernels, reasons } = await accelerate({ threads: 1 });
      expect(kernels).toEqual([]);
      expect(reasons).toEqual([
        "nothing is accelerated: the host grants no memory (could not allocate memory)",
      ]);
    } finally {
      WebAssembly.Memory = Memory;
    }
    expect(relu(tensor([-1, 2])).data).toEqual(new Float32Array([0, 2]));
  });

  it("names every kernel that has no fast form, those of others too", async () => {
    kernel("test.slow", { y: "write" }, ({ y }: { y: Floats }) => y.fill(0));
    const { kernels, missing } = await accelerate({ threads: 1 });
    expect(missing).toContain("test.slow");
    expect(kernels.filter((name) => missing.includes(name))).toEqual([]);
    const fused = kernelNames().filter((name) => !kernels.includes(name) && !missing.includes(name));
    expect(fused).toContain("groupNorm.silu");
  });
});

describe("memory", () => {
  it("that operands do not fit into is not needed: they run in TypeScript, and that is reported once", async () => {
    const { reasons } = await accelerate({ threads: 1, memoryLimit: 2 ** 24 });
    for (let i = 0; i < 3; i++) expect(relu(ones([4_000_000])).data[3_999_999]).toBe(1);
    expect(reasons.length).toBe(1);
    expect(reasons[0]).toMatch(/^relu.forward runs without acceleration: arena: a block of 16000000 bytes/);
    expect(relu(ones([1000])).data[0]).toBe(1);
  });

  it("that a program does not fit into is not needed either", async () => {
    const body = ([image]: readonly Tensor[]) => [conv2d(silu(conv2d(image, w)), w)];
    const large = normal([1, 512, 512, 8], randomState(3));
    const [wanted] = body([large]);
    const { reasons } = await accelerate({ threads: 2, memoryLimit: 2 ** 24 });
    const program = prepare(capture(body, [large]));
    for (const [y] of [program.runSync([large]), await program.run([large])]) {
      expect(relativeError(y.data, wanted.data)).toBeLessThan(1e-4);
    }
    expect(reasons.filter((reason) => reason.startsWith("a program runs without acceleration")).length).toBe(
      1,
    );
  });

  it("of programs that nobody runs just now is there for others", async () => {
    await accelerate({ threads: 1, memoryLimit: 2 ** 25 });
    const { length } = Array.from({ length: 40 });
    const image = normal([1, 96, 96, 8], randomState(4));
    // Each takes a tenth of the memory, and nobody releases them.
    const programs = Array.from({ length }, () =>
      prepare(capture(([input]) => [conv2d(silu(conv2d(input, w)), w)], [image])),
    );
    const [wanted] = programs[0].runSync([image]);
    for (const program of [...programs, ...programs])
      expect(relativeError(program.runSync([image])[0].data, wanted.data)).toBe(0);
  });

  it.each([1, 2])("comes back to the system after a release, on %i threads", async (threads) => {
    await accelerate({ threads });
    const rss = async () => {
      for (let turn = 0; turn < 5; turn++) {
        collectGarbage();
        await sleep(20);
      }
      return process.memoryUsage.rss() / 2 ** 20;
    };
    // A program of 190 MB.
    const image = zeros([1, 592, 592, 8]);
    const w16 = normal([3, 3, 8, 64], randomState(5));
    const back = normal([3, 3, 64, 64], randomState(6));
    const before = await rss();
    const program = prepare(
      capture(
        ([input]) => {
          const y = conv2d(input, w16);
          return [relu(conv2d(silu(conv2d(y, back)), back)), y].slice(0, 1);
        },
        [image],
      ),
    );
    await program.run([image]);
    expect(await rss()).toBeGreaterThan(before + 100);
    program.release();
    await expect.poll(rss, { interval: 200 }).toBeLessThan(before + 100);
    // And what comes next works as before.
    expect(relu(ones([1000])).data[0]).toBe(1);
  });
});

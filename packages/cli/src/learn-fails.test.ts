// A run that cannot go on: after a lost thread every parameter is as it should be, after another failure half a step may be done.

import { randomState } from "@saunet/core";
import { initialize, type Weights } from "@saunet/model";
import { expect, it, vi } from "vitest";
import { BatchesError, type BatchStream } from "./batch-stream.ts";
import { type Learning, learn } from "./learn.ts";
import type { RunFolder } from "./run-folder.ts";
import { shortRun, tiny } from "./testing.ts";

/** What fails at the third step. */
const stream = vi.hoisted(() => ({ failure: new Error(), stopped: 0 }));
vi.mock("./batch-stream.ts", async (original) => {
  const real = await original<typeof import("./batch-stream.ts")>();
  const batchStream: typeof real.batchStream = (plan, request) => {
    const made = real.batchStream(plan, request);
    return {
      next: async (step) => {
        if (step === 2) throw stream.failure;
        return made.next(step);
      },
      async stop() {
        stream.stopped++;
        await made.stop();
      },
    } satisfies BatchStream;
  };
  return { ...real, batchStream };
});

it.each([
  ["whose thread is lost is saved up to its last step", new BatchesError("gone"), ["last 2", "checkpoint"]],
  ["that fails in another way keeps its last checkpoint", new Error("no more memory"), []],
])("a run %s", async (_, failure, wanted) => {
  Object.assign(stream, { failure, stopped: 0 });
  const parameters = initialize(tiny, randomState(1));
  const network: Weights = { config: tiny, parameters, metadata: {} };
  const saved: string[] = [];
  const released = vi.fn();
  const folder: Partial<RunFolder> = {
    restore: async () => undefined,
    rewindLog: async () => {},
    log: async () => {},
    saveWeights: async (kind, { metadata }) => void saved.push(`${kind} ${metadata.steps}`),
    saveCheckpoint: async () => void saved.push("checkpoint"),
  };
  const crops = [{ until: 1, side: 16, batch: 1, scale: [1, 1] }] as const;
  const learning: Learning = {
    settings: { ...shortRun, crops, sets: [], pictureSize: 48 },
    network,
    plan: { kind: "synthetic", seed: 1, size: 48 },
    validator: () => ({ validate: async () => undefined, release: released }),
    run: folder as RunFolder,
    bar: { advance() {}, show() {}, print() {}, warn() {}, stop() {} },
    isQuiet: true,
    signal: new AbortController().signal,
  };
  await expect(learn(learning)).rejects.toBe(failure);
  expect(saved).toEqual(wanted);
  expect([stream.stopped, released.mock.calls.length]).toEqual([1, 1]);
});

// Batches by their step, the next one made while the network learns from the last: by a thread of its own, where there is one.

import type { EventEmitter } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { Batch } from "@saunet/model";
import {
  type BatchPlan,
  type BatchRequest,
  batchMaker,
  type FlatBatch,
  tensorsOf,
  type WorkerPlan,
} from "./batches.ts";

/** The thread that makes batches is lost, or could not make one. */
export class BatchesError extends Error {
  override readonly name = "BatchesError";

  constructor(why: string, options?: ErrorOptions) {
    super(`the thread that makes batches is lost: ${why}; --resume goes on with the run`, options);
  }
}

/** Batches by their step, the next one made ahead of time. */
export interface BatchStream {
  next(step: number): Promise<Batch>;
  stop(): Promise<void>;
}

/** The worker's file; beside uncompiled sources, which Node 20 cannot run in a thread, there is none. */
const WORKER = fileURLToPath(new URL("./batch-worker.js", import.meta.url));

/**
 * Starts a thread that makes batches; where there is no file for it, they are made when asked for.
 *
 * @param request says how large the batch of a step is; asked once a step
 */
export function batchStream(plan: BatchPlan, request: (step: number) => BatchRequest): BatchStream {
  const { make, stop } = existsSync(WORKER) ? inThread(plan) : inPlace(plan);
  const ahead = new Map<number, Promise<Batch>>();
  const ask = async (step: number) => tensorsOf(await make(request(step)));
  return {
    async next(step) {
      const batch = await (ahead.get(step) ?? ask(step));
      ahead.delete(step);
      const following = ask(step + 1);
      // Whoever takes it hears of a failure; where nobody does, there is none.
      following.catch(() => {});
      ahead.set(step + 1, following);
      return batch;
    },
    stop,
  };
}

/** Whoever makes batches. */
interface Maker {
  make(request: BatchRequest): Promise<FlatBatch>;
  stop(): Promise<void>;
}

function inPlace(plan: BatchPlan): Maker {
  const make = batchMaker(plan);
  return { make: async (request) => make(request), stop: async () => {} };
}

function inThread(plan: BatchPlan): Maker {
  return makerBy(new Worker(WORKER, { workerData: { plan } satisfies WorkerPlan }));
}

/** A thread as it is used here: it answers each request with a batch, in their order. */
interface BatchThread extends Pick<EventEmitter, "on"> {
  postMessage(request: BatchRequest): void;
  terminate(): Promise<unknown>;
}

/** Makes batches by a thread; once it is lost, those that were asked for and all later ones fail. */
export function makerBy(thread: BatchThread): Maker {
  // Answers come in the order of the requests.
  const waiting: { resolve: (flat: FlatBatch) => void; reject: (error: Error) => void }[] = [];
  let lost: BatchesError | undefined;
  const lose = (why: string, cause?: unknown) => {
    lost ??= new BatchesError(why, { cause });
    for (const { reject } of waiting.splice(0)) reject(lost);
  };
  thread.on("message", (flat: FlatBatch) => waiting.shift()?.resolve(flat));
  thread.on("error", (error: Error) => lose(error.message, error));
  thread.on("messageerror", (error: Error) => lose(error.message, error));
  thread.on("exit", (code: number) => lose(`it exited with code ${code}`));
  return {
    make: (request) =>
      new Promise((resolve, reject) => {
        if (lost !== undefined) return reject(lost);
        waiting.push({ resolve, reject });
        thread.postMessage(request);
      }),
    async stop() {
      await thread.terminate();
    },
  };
}

// Batches that a worker draws ahead of the steps that learn from them.

import { Tensor } from "@saunet/core";
import type { Batch } from "@saunet/model";
import { SCRIPT_PATIENCE_MS } from "../ui/worker.ts";
import { AHEAD, BATCH, CROP } from "./batch.ts";
import type { BatchAnswer, BatchesAsked } from "./batch.worker.ts";
import type { OwnPicture } from "./own-pictures.ts";
import type { FlatBatch } from "./training-pictures.ts";

/** There is no second attempt; a person can make one. */
const [, PATIENCE_MS] = SCRIPT_PATIENCE_MS;

/** The batches of a run in their order. */
export interface BatchStream {
  /** @throws Error where the worker could not start, or has failed */
  next(): Promise<Batch>;
  stop(): void;
}

/** Starts the worker; the first batch is that of `step`. Without pictures of one's own it draws synthetic ones. */
export function batchStream(step: number, pictures: readonly OwnPicture[]): BatchStream {
  let asked = step;
  const worker = new Worker(new URL("./batch.worker.ts", import.meta.url), { type: "module" });
  const waiting: { resolve: (batch: FlatBatch) => void; reject: (error: Error) => void }[] = [];
  let failure: Error | undefined;
  worker.postMessage({ pictures } satisfies BatchesAsked);
  const fail = (reason: string) => {
    failure = new Error(`no photographs can be drawn: ${reason}`);
    for (const { reject } of waiting.splice(0)) reject(failure);
  };
  const late = setTimeout(
    fail,
    PATIENCE_MS,
    `their worker did not start within ${PATIENCE_MS / 1000} seconds`,
  );
  worker.onmessage = ({ data }: MessageEvent<BatchAnswer>) => {
    if (data === "up") {
      clearTimeout(late);
      return;
    }
    const next = waiting.shift();
    if ("failure" in data) next?.reject(new Error(data.failure));
    else next?.resolve(data);
  };
  worker.onerror = ({ message }) => fail(message || "their worker could not be started");
  const ask = (): Promise<FlatBatch> => {
    const batch = new Promise<FlatBatch>((resolve, reject) => {
      if (failure === undefined) waiting.push({ resolve, reject });
      else reject(failure);
    });
    // It is heard of by whoever takes the batch, and by nobody where the run has ended.
    batch.catch(() => {});
    worker.postMessage(asked++);
    return batch;
  };
  const ahead = Array.from({ length: AHEAD }, ask);
  return {
    async next() {
      ahead.push(ask());
      const { x, target } = await ahead.shift()!;
      return {
        x: new Tensor(x, [BATCH, CROP, CROP, 3]),
        target: new Tensor(target, [BATCH, CROP, CROP, 1]),
      };
    },
    stop() {
      clearTimeout(late);
      worker.terminate();
    },
  };
}

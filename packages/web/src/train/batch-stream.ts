// Batches that a worker draws ahead of the steps that learn from them.

import { Tensor } from "@saunet/core";
import type { Batch } from "@saunet/model";
import { makeWorker } from "../ui/nested.ts";
import { SCRIPT_PATIENCE_MS } from "../ui/worker.ts";
import { AHEAD, BATCH, CROP } from "./batch.ts";
import type { BatchAnswer, BatchesAsked } from "./batch.worker.ts";
import script from "./batch.worker.ts?worker&url";
import type { OwnPicture } from "./own-pictures.ts";
import type { FlatBatch } from "./training-pictures.ts";

/** The batches of a run in their order. */
export interface BatchStream {
  /** @throws Error where the worker could not start, or has failed */
  next(): Promise<Batch>;
  stop(): void;
}

/** A batch that has been asked for. */
interface Asked {
  readonly step: number;
  readonly resolve: (batch: FlatBatch) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Starts the worker; the first batch is that of `step`. Without pictures of one's own it draws synthetic ones. A worker that
 * is not up in time is made once more.
 */
export function batchStream(step: number, pictures: readonly OwnPicture[]): BatchStream {
  let next = step;
  const waiting: Asked[] = [];
  let failure: Error | undefined;
  let drawer: { readonly ask: (step: number) => void; readonly end: () => void };
  const fail = (reason: string) => {
    failure = new Error(`no photographs can be drawn: ${reason}`);
    for (const { reject } of waiting.splice(0)) reject(failure);
  };
  const begin = (attempt: 0 | 1) => {
    const { port1: own, port2: port } = new MessageChannel();
    const worker = makeWorker(script, "module");
    let isUp = false;
    const end = () => {
      clearTimeout(late);
      worker.terminate();
      own.close();
    };
    const lose = (reason: string) => {
      end();
      if (isUp || attempt === 1) fail(reason);
      else begin(1);
    };
    const patience = SCRIPT_PATIENCE_MS[attempt];
    const late = setTimeout(lose, patience, `their worker did not start within ${patience / 1000} seconds`);
    worker.addEventListener("error", ({ message }) => lose(message || "their worker could not be started"));
    own.onmessage = ({ data }: MessageEvent<BatchAnswer>) => {
      if (data === "up") {
        isUp = true;
        clearTimeout(late);
        return;
      }
      const asked = waiting.shift();
      if ("failure" in data) asked?.reject(new Error(data.failure));
      else asked?.resolve(data);
    };
    worker.postMessage({ pictures, port } satisfies BatchesAsked, [port]);
    drawer = { ask: (step) => own.postMessage(step), end };
    for (const { step } of waiting) drawer.ask(step);
  };
  begin(0);
  const ask = (): Promise<FlatBatch> => {
    const step = next++;
    const batch = new Promise<FlatBatch>((resolve, reject) => {
      if (failure !== undefined) return reject(failure);
      waiting.push({ step, resolve, reject });
      drawer.ask(step);
    });
    // It is heard of by whoever takes the batch, and by nobody where the run has ended.
    batch.catch(() => {});
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
    stop: () => drawer.end(),
  };
}

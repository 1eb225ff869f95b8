import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { MakeWorker, SpawnedWorker, WorkerData } from "./pool.ts";
import { workerBody } from "./worker-source.ts";

const source = `
  const { parentPort, workerData } = require("node:worker_threads");
  const { memory, control, thread } = workerData;
  const tell = (what) => parentPort.postMessage(what);
  ${workerBody}
`;

/** Starts a worker thread, always Node's own. It keeps the process alive only while a list is awaited from it. */
export function spawn(data: WorkerData, _makeWorker?: MakeWorker): Promise<SpawnedWorker> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(source, { eval: true, workerData: data });
    worker.once("error", reject);
    // One that is ended before it is up says nothing else; later this comes too late to matter.
    worker.once("exit", (code) => reject(new Error(`a worker exited with code ${code} before it was up`)));
    /** Who waits for which list: one listener serves them all. */
    const waiting = new Map<number, () => void>();
    worker.once("message", () => {
      worker.on("message", (list: number) => {
        waiting.get(list)?.();
        waiting.delete(list);
        if (waiting.size === 0) worker.unref();
      });
      // After the listener: one that is added keeps the process alive.
      worker.unref();
      resolve({
        terminate: async () => void (await worker.terminate()),
        ended: new Promise((end) => worker.once("exit", () => end())),
        finished: (list) =>
          new Promise((finish) => {
            worker.ref();
            waiting.set(list, finish);
          }),
      });
    });
  });
}

/** Cores that this process may use. */
export const cores = (): number => availableParallelism();

import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { SpawnedWorker, WorkerData } from "./pool.ts";
import { workerBody } from "./worker-source.ts";

const source = `
  const { parentPort, workerData } = require("node:worker_threads");
  const { memory, control, thread } = workerData;
  const tell = (what) => parentPort.postMessage(what);
  ${workerBody}
`;

/** Starts a worker thread. It keeps the process alive only while a list is awaited from it. */
export function spawn(data: WorkerData): Promise<SpawnedWorker> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(source, { eval: true, workerData: data });
    worker.once("error", reject);
    let waiting = 0;
    worker.once("message", () => {
      worker.unref();
      resolve({
        terminate: async () => void (await worker.terminate()),
        ended: new Promise((end) => worker.once("exit", () => end())),
        finished: (list) =>
          new Promise((finish) => {
            if (waiting++ === 0) worker.ref();
            const hear = (number: unknown) => {
              if (number !== list) return;
              worker.off("message", hear);
              if (--waiting === 0) worker.unref();
              finish();
            };
            worker.on("message", hear);
          }),
      });
    });
  });
}

/** Cores that this process may use. */
export const cores = (): number => availableParallelism();

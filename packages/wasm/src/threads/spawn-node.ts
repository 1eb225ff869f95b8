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
    worker.once("message", () => {
      worker.unref();
      resolve({
        terminate: () => void worker.terminate(),
        finished: () =>
          new Promise((finish, fail) => {
            const ended = () => fail(new Error("a worker ended"));
            worker.ref();
            worker.once("exit", ended);
            worker.once("message", () => {
              worker.off("exit", ended);
              worker.unref();
              finish();
            });
          }),
      });
    });
  });
}

/** Cores that this process may use. */
export const cores = (): number => availableParallelism();

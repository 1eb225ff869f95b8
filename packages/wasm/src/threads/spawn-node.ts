import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { SpawnedWorker, WorkerData } from "./pool.ts";
import { workerBody } from "./worker-source.ts";

const source = `
  const { parentPort, workerData } = require("node:worker_threads");
  const { memory, control, thread } = workerData;
  const ready = () => parentPort.postMessage("ready");
  ${workerBody}
`;

/** Starts a worker thread. It does not keep the process alive. */
export function spawn(data: WorkerData): Promise<SpawnedWorker> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(source, { eval: true, workerData: data });
    worker.once("error", reject);
    worker.once("message", () => {
      worker.unref();
      resolve({ terminate: () => void worker.terminate() });
    });
  });
}

/** Cores that this process may use. */
export const cores = (): number => availableParallelism();

// A thread that makes batches: requests in, arrays out, in the order in which they come.

import { parentPort, workerData } from "node:worker_threads";
import { type BatchRequest, batchMaker, type WorkerPlan } from "./batches.ts";

const make = batchMaker((workerData as WorkerPlan).plan);

parentPort?.on("message", (request: BatchRequest) => {
  const flat = make(request);
  parentPort?.postMessage(flat, [flat.x.buffer as ArrayBuffer, flat.target.buffer as ArrayBuffer]);
});

import { Worker } from "node:worker_threads";
import type { StartedWorker } from "../read.ts";

/** Starts the worker in a thread whose own output is swallowed: the library is talkative about damaged files. */
export function start(): StartedWorker {
  const worker = new Worker(new URL("../worker-node.js", import.meta.url), {
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: 1024 },
  });
  return {
    ask: (question) =>
      new Promise((resolve, reject) => {
        const ended = () => reject(new Error("the worker ended"));
        const settle = () => {
          worker.off("exit", ended);
          worker.off("error", failed);
        };
        const failed = (error: unknown) => {
          settle();
          reject(error);
        };
        worker.once("exit", ended);
        worker.once("error", failed);
        worker.once("message", (answer) => {
          settle();
          resolve(answer);
        });
        worker.postMessage(question);
      }),
    stop: () => void worker.terminate(),
  };
}

import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Hdf5Question, StartedWorker } from "../read.ts";

/** Starts the worker in a thread whose own output is swallowed: the library is talkative about damaged files. */
export async function start(): Promise<StartedWorker> {
  const worker = new Worker(new URL("../worker-node.js", import.meta.url), {
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: 1024 },
  });
  const nextMessage = async () => {
    const ended = new AbortController();
    // An error of the worker rejects by itself; an end without one does it here.
    const exit = once(worker, "exit", ended).then(() => Promise.reject(new Error("the worker ended")));
    try {
      const [message] = await Promise.race([once(worker, "message", ended), exit]);
      return message;
    } finally {
      exit.catch(() => {});
      ended.abort();
    }
  };
  await nextMessage();
  return {
    ask: (question: Hdf5Question) => {
      worker.postMessage(question);
      return nextMessage();
    },
    stop: () => void worker.terminate(),
  };
}

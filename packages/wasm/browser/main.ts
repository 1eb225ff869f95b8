// The page of the browser test: it does the work on its main thread or in a worker, as it is asked.

import { type Outcome, work } from "./work.ts";

/** Does the work, and gives what came of it or throws. */
function run(where: "main thread" | "worker", threads: number): Promise<Outcome> {
  if (where === "main thread") return work(threads);
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<Outcome | Error>) => {
      if (data instanceof Error) reject(data);
      else resolve(data);
      worker.terminate();
    };
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage(threads);
  });
}

Object.assign(globalThis, { run });

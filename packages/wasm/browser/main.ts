// The page of the browser test: it does the work on its main thread or in a worker, as it is asked.

import { type Outcome, work } from "./work.ts";
import type { Wish } from "./worker.ts";

/** Does the work, and gives what came of it or throws. */
function run(
  where: "main thread" | "worker" | "worker with threads of the page",
  threads: number,
): Promise<Outcome> {
  if (where === "main thread") return work(threads);
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<Outcome | Error | Wish>) => {
      if ("script" in data) return makeThread(data);
      if (data instanceof Error) reject(data);
      else resolve(data);
      worker.terminate();
    };
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage({ threads, isMaker: where !== "worker" });
  });
}

/** Makes a thread that the worker asked for: it sends the thread one message, and later perhaps its end. */
function makeThread({ script, port }: Wish): void {
  const thread = new Worker(script);
  port.onmessage = ({ data, ports }) => {
    if (data === "end") thread.terminate();
    else thread.postMessage(data, [...ports]);
  };
}

Object.assign(globalThis, { run });

import type { StartedWorker } from "../read.ts";

/** Starts the worker. Bundlers recognise this form of URL. */
export function start(): StartedWorker {
  const worker = new Worker(new URL("../worker-web.js", import.meta.url), { type: "module" });
  return {
    ask: (question) =>
      new Promise((resolve, reject) => {
        worker.onerror = (event) => reject(new Error(event.message || "the worker could not start"));
        worker.onmessage = ({ data }) => resolve(data);
        worker.postMessage(question);
      }),
    stop: () => worker.terminate(),
  };
}

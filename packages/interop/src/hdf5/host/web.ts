import type { StartedWorker } from "../read.ts";

/** Starts the worker. Bundlers recognise this form of URL. */
export async function start(): Promise<StartedWorker> {
  const worker = new Worker(new URL("../worker-web.js", import.meta.url), { type: "module" });
  const nextMessage = <T>() =>
    new Promise<T>((resolve, reject) => {
      worker.onerror = (event) => reject(new Error(event.message || "the worker could not start"));
      worker.onmessage = ({ data }) => resolve(data);
    });
  await nextMessage();
  return {
    ask: (question) => {
      worker.postMessage(question);
      return nextMessage();
    },
    stop: () => worker.terminate(),
  };
}

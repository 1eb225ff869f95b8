import type { SpawnedWorker, WorkerData } from "./pool.ts";
import { workerBody } from "./worker-source.ts";

const source = `
  onmessage = ({ data: { memory, control, thread } }) => {
    const tell = (what) => postMessage(what);
    ${workerBody}
    close();
  };
`;

/** Starts a Web Worker from text, so that no file has to be served beside the program. */
export function spawn(data: WorkerData): Promise<SpawnedWorker> {
  return new Promise((resolve, reject) => {
    const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    const worker = new Worker(url);
    worker.onerror = (event) => reject(new Error(`a worker could not start: ${event.message}`));
    worker.onmessage = () => {
      URL.revokeObjectURL(url);
      /** Who waits for which list. */
      const waiting = new Map<number, () => void>();
      worker.onmessage = ({ data: list }: MessageEvent<number>) => {
        waiting.get(list)?.();
        waiting.delete(list);
      };
      resolve({
        terminate: async () => worker.terminate(),
        // A browser tells of errors alone.
        ended: new Promise((end) => {
          worker.onerror = () => end();
        }),
        finished: (list) => new Promise((finish) => void waiting.set(list, finish)),
      });
    };
    worker.postMessage(data);
  });
}

/** Cores that the browser tells of. */
export const cores = (): number => navigator.hardwareConcurrency;

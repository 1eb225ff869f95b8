import type { MakeWorker, SpawnedWorker, WorkerData } from "./pool.ts";
import { workerBody } from "./worker-source.ts";

const source = `
  onmessage = ({ data: { memory, control, thread, port } }) => {
    const tell = (what) => port.postMessage(what);
    ${workerBody}
    tell("stopped");
  };
`;

/**
 * Starts a Web Worker from text, so that no file has to be served beside the program. It answers through a port, since
 * another context may have made it.
 */
export function spawn(
  data: WorkerData,
  makeWorker: MakeWorker = (script) => new Worker(script),
): Promise<SpawnedWorker> {
  return new Promise((resolve, reject) => {
    const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    const worker = makeWorker(url);
    const { port1: port, port2: itsPort } = new MessageChannel();
    const ended = new Promise<void>((end) => {
      worker.addEventListener("error", ({ message }) => {
        // A browser tells of errors alone. Once the worker is up, only `ended` hears of them.
        reject(new Error(`a worker could not start: ${message}`));
        end();
      });
    });
    const terminate = async () => {
      worker.terminate();
      port.close();
    };
    port.onmessage = () => {
      URL.revokeObjectURL(url);
      /** Who waits for which list. */
      const waiting = new Map<number, () => void>();
      port.onmessage = ({ data }: MessageEvent<number | "stopped">) => {
        // Nobody else would know that it is of no use any more.
        if (data === "stopped") return void terminate();
        waiting.get(data)?.();
        waiting.delete(data);
      };
      resolve({
        terminate,
        ended,
        finished: (list) => new Promise((finish) => void waiting.set(list, finish)),
      });
    };
    worker.postMessage({ ...data, port: itsPort }, [itsPort]);
  });
}

/** Cores that the browser tells of. */
export const cores = (): number => navigator.hardwareConcurrency;

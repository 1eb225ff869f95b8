// The page around the worker: passes requests on, and keeps the last sign of life where the command looks for it.

import type { PageAnswer, PageRequest, PageSign, PageStop } from "./protocol.ts";

/** What the command finds in the page. */
export interface BenchPage {
  readonly ask: (request: PageRequest) => Promise<PageAnswer>;
  readonly stop: () => void;
  /** What the worker was about to do last, and how many milliseconds ago. */
  readonly sign: () => { readonly doing: string; readonly ago: number };
}

const worker = new Worker("worker.js", { type: "module" });
let last = { doing: "start", at: performance.now() };

const bench: BenchPage = {
  ask: (request) =>
    new Promise((resolve) => {
      last = { doing: request.kind, at: performance.now() };
      worker.onmessage = ({ data }: MessageEvent<PageAnswer | PageSign>) => {
        if (data.kind === "sign") last = { doing: data.doing, at: performance.now() };
        else resolve(data);
      };
      worker.onerror = ({ message }) => resolve({ kind: "failed", reason: message || "its worker failed" });
      worker.postMessage(request);
    }),
  stop: () => worker.postMessage({ kind: "stop" } satisfies PageStop),
  sign: () => ({ doing: last.doing, ago: performance.now() - last.at }),
};
Object.assign(globalThis, { bench });

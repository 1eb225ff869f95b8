import { type Remote, wrap } from "comlink";
import type { ViewWorker } from "./view.worker.ts";

/** Draws the photographs, counts, and writes pictures, away from the page. */
export const view: Remote<ViewWorker> = wrap(
  new Worker(new URL("./view.worker.ts", import.meta.url), { type: "module" }),
);

import type { Remote } from "comlink";
import { type Started, started, startUp } from "../ui/worker.ts";
import type { ViewWorker } from "./view.worker.ts";

const make = (): Started<ViewWorker> => {
  const worker = started<ViewWorker>(
    new Worker(new URL("./view.worker.ts", import.meta.url), { type: "module" }),
  );
  view = worker.remote;
  return worker;
};

/** Draws the photographs, counts, and writes pictures, away from the page. */
export let view: Remote<ViewWorker>;

/** Resolves when it is up. A canvas can be handed over only once, so it waits for this. */
export const viewStarted: Promise<void> = startUp(make);

// What every worker of the page needs from the engine: itself made fast, and a word on how fast.

import { accelerate } from "@saunet/wasm";
import { hearOfMaker, makeWorker } from "./ui/nested.ts";
import type { Startable } from "./ui/worker.ts";

hearOfMaker();

/** How the engine runs here, in words for a person. */
export interface EngineReport {
  readonly threads: number;
  readonly cores: number;
  readonly relaxed: boolean;
  /** Why there are not more threads, or why nothing is accelerated. */
  readonly reasons: readonly string[];
}

let started: Promise<EngineReport> | undefined;

/** Installs the generated kernels in this worker, once. */
export function startEngine(): Promise<EngineReport> {
  started ??= accelerate({ worker: makeWorker }).then(({ threads, relaxed, reasons }) => ({
    threads,
    cores: navigator.hardwareConcurrency,
    relaxed,
    reasons,
  }));
  return started;
}

/** The calls by which a worker with an engine is started. */
export const engineWorker: Startable<EngineReport> = { up() {}, start: startEngine };

// Starting workers whose failure is heard of: a call to a worker that never came up would never be answered.

import { type Remote, wrap } from "comlink";
import { makeWorkersFor } from "./nested.ts";

/** A worker that could not be started, or broke. */
export class WorkerError extends Error {
  override readonly name = "WorkerError";
}

/** A worker that may be called. */
export interface Started<T> {
  readonly remote: Remote<T>;
  /** Rejects where the worker cannot be started, or breaks; to be raced with its calls. */
  readonly failed: Promise<never>;
  /** Ends it, and the workers that were made for it. */
  end(): void;
}

/**
 * A script that does not run after so long is given up; it may have to be fetched first. The second attempt has four times as
 * long, for slow lines.
 */
export const SCRIPT_PATIENCE_MS = [15_000, 60_000] as const;
/**
 * An engine is given up that is not ready so long after its script runs. It takes 50 to 130 ms on two busy cores; the
 * second attempt has four times as long, should the host be that slow.
 */
const ENGINE_PATIENCE_MS = [5000, 20_000] as const;

/** Listens to a worker that has just been made, and makes the workers that it will need. */
export function started<T>(worker: Worker): Started<T> {
  const failed = new Promise<never>((_, reject) => {
    worker.onerror = ({ message }) =>
      reject(new WorkerError(message || "the engine's worker could not be started"));
  });
  // Whoever races it hears of it.
  failed.catch(() => {});
  const endWorkersOf = makeWorkersFor(worker);
  const end = () => {
    worker.terminate();
    endWorkersOf();
  };
  return { remote: wrap<T>(worker), failed, end };
}

/**
 * Waits for an answer, but not longer than that.
 *
 * @throws WorkerError where there is none by then
 */
export async function within<R>(milliseconds: number, answer: Promise<R>): Promise<R> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const message = `the engine's worker did not answer within ${milliseconds / 1000} seconds`;
    timer = setTimeout(() => reject(new WorkerError(message)), milliseconds);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What every worker answers first: that its script runs, and then that all it needs at once is ready. */
export interface Startable<R> {
  up(): void;
  start(): Promise<R>;
}

/**
 * Starts a worker, unless it has been. Where it cannot be started, or is not ready in time, it is made once more: a browser
 * may refuse a script while the service worker takes over.
 *
 * @param make makes the worker, or gives the one that is there; `anew` says that the last one is of no use
 * @throws WorkerError where the second one does not start either
 */
export async function startUp<R>(make: (anew: boolean) => Started<Startable<R>>): Promise<R> {
  const attempt = async (number: 0 | 1): Promise<R> => {
    const { remote, failed, end } = make(number > 0);
    try {
      await within(SCRIPT_PATIENCE_MS[number], Promise.race([remote.up(), failed]));
      return (await within(ENGINE_PATIENCE_MS[number], Promise.race([remote.start(), failed]))) as R;
    } catch (error) {
      if (error instanceof WorkerError) end();
      throw error;
    }
  };
  try {
    return await attempt(0);
  } catch (error) {
    if (!(error instanceof WorkerError)) throw error;
    return attempt(1);
  }
}

// Starting workers whose failure is heard of: a call to a worker that never came up would never be answered.

import { type Remote, wrap } from "comlink";

/** A worker that could not be started, or broke. */
export class WorkerError extends Error {
  override readonly name = "WorkerError";
}

/** A worker that may be called. */
export interface Started<T> {
  readonly remote: Remote<T>;
  /** Rejects where the worker cannot be started, or breaks; to be raced with its first call. */
  readonly failed: Promise<never>;
}

/** Listens to a worker that has just been made. */
export function started<T>(worker: Worker): Started<T> {
  const failed = new Promise<never>((_, reject) => {
    worker.onerror = ({ message }) =>
      reject(new WorkerError(message || "the engine's worker could not be started"));
  });
  // Whoever races it hears of it.
  failed.catch(() => {});
  return { remote: wrap<T>(worker), failed };
}

/**
 * Calls a worker that may just be starting. Where it cannot be started it is made once more: a browser may refuse a script
 * while the service worker takes over.
 *
 * @param make makes the worker, or gives the one that is there; `anew` says that the last one is of no use
 */
export async function firstCall<T, R>(
  make: (anew: boolean) => Started<T>,
  call: (remote: Remote<T>) => Promise<R>,
): Promise<R> {
  const attempt = ({ remote, failed }: Started<T>) => Promise.race([call(remote), failed]);
  try {
    return await attempt(make(false));
  } catch (error) {
    if (!(error instanceof WorkerError)) throw error;
    return attempt(make(true));
  }
}

// The line of requests that wait for the one that is computed: first come, first served, and no longer than a limit.

/** Work in a bounded line. */
export interface WaitingLine {
  /** Work that waits or is done. */
  readonly length: number;
  readonly isFull: boolean;
  /** Seconds until there may be room again, at least 1. */
  readonly retryAfter: number;
  /**
   * Does work when its turn comes.
   *
   * @param signal takes it out of the line again
   * @throws FullError where the line is full; the signal's reason
   */
  run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>;
  /** Resolves when nothing waits or is done. */
  idle(): Promise<void>;
}

/** Too many wait already. */
export class FullError extends Error {
  override readonly name = "FullError";
}

/** Weight of the newest in the mean time that work takes. */
const NEWEST = 0.2;

/** @param most so much may wait beside the work that is done */
export function waitingLine(most: number): WaitingLine {
  const waiting: { begin: () => void }[] = [];
  const idlers: (() => void)[] = [];
  let isBusy = false;
  let meanSeconds = 1;

  const turn = (signal: AbortSignal): Promise<void> => {
    if (!isBusy) {
      isBusy = true;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const leave = () => {
        waiting.splice(waiting.indexOf(entry), 1);
        reject(signal.reason);
      };
      const entry = {
        begin: () => {
          signal.removeEventListener("abort", leave);
          resolve();
        },
      };
      signal.addEventListener("abort", leave, { once: true });
      waiting.push(entry);
    });
  };
  const next = () => {
    const entry = waiting.shift();
    if (entry !== undefined) return entry.begin();
    isBusy = false;
    for (const resolve of idlers.splice(0)) resolve();
  };

  return {
    get length() {
      return waiting.length + (isBusy ? 1 : 0);
    },
    get isFull() {
      return isBusy && waiting.length >= most;
    },
    get retryAfter() {
      return Math.max(1, Math.ceil(meanSeconds * (waiting.length + 1)));
    },
    async run(work, signal) {
      signal.throwIfAborted();
      if (isBusy && waiting.length >= most) throw new FullError("too many requests wait already");
      await turn(signal);
      const start = performance.now();
      try {
        return await work();
      } finally {
        meanSeconds += NEWEST * ((performance.now() - start) / 1000 - meanSeconds);
        next();
      }
    },
    idle: () => (isBusy ? new Promise((resolve) => idlers.push(resolve)) : Promise.resolve()),
  };
}

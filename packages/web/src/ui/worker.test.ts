import type { Remote } from "comlink";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Startable, type Started, started, startUp, WorkerError } from "./worker.ts";

const never = new Promise<never>(() => {});

/** A worker whose answers are given; it notes its end. */
function workerOf(
  answers: Partial<Record<"up" | "start", Promise<unknown>>>,
  failed: Promise<never> = never,
) {
  const remote = { up: () => answers.up ?? Promise.resolve(), start: () => answers.start };
  const end = vi.fn();
  failed.catch(() => {});
  return { remote: remote as unknown as Remote<Startable<string>>, failed, end };
}

describe("a worker that is listened to", () => {
  class FakeWorker {
    onerror: (event: { message?: string }) => void = () => {};
    posted: unknown[] = [];
    terminate = vi.fn();
    addEventListener() {}
    postMessage(message: unknown) {
      this.posted.push(message);
    }
  }

  it.each([
    ["it broke", "it broke"],
    ["", "the engine's worker could not be started"],
  ])("fails where it breaks: %j", async (message, wanted) => {
    const worker = new FakeWorker();
    const { failed, end } = started(worker as unknown as Worker);
    worker.onerror({ message });
    await expect(failed).rejects.toEqual(new WorkerError(wanted));
    expect(worker.terminate).not.toHaveBeenCalled();
    end();
    expect(worker.terminate).toHaveBeenCalledOnce();
    // It was told who makes the workers that it needs.
    expect(worker.posted).toEqual([{ makerOfWorkers: expect.any(MessagePort) }]);
  });
});

describe("startUp", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** Makes these workers in turn, and tells how often a new one was asked for. */
  function makerOf(...workers: Started<Startable<string>>[]) {
    const asked: boolean[] = [];
    const make = (anew: boolean) => workers[asked.push(anew) - 1];
    return { asked, make };
  }

  it("gives what the first worker answers, and makes no other", async () => {
    const worker = workerOf({ start: Promise.resolve("ready") });
    const { asked, make } = makerOf(worker);
    expect(await startUp(make)).toBe("ready");
    await vi.advanceTimersByTimeAsync(100_000);
    expect(asked).toEqual([false]);
    expect(worker.end).not.toHaveBeenCalled();
  });

  it("ends a worker whose engine never answers, and makes another", async () => {
    const [first, second] = [workerOf({ start: never }), workerOf({ start: Promise.resolve("ready") })];
    const { asked, make } = makerOf(first, second);
    const answer = startUp(make);
    await vi.advanceTimersByTimeAsync(4999);
    expect(first.end).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(await answer).toBe("ready");
    expect(asked).toEqual([false, true]);
    expect(first.end).toHaveBeenCalledOnce();
  });

  it("waits longer for a script, which may have to be fetched", async () => {
    const up = new Promise<void>((resolve) => setTimeout(resolve, 14_000));
    const { asked, make } = makerOf(workerOf({ up, start: Promise.resolve("ready") }));
    const answer = startUp(make);
    await vi.advanceTimersByTimeAsync(14_000);
    expect(await answer).toBe("ready");
    expect(asked).toEqual([false]);
  });

  it("says so where neither answers, and leaves none of them behind", async () => {
    const workers = [workerOf({ start: never }), workerOf({ up: never })];
    const { make } = makerOf(...workers);
    const failure = startUp(make).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(65_000);
    expect(await failure).toEqual(new WorkerError("the engine's worker did not answer within 60 seconds"));
    for (const { end } of workers) expect(end).toHaveBeenCalledOnce();
  });

  it("makes another one at once where the first breaks, but not where a call is answered with an error", async () => {
    const broken = workerOf({ start: never }, Promise.reject(new WorkerError("it broke")));
    const { asked, make } = makerOf(broken, workerOf({ start: Promise.resolve("ready") }));
    expect(await startUp(make)).toBe("ready");
    expect(asked).toEqual([false, true]);
    const worker = workerOf({ start: Promise.reject(new Error("no memory")) });
    const wrong = makerOf(worker);
    await expect(startUp(wrong.make)).rejects.toThrow("no memory");
    expect(wrong.asked).toEqual([false]);
    expect(worker.end).not.toHaveBeenCalled();
  });
});

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { AHEAD, BATCH, CROP } from "./batch.ts";
import type { BatchAnswer, BatchesAsked } from "./batch.worker.ts";
import { batchStream } from "./batch-stream.ts";

/** A worker of batches: `isUp` says whether it ever runs. */
class FakeWorker extends EventTarget {
  static made: FakeWorker[] = [];
  /** Whether the first, the second … comes up. */
  static comeUp: boolean[] = [];
  terminate = vi.fn();
  constructor() {
    super();
    FakeWorker.made.push(this);
  }
  postMessage({ port }: BatchesAsked) {
    if (!FakeWorker.comeUp[FakeWorker.made.length - 1]) return;
    port.postMessage("up" satisfies BatchAnswer);
    port.onmessage = ({ data: step }) => {
      const x = new Float32Array(BATCH * CROP * CROP * 3).fill(step);
      port.postMessage({ x, target: new Float32Array(BATCH * CROP * CROP) } satisfies BatchAnswer);
    };
  }
  break(message: string) {
    this.dispatchEvent(Object.assign(new Event("error"), { message }));
  }
}

describe("batchStream", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    FakeWorker.made = [];
    vi.stubGlobal("Worker", FakeWorker);
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  const firstOf = async (stream: ReturnType<typeof batchStream>) => (await stream.next()).x.data[0];

  it("gives the batches in the order of their steps", async () => {
    FakeWorker.comeUp = [true];
    const stream = batchStream(5, []);
    expect([await firstOf(stream), await firstOf(stream)]).toEqual([5, 6]);
    stream.stop();
    expect(FakeWorker.made[0].terminate).toHaveBeenCalledOnce();
  });

  it("makes a worker anew that does not come up, and asks it for the same", async () => {
    FakeWorker.comeUp = [false, true];
    const stream = batchStream(0, []);
    const first = firstOf(stream);
    vi.advanceTimersByTime(14_999);
    expect(FakeWorker.made).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect([await first, await firstOf(stream)]).toEqual([0, 1]);
    expect(FakeWorker.made[0].terminate).toHaveBeenCalledOnce();
    stream.stop();
  });

  it("says so where the second does not come up either", async () => {
    FakeWorker.comeUp = [false, false];
    const stream = batchStream(0, []);
    const first = stream.next();
    vi.advanceTimersByTime(15_000);
    FakeWorker.made[1].break("refused");
    await expect(first).rejects.toThrow("no photographs can be drawn: refused");
    // Those that were asked for ahead, and those that are asked for later.
    const heard: string[] = [];
    for (let i = 0; i <= AHEAD; i++) stream.next().catch(({ message }: Error) => heard.push(message));
    await new Promise((resolve) => setImmediate(resolve));
    expect(heard).toEqual(Array(AHEAD + 1).fill("no photographs can be drawn: refused"));
    for (const { terminate } of FakeWorker.made) expect(terminate).toHaveBeenCalled();
  });

  it("does not begin again where a worker breaks that was up", async () => {
    FakeWorker.comeUp = [true, true];
    const stream = batchStream(0, []);
    await stream.next();
    FakeWorker.made[0].break("out of memory");
    await expect(stream.next().then(() => stream.next())).rejects.toThrow("out of memory");
    expect(FakeWorker.made).toHaveLength(1);
  });
});

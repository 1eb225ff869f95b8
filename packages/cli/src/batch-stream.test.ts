// Batches one after the other, and a thread that is played: whose answer is whose, and what becomes of requests when it is lost.

import { EventEmitter } from "node:events";
import { setImmediate } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { BatchesError, batchStream, makerBy } from "./batch-stream.ts";
import type { BatchPlan, BatchRequest, FlatBatch } from "./batches.ts";

const plan: BatchPlan = { kind: "synthetic", seed: 3, size: 48 };
const request = (step: number): BatchRequest => ({ step, batch: 1, side: 16 });
const flat = (count: number): FlatBatch => ({
  ...{ count, side: 1 },
  ...{ x: new Float32Array(3 * count), target: new Float32Array(count) },
});

/** A thread that notes what it is asked, and answers when the test says so. */
function played() {
  const events = new EventEmitter();
  const asked: BatchRequest[] = [];
  const terminate = vi.fn(async () => 1);
  const on = events.on.bind(events) as EventEmitter["on"];
  const { make, stop } = makerBy({ on, postMessage: (one) => asked.push(one), terminate });
  return { events, asked, terminate, make, stop };
}

describe("a thread that makes batches", () => {
  it("answers requests in their order, and ends when it is told to", async () => {
    const { events, asked, terminate, make, stop } = played();
    const answers = [1, 2].map((step) => make(request(step)));
    expect(asked).toEqual([request(1), request(2)]);
    events.emit("message", flat(1));
    events.emit("message", flat(2));
    expect(await Promise.all(answers)).toEqual([flat(1), flat(2)]);
    expect(terminate).not.toHaveBeenCalled();
    await stop();
    expect(terminate).toHaveBeenCalledOnce();
  });

  it.each<[event: string, value: unknown, why: string]>([
    ["error", new RangeError("no more crops"), "no more crops"],
    ["messageerror", new Error("could not be read"), "could not be read"],
    ["exit", 7, "it exited with code 7"],
  ])("fails all that wait, and all that come later, when it is lost: %s", async (event, value, why) => {
    const { events, asked, make } = played();
    const answers = [1, 2].map((step) => make(request(step)));
    events.emit(event, value);
    // What comes last says nothing new.
    events.emit("exit", 1);
    events.emit("message", flat(1));
    for (const answer of [...answers, make(request(3))]) {
      const error = await answer.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(BatchesError);
      expect(error).toMatchObject({
        name: "BatchesError",
        message: `the thread that makes batches is lost: ${why}; --resume goes on with the run`,
        cause: event === "exit" ? undefined : value,
      });
    }
    expect(asked).toHaveLength(2);
  });
});

describe("a stream of batches", () => {
  /** A stream, and the steps that it has asked for. */
  const noted = () => {
    const steps: number[] = [];
    const stream = batchStream(plan, (step) => {
      steps.push(step);
      return request(step);
    });
    return { steps, stream };
  };

  it("asks for each step once, and for one step ahead", async () => {
    const { steps, stream } = noted();
    for (const step of [4, 5, 6]) await stream.next(step);
    expect(steps).toEqual([4, 5, 6, 7]);
    // A step that was not the next one is made when it is asked for.
    const { x } = await stream.next(2);
    expect([steps, x.shape]).toEqual([
      [4, 5, 6, 7, 2, 3],
      [1, 16, 16, 3],
    ]);
    await stream.stop();
  });

  it("keeps no batch that was taken", async () => {
    const { steps, stream } = noted();
    for (const step of [1, 2, 2]) await stream.next(step);
    await stream.stop();
    expect(steps).toEqual([1, 2, 3, 2, 3]);
  });

  it("fails at the step that cannot be made, and not while it is made ahead", async () => {
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    try {
      const stream = batchStream(plan, (step) => {
        if (step === 2) throw new RangeError("no such step");
        return request(step);
      });
      expect((await stream.next(1)).x.shape).toEqual([1, 16, 16, 3]);
      await setImmediate();
      await setImmediate();
      expect(unhandled).not.toHaveBeenCalled();
      await expect(stream.next(2)).rejects.toThrow("no such step");
    } finally {
      process.off("unhandledRejection", unhandled);
    }
  });
});

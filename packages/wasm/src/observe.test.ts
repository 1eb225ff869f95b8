import { capture, normal, prepare, randomState, relu, silu, zeros } from "@saunet/core";
import { afterEach, describe, expect, it } from "vitest";
import { accelerate, restore } from "./accelerate.ts";
import { observe, type StepTiming } from "./observe.ts";

describe("observe", () => {
  afterEach(restore);

  it("tells of every step in order, with the share of each thread, and of nothing after it", async () => {
    await accelerate({ threads: 3 });
    const shape = [1, 64, 64, 16];
    const { program, runSync } = prepare(capture(([x]) => [relu(silu(x))], [zeros(shape)]));
    const x = normal(shape, randomState(1));
    const timings: StepTiming[] = [];
    const [watched] = observe(
      (timing) => timings.push(timing),
      () => runSync([x]),
    );
    const [alone] = runSync([x]);
    expect(watched.data).toEqual(alone.data);
    expect(timings.map(({ call }) => program.calls[call].kernel.name)).toEqual([
      "silu.forward",
      "relu.forward",
    ]);
    for (const { name, start, end, spans } of timings) {
      expect(name).toMatch(/_f32_/);
      // The caller's own first; of the others those that were awake in time.
      expect(spans[0].thread).toBe(0);
      expect([0, 1, 2].filter((thread) => spans.some((span) => span.thread === thread))).toHaveLength(
        spans.length,
      );
      for (const span of spans) {
        expect(span.end).toBeGreaterThanOrEqual(span.start);
        // Clocks of threads may differ a little, not by the years between their epochs.
        expect(Math.abs(span.start - start)).toBeLessThan(60_000);
        expect(Math.abs(span.end - end)).toBeLessThan(60_000);
      }
    }
  });

  it("tells of every thread that takes part", async () => {
    await accelerate({ threads: 3 });
    const shape = [1, 512, 512, 16];
    const { runSync } = prepare(capture(([x]) => [silu(x)], [zeros(shape)]));
    const x = normal(shape, randomState(1));
    const seen = new Set<number>();
    while (seen.size < 3)
      observe(
        ({ spans }) => spans.forEach(({ thread }) => void seen.add(thread)),
        () => runSync([x]),
      );
    expect([...seen].sort()).toEqual([0, 1, 2]);
  });

  it("tells of the caller alone where nobody else takes part", async () => {
    await accelerate({ threads: 1 });
    const { runSync } = prepare(capture(([x]) => [silu(x)], [zeros([64])]));
    const timings: StepTiming[] = [];
    observe(
      (timing) => timings.push(timing),
      () => runSync([zeros([64])]),
    );
    expect(timings).toHaveLength(1);
    const [{ start, end, spans }] = timings;
    expect(spans).toEqual([{ thread: 0, start, end }]);
  });

  it("asks the innermost listener, and forgets it when the body throws", async () => {
    await accelerate({ threads: 1 });
    const { runSync } = prepare(capture(([x]) => [silu(x)], [zeros([8])]));
    const heard: string[] = [];
    observe(
      () => heard.push("outer"),
      () => {
        expect(() =>
          observe(
            () => heard.push("inner"),
            () => {
              runSync([zeros([8])]);
              throw new Error("stop");
            },
          ),
        ).toThrow("stop");
        runSync([zeros([8])]);
      },
    );
    expect(heard).toEqual(["inner", "outer"]);
  });
});

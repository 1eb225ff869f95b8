import { expect, test, vi } from "vitest";
import { measure, type Task, type Timing, timed } from "./harness.ts";
import { onSign } from "./watch.ts";

const effort = { seconds: 0.001, minRuns: 5, maxRuns: 20 };

/** One whose runs take what `ms` says, from the first on. */
function task(name: string, ms: (run: number) => number, order: string[] = []): Task {
  let run = 0;
  return {
    name,
    sample: (runs) => {
      order.push(name);
      return Array.from({ length: runs }, () => ms(run++));
    },
  };
}

test("tasks take turns and are seen at least as often as asked", async () => {
  const order: string[] = [];
  const timings = await measure([task("a", () => 50, order), task("b", () => 50, order)], effort);
  expect(timings.get("a")).toMatchObject({ samples: [50, 50, 50, 50, 50] });
  const turns = order.slice(-8);
  expect(turns.filter((name) => name === "a").length).toBe(4);
  expect(turns.every((name, i) => i === 0 || name !== turns[i - 1])).toBe(true);
});

test("a warm-up is kept and never counts, however slow the task", async () => {
  // Slower than all the time that there is: the first run was once counted.
  const timings = await measure([task("slow", (run) => (run === 0 ? 9000 : 3000))], {
    ...effort,
    seconds: 1,
  });
  const { samples, warmup, settled } = timings.get("slow") as Timing;
  expect(warmup[0]).toBe(9000);
  expect(samples).toEqual([3000, 3000, 3000, 3000, 3000]);
  // So few runs cannot tell.
  expect(settled).toBe(false);
});

test("what gets faster all the time has not settled; what stops to has", async () => {
  const long = { seconds: 0.2, minRuns: 16, maxRuns: 16 };
  const timings = await measure(
    [task("moving", (run) => 100 * 0.9 ** run), task("steady", (run) => (run < 3 ? 100 : 10))],
    long,
  );
  expect((timings.get("moving") as Timing).settled).toBe(false);
  expect((timings.get("steady") as Timing).settled).toBe(true);
});

test.each([
  [102, true],
  [98, true],
  [103, false],
  [97, false],
])("a time that goes from 100 to %d has settled: %s", async (then, isSettled) => {
  const moved = (from: number) => task("moved", (run) => (run < from ? 100 : then));
  const warming = (await measure([moved(4)], { ...effort, seconds: 10 })).get("moved") as Timing;
  expect(warming.warmup.length === 8).toBe(isSettled);
  // The first run is the warm-up, and two halves of four count.
  const short = { seconds: 0.001, minRuns: 8, maxRuns: 8 };
  const running = (await measure([moved(5)], short)).get("moved") as Timing;
  expect(running).toMatchObject({ warmup: [100], settled: isSettled });
});

test("what does not settle is warmed for half of its time, and then has all of it", async () => {
  const long = { seconds: 1, minRuns: 1, maxRuns: 1000 };
  const timings = await measure([task("moving", (run) => 20 * 1.05 ** run)], long);
  const { samples, warmup } = timings.get("moving") as Timing;
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  expect(sum(warmup.slice(0, -1))).toBeLessThan(500);
  expect(sum(warmup)).toBeGreaterThanOrEqual(500);
  expect(sum(samples.slice(0, -1))).toBeLessThan(1000);
  expect(sum(samples)).toBeGreaterThanOrEqual(1000);
  const half = await measure([task("half", () => 500)], long);
  expect(half.get("half")).toMatchObject({ warmup: [500], samples: [500, 500] });
});

test("turns fill the most runs that a task has, and no more", async () => {
  const order: string[] = [];
  const timings = await measure([task("a", () => 2, order)], { seconds: 10, minRuns: 5, maxRuns: 12 });
  expect((timings.get("a") as Timing).samples).toHaveLength(12);
  // Eight runs of warming, then turns of ten milliseconds.
  expect(order).toHaveLength(8 + 3);
});

test("what is stopped ends after the turn at hand, also while it warms", async () => {
  for (const [stop, counted] of [
    [10, 3],
    [3, 0],
  ]) {
    vi.resetModules();
    const harness = await import("./harness.ts");
    expect(harness.wasStopped()).toBe(false);
    const stopping = task("stopping", (run) => {
      if (run === stop) harness.stopMeasuring();
      return 50;
    });
    const timings = await harness.measure([stopping, task("other", () => 50)], { ...effort, seconds: 1 });
    expect(harness.wasStopped()).toBe(true);
    for (const name of ["stopping", "other"]) {
      const none = expect.objectContaining({ message: "was stopped before it ran" });
      const some = { samples: Array.from({ length: counted }, () => 50) };
      expect(timings.get(name)).toEqual(counted === 0 ? none : expect.objectContaining(some));
    }
  }
});

test("what runs here is timed by the clock, without what is done before", async () => {
  const wait = (ms: number) => {
    const end = performance.now() + ms;
    while (performance.now() < end);
  };
  const timings = await measure(
    [
      timed(
        "busy",
        () => wait(2),
        () => wait(20),
      ),
    ],
    effort,
  );
  const { samples } = timings.get("busy") as Timing;
  expect(Math.min(...samples)).toBeGreaterThanOrEqual(1.99);
  expect(Math.min(...samples)).toBeLessThan(20);
});

test("a task that throws has an error and no time; the others go on, and each is named before", async () => {
  const signs: string[] = [];
  onSign((doing) => signs.push(doing));
  const failing = timed("failing", () => {
    throw new Error("no such instruction");
  });
  const timings = await measure([failing, timed("fine", () => {})], effort);
  onSign(() => {});
  expect(timings.get("failing")).toBeInstanceOf(Error);
  expect(String(timings.get("failing"))).toContain("no such instruction");
  expect((timings.get("fine") as Timing).samples).toHaveLength(20);
  expect(signs[0]).toBe("failing");
  expect(signs).toContain("fine");
});

test("what is too short for the clock runs several times a sample, but not what has something done before", async () => {
  const counted = { alone: 0, prepared: 0 };
  const timings = await measure(
    [
      timed("alone", () => void counted.alone++),
      timed(
        "prepared",
        () => void counted.prepared++,
        () => {},
      ),
    ],
    effort,
  );
  const runs = (name: string) => {
    const { samples, warmup } = timings.get(name) as Timing;
    return samples.length + warmup.length;
  };
  expect(counted.alone).toBeGreaterThan(10 * runs("alone"));
  expect(counted.prepared).toBe(runs("prepared"));
});

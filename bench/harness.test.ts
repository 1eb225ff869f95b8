import { expect, test } from "vitest";
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

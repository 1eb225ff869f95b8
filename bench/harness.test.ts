import { expect, test } from "vitest";
import { measure } from "./harness.ts";

const effort = { seconds: 0.001, minRuns: 5, maxRuns: 20 };

test("tasks take turns and are seen at least as often as asked", async () => {
  const order: string[] = [];
  const task = (name: string) => ({
    name,
    async: true,
    run: async () => {
      order.push(name);
      return 50;
    },
  });
  const summaries = await measure([task("a"), task("b")], effort);
  expect(summaries.get("a")).toMatchObject({ median_ms: 50, mad_ms: 0, min_ms: 50 });
  const turns = order.slice(-8);
  expect(turns.filter((name) => name === "a").length).toBe(4);
  expect(turns.every((name, i) => i === 0 || name !== turns[i - 1])).toBe(true);
});

test("what a task says it took is what counts, and what it runs is timed otherwise", async () => {
  const wait = () => {
    const end = performance.now() + 2;
    while (performance.now() < end);
  };
  const summaries = await measure([{ name: "busy", run: wait }], effort);
  const summary = summaries.get("busy");
  expect(summary).not.toBeInstanceOf(Error);
  expect((summary as { min_ms: number }).min_ms).toBeGreaterThanOrEqual(1.99);
});

test("a task that throws has an error and no time; the others go on", async () => {
  const failing = {
    name: "failing",
    run: () => {
      throw new Error("no such instruction");
    },
  };
  const summaries = await measure([failing, { name: "fine", run: () => {} }], effort);
  expect(summaries.get("failing")).toBeInstanceOf(Error);
  expect(String(summaries.get("failing"))).toContain("no such instruction");
  expect(summaries.get("fine")).toMatchObject({ runs: 20 });
});

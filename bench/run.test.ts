import { setTimeout } from "node:timers/promises";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { type Entry, inMemory } from "./journal.ts";
import { hasFailures, type Run, run } from "./run.ts";
import type { Row } from "./schema.ts";
import { type Arm, HangError, HERE, type Measurer } from "./session-process.ts";
import { USUAL } from "./settings.ts";
import { machine, row } from "./testing.ts";

vi.mock("node:timers/promises", () => ({ setTimeout: vi.fn(async () => {}) }));
const stderr = vi.spyOn(process.stderr, "write").mockReturnValue(true);
beforeEach(() => void stderr.mockClear());
/** The lines that a person sees meanwhile. */
const told = () => stderr.mock.calls.map(([chunk]) => String(chunk));

/** What measures two units; `says` is asked for the rows of each. */
const measurer = (
  says: (unit: number, without: readonly string[]) => readonly Row[],
  seen: string[] = [],
) => {
  return async (arm: Arm): Promise<Measurer> => {
    seen.push(`start ${arm.label}`);
    return {
      open: async () => ({ units: ["a", "b"], machine }),
      measure: async (unit, without) => {
        seen.push(`${arm.label} ${unit}`);
        return { rows: says(unit, without), stopped: false };
      },
      stop: () => {},
      end: () => {},
    };
  };
};

const task = (more: Partial<Run>): Run => ({
  ...{ bench: "lab", settings: USUAL, command: "pnpm bench lab", repeat: 1 },
  arms: [{ arm: HERE, journal: inMemory() }],
  ...more,
});

const inShape = (unit: number, ms = 1) => [row("x", ms, { shape: "ab"[unit] })];

describe("a run", () => {
  it("measures each repetition in a fresh process, and keeps every run of each", async () => {
    const seen: string[] = [];
    let ms = 10;
    const start = measurer((unit) => inShape(unit, ms++), seen);
    const [results] = await run(task({ repeat: 3, start }));
    expect(seen.filter((what) => what === "start here")).toHaveLength(3);
    expect(results).toMatchObject({ schema: 2, repetitions: 3 });
    expect(results.results).toMatchObject([
      { shape: "a", runs: 9, median_ms: 12 },
      { shape: "b", runs: 9, median_ms: 13 },
    ]);
    expect(results.results.map((each) => "processes" in each && each.processes)).toMatchObject([
      [
        { samples_ms: [10, 10.1, 9.9] },
        { samples_ms: [12, 12.12, 11.88] },
        { samples_ms: [14, 14.14, 13.86] },
      ],
      [{}, {}, {}],
    ]);
  });

  it("spreads repetitions over a time, and waits for nothing that the journal has", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: 0 });
    const sleeps = vi.mocked(setTimeout).mockImplementation(async (ms) => {
      vi.setSystemTime(Date.now() + ms!);
    });
    try {
      const begun: number[] = [];
      const start = measurer((unit) => {
        if (unit === 0) begun.push(Date.now() / 60_000);
        vi.setSystemTime(Date.now() + 120_000);
        return inShape(unit);
      });
      const journal = inMemory();
      const spread = task({ repeat: 4, over: 30, arms: [{ arm: HERE, journal }], start });
      await run(spread);
      expect(begun).toEqual([0, 10, 20, 30]);
      const hours = [10, 20, 30].map((minutes) => new Date(minutes * 60_000).toTimeString().slice(0, 8));
      expect(told().filter((line) => line.includes("begins"))).toEqual(
        hours.map((hour) => `bench: the next repetition begins at ${hour}\n`),
      );
      sleeps.mockClear();
      await run(spread);
      expect(sleeps).not.toHaveBeenCalled();
    } finally {
      vi.useRealTimers();
    }
  });

  it("tells which unit it measures, in which repetition and with which arm, where there are several", async () => {
    const start = measurer((unit) => inShape(unit));
    await run(task({ start }));
    expect(told()).toEqual(["bench: a\n", "bench: b\n"]);
    stderr.mockClear();
    await run(task({ repeat: 2, start }));
    expect(told()).toEqual(
      [1, 2].flatMap((n) => [`bench: repetition ${n} of 2\n`, "bench: a\n", "bench: b\n"]),
    );
    stderr.mockClear();
    await run(task({ arms: [1, 2].map(() => ({ arm: HERE, journal: inMemory() })), start }));
    expect(told()).toEqual(["a", "a", "b", "b"].map((unit) => `bench: ${unit}, commit abc, Node v20.0.0\n`));
  });

  it("says of what it measured, and over how many minutes where it did so more than once", async () => {
    const dates = ["2026-01-02T10:00:00Z", "2026-01-02T09:00:00Z", "2026-01-02T10:01:00Z"];
    const start = async (arm: Arm): Promise<Measurer> => ({
      ...(await measurer((unit) => inShape(unit))(arm)),
      open: async () => ({
        ...{ units: ["a"], input: [64, 64, 3], about: "a photograph" },
        machine: { ...machine, date: dates.shift()! },
      }),
    });
    const [results] = await run(task({ repeat: 3, start }));
    expect(results).toMatchObject({ input: [64, 64, 3], about: "a photograph", repetitions: 3, minutes: 61 });
    const [plain] = await run(task({ start: measurer((unit) => inShape(unit)) }));
    expect(Object.keys(plain)).toEqual(["schema", "bench", "command", "machine", "repetitions", "results"]);
  });

  it("has two arms take turns, the other first every other time", async () => {
    const seen: string[] = [];
    const arms = ["a", "b"].map((label) => ({ arm: { ...HERE, label }, journal: inMemory() }));
    await run(task({ repeat: 2, arms, start: measurer((unit) => inShape(unit), seen) }));
    expect(seen.filter((what) => !what.startsWith("start"))).toEqual([
      ...["a 0", "b 0", "b 1", "a 1"],
      ...["b 0", "a 0", "a 1", "b 1"],
    ]);
  });

  it("ends a contender that hangs, says so, and goes on without it", async () => {
    const start = measurer((unit, without) => {
      if (unit === 0 && !without.includes("stuck")) throw new HangError("stuck", 3);
      return inShape(unit);
    });
    const [results] = await run(task({ start }));
    expect(results.results.map(({ name, shape }) => [name, shape])).toEqual([
      ["stuck", "a"],
      ["x", "a"],
      ["x", "b"],
    ]);
    expect(results.results[0]).toMatchObject({
      status: "failed",
      reason: "no sign of life for 3 s, so it was ended",
    });
    expect(hasFailures(results)).toBe(true);
  });

  it("tells of a process that ends, and measures the next unit in another", async () => {
    const seen: string[] = [];
    const start = measurer((unit) => {
      if (unit === 0) throw new Error("the measuring process ended with SIGSEGV (accelerated)");
      return inShape(unit);
    }, seen);
    const [{ results }] = await run(task({ start }));
    expect(results).toMatchObject([
      { status: "failed", reason: expect.stringContaining("SIGSEGV") },
      { shape: "b", median_ms: 1 },
    ]);
    expect(seen.filter((what) => what === "start here")).toHaveLength(2);
  });

  it("goes on where a journal ends; what was stopped is measured again and counts once", async () => {
    const seen: string[] = [];
    const done: Entry[] = [
      { repetition: 0, unit: "a", machine, rows: inShape(0, 5), stopped: false },
      { repetition: 0, unit: "b", machine, rows: inShape(1, 6), stopped: true },
    ];
    const journal = inMemory();
    for (const each of done) journal.add(each);
    const [{ results }] = await run(
      task({ arms: [{ arm: HERE, journal }], start: measurer((unit) => inShape(unit, 7), seen) }),
    );
    expect(seen).toEqual(["start here", "here 1"]);
    expect(results).toMatchObject([
      { shape: "a", median_ms: 5, runs: 3 },
      { shape: "b", median_ms: 7, runs: 3 },
    ]);
  });

  it("ends after the unit at hand when it is interrupted, and says so", async () => {
    const start = measurer((unit) => {
      process.emit("SIGINT");
      return inShape(unit);
    });
    const [results] = await run(task({ start }));
    expect(results.interrupted).toBe(true);
    expect(results.results).toHaveLength(1);
  });
});

it("a peer that is not there is a failure only where it was asked for by name", async () => {
  const absent: Row = { name: "tfjs-wasm", threads: 1, status: "not installed", reason: "no package" };
  const [results] = await run(task({ start: measurer((unit) => [...inShape(unit), absent]) }));
  expect(hasFailures(results)).toBe(false);
  expect(hasFailures(results, ["tfjs-wasm"])).toBe(true);
});

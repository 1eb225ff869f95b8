// Attempts at a convolution, each held to the reference before it is timed.

import { expect, it } from "vitest";
import { dimsOf } from "./convolutions/convolution.ts";
import type { Attempt } from "./lab/attempt.ts";
import { openAttempts } from "./laboratory.ts";
import { USUAL } from "./settings.ts";
import { parseShape } from "./shapes.ts";

const nobody: ReadonlySet<string> = new Set();
const settings = { ...USUAL, seconds: 0.001, attempts: ["1", "2"] };
const small = parseShape("5x6x3 -> 4, 3x3");

/** An attempt from outside that copies a right one, and spoils it. */
const outside = (name: string, own: Attempt, more: Partial<Attempt>): Attempt => ({
  ...own,
  number: 0,
  name,
  ...more,
});

it("times those that are right, names those that are wrong or fail, and leaves out whom it does not serve", async () => {
  const { attempts } = await import("./lab/index.ts");
  const [naive] = attempts;
  const spoilt = outside("spoilt", naive, {
    prepare: (dims, operands) => {
      const { y, run } = naive.prepare(dims, operands);
      return { run, y: () => y().map((value, i) => (i === 7 ? value + 1 : value)) };
    },
  });
  const broken = outside("broken", naive, {
    prepare: () => {
      throw new Error("no memory");
    },
  });
  const late = outside("late", naive, {
    prepare: (dims, operands) => {
      const { y, run } = naive.prepare(dims, operands);
      let runs = 0;
      const runOnce = () => {
        if (runs++ > 2) throw new Error("it broke");
        run();
      };
      return { y, run: runOnce };
    },
  });
  const absent = outside("absent", naive, { serves: () => false });
  const session = await openAttempts([small], [spoilt, broken, late, absent], settings);
  try {
    expect(session.units).toEqual([small.name]);
    const rows = await session.measure(0, nobody);
    const by = Object.fromEntries(rows.map((row) => [row.name, row]));
    expect(Object.keys(by).toSorted()).toEqual([
      `01 ${naive.name}`,
      `02 ${attempts[1].name}`,
      "broken",
      "late",
      "spoilt",
    ]);
    expect(by[`01 ${naive.name}`]).toMatchObject({
      ...{
        shape: small.name,
        threads: 1,
        code: "typescript",
        flops: 2 * 5 * 6 * 4 * 27,
        max_abs_diff: expect.any(Number),
      },
      geometry: expect.objectContaining({ H: 5, W: 6, C: 3, O: 4 }),
    });
    expect(by.spoilt).toMatchObject({ status: "wrong", max_abs_diff: expect.closeTo(1, 5) });
    expect(by.spoilt).toHaveProperty("reason", expect.stringMatching(/^its result differs by/));
    expect(by.broken).toMatchObject({ status: "failed", reason: "no memory" });
    expect(by.late).toMatchObject({ status: "failed", reason: "it broke" });
    const others = await session.measure(0, new Set([`01 ${naive.name}`, "spoilt", "broken", "late"]));
    expect(others.map(({ name }) => name)).toEqual([`02 ${attempts[1].name}`]);
  } finally {
    session.end();
  }
});

it("has all attempts take part that serve a convolution, where none is chosen", async () => {
  const { attempts } = await import("./lab/index.ts");
  const { attempts: _, ...more } = settings;
  const session = await openAttempts([small], [], { ...more, attempts: undefined });
  const titles = attempts
    .filter(({ serves }) => serves(dimsOf(small)))
    .map(({ number, name }) => `${number < 10 ? "0" : ""}${number} ${name}`);
  expect(titles.length).toBeGreaterThan(5);
  expect((await session.measure(0, nobody)).map(({ name }) => name)).toEqual(titles);
  session.end();
});

it("is of its own list of shapes where none are named", async () => {
  const { openLaboratory } = await import("./lab-session.ts");
  const session = await openLaboratory(settings);
  expect(session.units).toEqual(["encoder1.conv2", "decoder2.conv1", "bottleneck.conv2"]);
  session.end();
});

it("wants a convolution that attempts are of, and attempts that there are", async () => {
  const grouped = parseShape("5x6x4 -> 4, 3x3, groups 4");
  const transposed = parseShape("5x6x3 -> 4, 3x3, stride 2, transposed");
  await expect(openAttempts([grouped, transposed], [], settings)).rejects.toThrow(
    "lab: wants a conv2d without groups",
  );
  await expect(openAttempts([small], [], { ...settings, attempts: ["99"] })).rejects.toThrow(/attempt.*99/);
  const session = await openAttempts([small, grouped, small], [], settings);
  expect(session.units).toEqual([small.name, `${small.name} (2)`]);
  session.end();
  expect((await session.measure(0, nobody)).length).toBe(2);
});

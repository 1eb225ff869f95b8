// The lists beside the mutation tests are about code that changes: what no longer stands there is taken out or put right.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "../workspace.mjs";
import { argued } from "./argued.mjs";
import { faults } from "./faults.mjs";

const textOf = (file: string) => readFileSync(join(root, file), "utf8");

describe("faults of our own", () => {
  it.each(faults)("$name: stands once, and has a test", ({ file, from, to, test: [testFile] }) => {
    expect(textOf(file).split(from)).toHaveLength(2);
    expect(to).not.toBe(from);
    expect(existsSync(join(root, testFile))).toBe(true);
  });

  it("have names of their own", () => {
    expect(new Set(faults.map(({ name }) => name)).size).toBe(faults.length);
  });
});

it.each(argued)("$file has $line, a mutant of which was argued to change nothing", (one) => {
  const { file, line, from, times = 1 } = one;
  expect(
    textOf(file)
      .split("\n")
      .filter((each) => each.trim() === line),
  ).toHaveLength(times);
  expect(line).toContain(from.split(" … ")[0]);
});

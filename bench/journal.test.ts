import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { type Entry, openJournal, type Task } from "./journal.ts";
import { USUAL } from "./settings.ts";
import { machine, row } from "./testing.ts";

const task: Task = { bench: "model", settings: USUAL, repeat: 2, arm: "here" };
const entry = (unit: string): Entry => ({
  repetition: 0,
  unit,
  machine,
  rows: [row("x", 1)],
  stopped: false,
});
let out: string;
beforeEach(() => {
  out = join(mkdtempSync(join(tmpdir(), "saunet-journal-")), "out.json");
});

describe("a journal", () => {
  it("has each unit on the disk as soon as it is measured, and the result file when all is there", () => {
    const journal = openJournal(out, task, false);
    journal.add(entry("a"));
    expect(readFileSync(journal.path!, "utf8").split("\n")).toHaveLength(3);
    expect(existsSync(out)).toBe(false);
    journal.finish("{}");
    expect(readFileSync(out, "utf8")).toBe("{}");
    expect(existsSync(journal.path!)).toBe(false);
  });

  it("is gone on with, also where its last line was cut off", () => {
    const { path, add } = openJournal(out, task, false);
    add(entry("a"));
    appendFileSync(path!, '{"repetition":0,"unit":"b","mach');
    const again = openJournal(out, task, true);
    expect(again.entries.map(({ unit }) => unit)).toEqual(["a"]);
    again.add(entry("b"));
    expect(openJournal(out, task, true).entries).toEqual([entry("a"), entry("b")]);
  });

  it("is neither overwritten nor mixed with something else", () => {
    openJournal(out, task, false).add(entry("a"));
    expect(() => openJournal(out, task, false)).toThrow(
      "holds a part of an earlier run: go on with --resume",
    );
    expect(() => openJournal(out, { ...task, settings: { ...USUAL, quick: true } }, true)).toThrow(
      "is of another command: it was model, 2 repetitions, here, with other options",
    );
    expect(openJournal(out, task, true).entries).toHaveLength(1);
  });

  it("says before anything is measured that it cannot be written", () => {
    expect(() => openJournal(join(out, "none", "x.json"), task, false)).toThrow(
      /^--out: cannot write .*ENOENT/,
    );
    mkdirSync(out);
    expect(() => openJournal(out, task, false)).toThrow("is a folder");
  });

  it("says that there is nothing to go on with, or something else", () => {
    expect(() => openJournal(out, task, true)).toThrow("--resume: there is no");
    writeFileSync(`${out}.partial.jsonl`, "shopping list\n");
    expect(() => openJournal(out, task, true)).toThrow("it was no journal");
    expect(readFileSync(`${out}.partial.jsonl`, "utf8")).toBe("shopping list\n");
  });
});

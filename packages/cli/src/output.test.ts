import { expect, it, vi } from "vitest";
import { z } from "zod";
import { csvRows, fourDigits, intervalText } from "./figures.ts";
import {
  complain,
  duration,
  megabytes,
  print,
  printLine,
  progress,
  sideBySide,
  table,
  writeJson,
} from "./output.ts";
import { keeper } from "./testing.ts";
import { parseJson, validate } from "./validate.ts";

function hostOf({ isTTY = false } = {}) {
  const [stdout, stderr] = [keeper({ isTTY }), keeper({ isTTY })];
  return { host: { stdout: stdout.stream, stderr: stderr.stream, cwd: "/" }, stdout, stderr };
}

it("says durations as a person does", () => {
  expect([0, 8.24, 99.94, 100, 119, 5999, 6000, 12_600].map(duration)).toEqual([
    ...["0.0 s", "8.2 s", "99.9 s", "2 min", "2 min", "100 min", "1.7 h", "3.5 h"],
  ]);
  expect([0, 123_456_789].map(megabytes)).toEqual(["0.0", "123.5"]);
  expect([0.81234, Number.NaN].map(fourDigits)).toEqual(["0.8123", "–"]);
  expect([intervalText([0.79449, 0.8151]), intervalText([Number.NaN, 1])]).toEqual(["0.794–0.815", "–"]);
});

it("sets texts flush left and numbers flush right, their headings with them", () => {
  const rows = [
    ["photograph", "F1", "note"],
    ["a.png", 0.5, "x"],
    ["long name.png", -12.25, ""],
    ["b", "1,000", "7 pieces"],
  ];
  expect(table(rows).split("\n")).toEqual([
    "photograph         F1  note",
    "a.png             0.5  x",
    "long name.png  -12.25",
    "b               1,000  7 pieces",
  ]);
  expect(
    sideBySide([
      ["a", 10],
      ["bb", 9],
    ]).split("\n"),
  ).toEqual(["a   10", "bb   9"]);
  // A name that would move the cursor is written out, and its column is as wide as that.
  expect(
    table([
      ["n", "x"],
      ["\u001b[1m", 1],
    ]),
  ).toBe("n        x\n\\x1b[1m  1");
});

it("quotes cells of CSV that need it, and lets no spreadsheet take one for a formula", () => {
  expect(
    csvRows([
      ["a", 'b "c"', "d,e", "f\ng", "h\ri", 0.5, Number.NaN],
      ["=1", "+1", "-1", "@x", "\ty", -2, "x=1"],
    ]),
  ).toBe(`a,"b ""c""","d,e","f\ng","h\ri",0.5,\n'=1,'+1,'-1,'@x,'\ty,-2,x=1\n`);
});

it("shows what a file's name would have a terminal do, on both streams", () => {
  const { host, stdout, stderr } = hostOf();
  printLine(host, "a\u001bb\nc");
  print(host, "d\u0007\ne\n");
  writeJson(host, { name: "f\u202e", figure: Number.NaN });
  complain(host, "g\u0000");
  expect(stdout.text()).toBe('a\\x1bb\\x0ac\nd\\x07\ne\n{"name":"f\\u202e","figure":null}\n');
  expect(stderr.text()).toBe("saunet: g\\x00\n");
});

it("draws no bar where nobody looks, and still says its lines", () => {
  const { host, stdout, stderr } = hostOf();
  const bar = progress(host, 3);
  bar.advance("one");
  bar.show("two");
  bar.print("result\u001b");
  bar.warn("careful");
  bar.stop();
  expect([stdout.text(), stderr.text()]).toEqual(["result\\x1b\n", "saunet: careful\n"]);
});

it("draws a bar on a terminal with its note, and lines above it", () => {
  const { host, stdout, stderr } = hostOf({ isTTY: true });
  const bar = progress(host, 4);
  bar.advance("one\u001b[2J");
  bar.show("two");
  bar.print("result");
  bar.warn("careful");
  bar.advance("three");
  bar.stop();
  const drawn = stderr.text();
  expect(stdout.text()).toBe("");
  for (const text of ["1/4  one\\x1b[2J", "1/4  two", "result\n", "saunet: careful\n", "2/4  three"])
    expect(drawn).toContain(text);
  expect(drawn).toMatch(/█{6}░{18} 1\/4/);
  // Where stdout is a file, results go there and not to the bar.
  const apart = hostOf({ isTTY: true });
  const plain = keeper();
  const other = progress({ ...apart.host, stdout: plain.stream }, 1);
  other.print("result");
  other.stop();
  expect([plain.text(), apart.stderr.text().includes("result")]).toEqual(["result\n", false]);
});

it("draws its bar without a note at first, again below each line, and takes it away at the end", () => {
  vi.useFakeTimers();
  try {
    const { host, stderr } = hostOf({ isTTY: true });
    const bar = progress(host, 4);
    // By its own timer, before there is anything to say.
    vi.advanceTimersByTime(1000);
    expect(stderr.text()).toContain("0/4");
    expect(stderr.text()).not.toMatch(/0\/4 +\w/);
    bar.show("one");
    bar.print("result");
    const drawn = stderr.text();
    expect(drawn).toMatch(/░{24} 0\/4/);
    expect(drawn).not.toContain("{");
    expect(drawn.lastIndexOf("0/4  one")).toBeGreaterThan(drawn.indexOf("result\n"));
    bar.stop();
    // Nothing is left of it below the cursor, nothing draws it again, and the terminal still wraps its lines.
    expect(stderr.text().slice(drawn.length)).toContain("\u001b[0J");
    expect(vi.getTimerCount()).toBe(0);
    expect(stderr.text()).not.toContain("\u001b[?7l");
  } finally {
    vi.useRealTimers();
  }
});

it("names the place of a file that does not fit, what was wanted and what is there, in few words", () => {
  const schema = z.object({ a: z.array(z.object({ b: z.int().min(1) })), c: z.string().exactOptional() });
  const told = (value: unknown) => () => validate(schema, value);
  expect(validate(schema, { a: [{ b: 2 }] })).toEqual({ a: [{ b: 2 }] });
  expect(told({ a: [{ b: 2 }, { b: "x".repeat(99) }] })).toThrow(
    /^a\.1\.b: Invalid input: expected \w+ but found "x{59}$/,
  );
  expect(told({ a: [{ b: 2 }, {}] })).toThrow(/^a\.1\.b: is missing$/);
  expect(told({})).toThrow(/^a: is missing$/);
  expect(told(undefined)).toThrow(/^is missing$/);
  expect(told(7)).toThrow(/^Invalid input: expected object but found 7$/);
  expect(parseJson('{"a":1}')).toEqual({ a: 1 });
  expect(() => parseJson("{")).toThrow("is damaged: it is not JSON");
});

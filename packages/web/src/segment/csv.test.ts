import { describe, expect, it } from "vitest";
import { tallyOf } from "../pictures/tally.ts";
import { csvOf } from "./csv.ts";
import type { Item } from "./queue.ts";

const tally = tallyOf({
  probability: new Float32Array([0.1, 0.6, 0.9, 0.4]),
  field: new Uint8Array([1, 1, 1, 0]),
  truth: new Uint8Array([0, 1, 1, 1]),
});
const blob = new Blob();
const item = (name: string): Item => ({
  id: 1,
  name,
  file: blob,
  progress: {
    kind: "done",
    result: {
      width: 2,
      height: 2,
      scale: 1,
      seconds: 0.12345,
      threads: 2,
      weights: "shipped",
      tally,
      probability: blob,
      field: blob,
    },
  },
});

describe("csvOf", () => {
  it("writes one row a photograph, at the threshold that is set", () => {
    const [head, row, end] = csvOf([item("a.png")], 50, true).split("\r\n");
    const table = Object.fromEntries(head.split(",").map((name, i) => [name, row.split(",")[i]]));
    expect(table).toMatchObject({ photograph: "a.png", seconds: "0.123", threshold: "0.50", f1: "1.000000" });
    expect(table.vessel_density).toBe((2 / 3).toFixed(6));
    expect(end).toBe("");
  });

  it("leaves out what is not done, and quotes what needs it", () => {
    const waiting: Item = { ...item("b"), progress: { kind: "waiting" } };
    const rows = csvOf([waiting, item('a, "b".png'), item("=1+1.png")], 50, false).split("\r\n");
    expect(rows).toHaveLength(4);
    expect(rows[1]).toMatch(/^"a, ""b"".png",/);
    expect(rows[2]).toMatch(/^'=1\+1.png,/);
  });
});

import { NO_MEDICAL_DEVICE } from "@saunet/data/measure";
import { describe, expect, it } from "vitest";
import { tallyOf } from "../pictures/tally.ts";
import { csvOf } from "./csv.ts";
import type { Item } from "./items.ts";

const tally = tallyOf({
  probability: new Float32Array([0.1, 0.6, 0.9, 0.4]),
  field: new Uint8Array([1, 1, 1, 0]),
  truth: new Uint8Array([0, 1, 1, 1]),
});
const blob = new Blob();
const item = (name: string): Item => ({
  id: 1,
  name,
  fileName: name,
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
      detected: blob,
      doubts: ["hardly any vessel was found"],
    },
  },
});

const csv = (items: readonly Item[], fieldOnly = true) =>
  csvOf({ items, step: 500, calibration: "camera.json", fieldOnly, truthOf: () => "a-truth.png" });
const tableOf = (head: string, row: string) => {
  const cells = row.split(",");
  return Object.fromEntries(head.split(",").map((name, i) => [name, cells[i]]));
};

describe("csvOf", () => {
  it("writes one row a photograph, at the threshold that is set", () => {
    const [head, row, end] = csv([item("a.png")]).split("\r\n");
    expect(tableOf(head, row)).toMatchObject({
      photograph: "a.png",
      seconds: "0.123",
      threshold: "0.500",
      calibration: "camera.json",
      truth: "a-truth.png",
      f1: "1.000000",
      vessel_density: (2 / 3).toFixed(6),
      warning: "hardly any vessel was found",
      error: "",
    });
    expect(end).toBe("");
  });

  it("counts in the field of view, or in the whole picture", () => {
    const told = { ...tally, auc: { field: 0.25, frame: 0.75 } };
    const done = item("a");
    if (done.progress.kind !== "done") throw new Error("it is not done");
    const items: Item[] = [
      { ...done, progress: { ...done.progress, result: { ...done.progress.result, tally: told } } },
    ];
    const figures = (fieldOnly: boolean) => {
      const [head, row] = csv(items, fieldOnly).split("\r\n");
      const { counted, vessel_density, f1, auc } = tableOf(head, row);
      return [counted, vessel_density, f1, auc];
    };
    expect(figures(true)).toEqual(["field of view", "0.666667", "1.000000", "0.250000"]);
    expect(figures(false)).toEqual(["picture", "0.500000", "0.800000", "0.750000"]);
  });

  it("leaves figures empty that want a truth, where there is none", () => {
    const bare = tallyOf({ probability: new Float32Array([0.1, 0.6]), field: new Uint8Array([1, 1]) });
    const done = item("a");
    if (done.progress.kind !== "done") throw new Error("it is not done");
    const own: Item = {
      ...done,
      progress: { kind: "done", result: { ...done.progress.result, tally: bare } },
    };
    const text = csvOf({
      ...{ items: [own], step: 500, calibration: undefined, fieldOnly: true },
      truthOf: () => undefined,
    });
    const [head, row] = text.split("\r\n");
    const cells = tableOf(head, row);
    expect(cells).toMatchObject({ truth: "", vessel_density: "0.500000" });
    for (const name of ["f1", "jaccard", "sensitivity", "specificity", "accuracy", "mcc", "auc"])
      expect(cells[name], name).toBe("");
  });

  it("has a row for what failed or was cancelled, which says so", () => {
    const failed: Item = { ...item("b"), progress: { kind: "failed", message: "b is empty." } };
    const cancelled: Item = { ...item("c"), progress: { kind: "cancelled" } };
    const [head, ...rows] = csv([failed, cancelled]).trim().split("\r\n");
    expect(tableOf(head, rows[0])).toMatchObject({ photograph: "b", f1: "", error: "b is empty." });
    expect(tableOf(head, rows[1])).toMatchObject({ photograph: "c", error: "cancelled" });
  });

  it("adds the figures of vessels with all of their digits, where they are wanted", () => {
    const columns = [
      { name: "vessel_density", unit: "", value: 2 / 3 },
      { name: "d0", unit: "", reason: "too small" },
      { name: "width_median_px", unit: "px", value: 4.123456789 },
    ];
    const items = [{ ...item("a"), progress: { kind: "cancelled" } as const }, item("b")];
    const figuresOf = ({ name }: Item) => (name === "b" ? columns : undefined);
    const base = { step: 137, calibration: undefined, fieldOnly: true, truthOf: () => undefined };
    const [head, first, second] = csvOf({ ...base, items, figuresOf }).split("\r\n");
    expect(head).toMatch(/,error,d0,width_median_px,notice$/);
    expect(tableOf(head, first)).toMatchObject({ width_median_px: "", notice: "" });
    expect(tableOf(head, second)).toMatchObject({
      threshold: "0.137",
      calibration: "",
      vessel_density: String(2 / 3),
      d0: "",
      width_median_px: "4.123456789",
      notice: NO_MEDICAL_DEVICE,
    });
  });

  it("quotes what needs it", () => {
    const rows = csv([item('a, "b".png'), item("=1+1.png")], false).split("\r\n");
    expect(rows).toHaveLength(4);
    expect(rows[1]).toMatch(/^"a, ""b"".png",/);
    expect(rows[2]).toMatch(/^'=1\+1.png,/);
  });
});

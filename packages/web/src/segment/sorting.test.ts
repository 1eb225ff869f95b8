import { describe, expect, it } from "vitest";
import { tallyOf } from "../pictures/tally.ts";
import type { Item } from "./items.ts";
import { type Column, type Row, rowOf, sorted } from "./sorting.ts";

const row = (id: number, name: string, share: number, warnings: readonly string[] = []): Row => ({
  item: { id, name, fileName: name, file: new Blob(), progress: { kind: "waiting" } } as Item,
  share,
  f1: Number.NaN,
  auc: Number.NaN,
  warnings,
});
const rows = [row(1, "b10", 0.2), row(2, "b9", Number.NaN, ["x"]), row(3, "a", 0.1)];
const order = (column: Column, isDescending = false) =>
  sorted(rows, { column, isDescending }).map(({ item }) => item.id);

describe("rowOf", () => {
  const tally = tallyOf({
    probability: new Float32Array([0.1, 0.6, 0.9, 0.4]),
    field: new Uint8Array([1, 1, 1, 0]),
    truth: new Uint8Array([0, 1, 1, 1]),
  });
  const blob = new Blob();
  const result = {
    width: 2,
    height: 2,
    scale: 1,
    seconds: 1,
    threads: 1,
    weights: "w",
    tally,
    doubts: ["x"],
  };
  const pictures = { probability: blob, field: blob, detected: blob };
  const [{ item }] = rows;
  const done: Item = { ...item, progress: { kind: "done", result: { ...result, ...pictures } } };

  it("has the figures of the field of view, or of the whole picture", () => {
    const { share, f1, auc, warnings } = rowOf(done, 500, true);
    expect([share, f1, auc, warnings]).toEqual([2 / 3, 1, 1, ["x"]]);
    expect(rowOf(done, 500, false)).toMatchObject({ share: 2 / 4, f1: 4 / 5, auc: 1 });
    expect(rowOf(done, 390, false)).toMatchObject({ share: 3 / 4, f1: 1 });
    const late = { ...tally, auc: { field: 0.25, frame: 0.75 } };
    const told: Item = {
      ...item,
      progress: { kind: "done", result: { ...result, ...pictures, tally: late } },
    };
    expect([true, false].map((fieldOnly) => rowOf(told, 500, fieldOnly).auc)).toEqual([0.25, 0.75]);
  });

  it("has none of what is not done, and says why it failed", () => {
    const failed: Item = { ...item, progress: { kind: "failed", message: "it is empty." } };
    expect(rowOf(item, 500, true)).toEqual({ ...rows[0], share: Number.NaN });
    expect(rowOf(failed, 500, true).warnings).toEqual(["it is empty."]);
  });
});

describe("sorted", () => {
  it("reads numbers in names", () => {
    expect(order("name")).toEqual([3, 2, 1]);
    expect(order("name", true)).toEqual([1, 2, 3]);
  });

  it("puts what has no figure last, whichever way", () => {
    expect(order("share")).toEqual([3, 1, 2]);
    expect(order("share", true)).toEqual([1, 3, 2]);
  });

  it.each(["share", "f1", "auc", "d0", "end_points"] as const)("sorts by %s alone", (column) => {
    // Every other column has another order.
    const values = { share: [1, 2, 3], f1: [1, 3, 2], auc: [2, 1, 3], d0: [3, 1, 2], end_points: [2, 3, 1] };
    const judged = rows.map((own, i) => ({
      ...{ ...own, share: values.share[i], f1: values.f1[i], auc: values.auc[i] },
      figures: (["d0", "end_points"] as const).map((name) => ({ name, unit: "", value: values[name][i] })),
    }));
    const found = sorted(judged, { column, isDescending: false });
    expect(found.map(({ item }) => values[column][item.id - 1])).toEqual([1, 2, 3]);
  });

  it("sorts by figures of vessels, those that are not measured last", () => {
    const measured = rows.map((own, i) =>
      i === 0 ? own : { ...own, figures: [{ name: "end_points", unit: "", value: 9 - i }] },
    );
    const ids = (isDescending: boolean) =>
      sorted(measured, { column: "end_points", isDescending }).map(({ item }) => item.id);
    expect([ids(false), ids(true)]).toEqual([
      [3, 2, 1],
      [2, 3, 1],
    ]);
  });

  it("keeps the order in which they came, and turns it round", () => {
    expect(order("added")).toEqual([1, 2, 3]);
    expect(order("added", true)).toEqual([3, 2, 1]);
    expect(order("warnings", true)).toEqual([2, 1, 3]);
  });
});

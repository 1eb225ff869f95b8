import { describe, expect, it } from "vitest";
import type { Item } from "./items.ts";
import { type Column, type Row, sorted } from "./sorting.ts";

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

describe("sorted", () => {
  it("reads numbers in names", () => {
    expect(order("name")).toEqual([3, 2, 1]);
    expect(order("name", true)).toEqual([1, 2, 3]);
  });

  it("puts what has no figure last, whichever way", () => {
    expect(order("share")).toEqual([3, 1, 2]);
    expect(order("share", true)).toEqual([1, 3, 2]);
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

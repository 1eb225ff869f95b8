// What the table of photographs shows of each, and its order.

import type { VesselColumn } from "@saunet/data/measure";
import { metricsFromConfusion } from "@saunet/model";
import { confusionAt, densityAt } from "../pictures/tally.ts";
import { type Item, resultOf } from "./items.ts";
import type { FigureName } from "./measuring.ts";

/** A column that the table can be sorted by. */
export type Column = "added" | "name" | "share" | "f1" | "auc" | "warnings" | FigureName;

/** How it is sorted. */
export interface Order {
  readonly column: Column;
  readonly isDescending: boolean;
}

/** A photograph as a row; figures are NaN where there are none. */
export interface Row {
  readonly item: Item;
  readonly share: number;
  readonly f1: number;
  readonly auc: number;
  readonly warnings: readonly string[];
  /** Of its vessels; undefined until they have been measured. */
  readonly figures?: readonly VesselColumn[] | undefined;
}

/** Figures at a threshold of `step` thousandths. */
export function rowOf(item: Item, step: number, fieldOnly: boolean): Row {
  const result = resultOf(item);
  if (result === undefined) {
    const warnings = item.progress.kind === "failed" ? [item.progress.message] : [];
    return { item, share: Number.NaN, f1: Number.NaN, auc: Number.NaN, warnings };
  }
  const { tally, doubts } = result;
  return {
    item,
    share: densityAt(tally, step, fieldOnly),
    f1: tally.hasTruth ? metricsFromConfusion(confusionAt(tally, step, fieldOnly)).f1 : Number.NaN,
    auc: fieldOnly ? tally.auc.field : tally.auc.frame,
    warnings: doubts,
  };
}

/** Rows in order; those without the figure come last either way. */
export function sorted(rows: readonly Row[], { column, isDescending }: Order): readonly Row[] {
  const sign = isDescending ? -1 : 1;
  const figure = (row: Row): number => {
    if (column === "warnings") return row.warnings.length;
    if (column === "share" || column === "f1" || column === "auc") return row[column];
    return row.figures?.find(({ name }) => name === column)?.value ?? Number.NaN;
  };
  const compare = (a: Row, b: Row): number => {
    if (column === "added") return sign * (a.item.id - b.item.id);
    if (column === "name") return sign * a.item.name.localeCompare(b.item.name, "en", { numeric: true });
    const [left, right] = [figure(a), figure(b)];
    if (Number.isNaN(left) || Number.isNaN(right))
      return Number(Number.isNaN(left)) - Number(Number.isNaN(right));
    return sign * (left - right);
  };
  return [...rows].sort(compare);
}

// A table of all photographs, one a row, at the threshold that is set.

import { METRIC_NAMES, metricsFromConfusion } from "@saunet/model";
import { confusionAt, densityAt, STEPS } from "../pictures/tally.ts";
import type { Item } from "./items.ts";

const COLUMNS = [
  "photograph",
  "width",
  "height",
  "scale",
  "seconds",
  "threads",
  "weights",
  "threshold",
  "counted",
  "vessel_density",
  "truth",
  ...METRIC_NAMES,
  "warning",
  "error",
];

/** What the table is made of. */
export interface Tabled {
  readonly items: readonly Item[];
  /** The threshold, in hundredths. */
  readonly step: number;
  readonly fieldOnly: boolean;
  /** The name of the mask that a photograph is compared with. */
  readonly truthOf: (item: Item) => string | undefined;
}

/** Comma-separated values, as RFC 4180 writes them. Photographs that failed or were cancelled have their row too. */
export function csvOf(tabled: Tabled): string {
  const rows = tabled.items.map((item) => rowOf(item, tabled));
  const cells = rows.map((row) => COLUMNS.map((column) => row[column] ?? ""));
  return [COLUMNS, ...cells].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

function rowOf(item: Item, { step, fieldOnly, truthOf }: Tabled): Readonly<Record<string, string | number>> {
  const { name, progress, size } = item;
  if (progress.kind !== "done")
    return {
      photograph: name,
      ...size,
      error: progress.kind === "failed" ? progress.message : progress.kind,
    };
  const { width, height, scale, seconds, threads, weights, tally, doubts } = progress.result;
  const figures = {
    ...metricsFromConfusion(confusionAt(tally, step, fieldOnly)),
    auc: fieldOnly ? tally.auc.field : tally.auc.frame,
  };
  const known = METRIC_NAMES.filter((metric) => tally.hasTruth && !Number.isNaN(figures[metric]));
  return {
    photograph: name,
    width,
    height,
    scale: scale.toFixed(4),
    seconds: seconds.toFixed(3),
    threads,
    weights,
    threshold: (step / STEPS).toFixed(2),
    counted: fieldOnly ? "field of view" : "picture",
    vessel_density: densityAt(tally, step, fieldOnly).toFixed(6),
    truth: truthOf(item) ?? "",
    ...Object.fromEntries(known.map((metric) => [metric, figures[metric].toFixed(6)])),
    warning: doubts.join("; "),
  };
}

/** A name that begins with `=` and its like would be a formula to a spreadsheet. */
function cell(value: string | number): string {
  const text = String(value).replace(/^[=+\-@\t\r]/, "'$&");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

// A table of all photographs, one a row, at the threshold that is set.

import { METRIC_NAMES, metricsFromCounts } from "@saunet/model";
import { confusionAt, densityAt, STEPS } from "../pictures/tally.ts";
import type { Item } from "./queue.ts";

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
  ...METRIC_NAMES,
];

/** Comma-separated values, as RFC 4180 writes them. */
export function csvOf(items: readonly Item[], step: number, fieldOnly: boolean): string {
  const rows = items.flatMap(({ name, progress }) => {
    if (progress.kind !== "done") return [];
    const { width, height, scale, seconds, threads, weights, tally } = progress.result;
    const figures = {
      ...metricsFromCounts(confusionAt(tally, step, fieldOnly)),
      auc: fieldOnly ? tally.auc.field : tally.auc.frame,
    };
    return [
      [
        name,
        width,
        height,
        scale.toFixed(4),
        seconds.toFixed(3),
        threads,
        weights,
        (step / STEPS).toFixed(2),
        fieldOnly ? "field of view" : "picture",
        densityAt(tally, step, fieldOnly).toFixed(6),
        ...METRIC_NAMES.map((metric) =>
          tally.hasTruth && !Number.isNaN(figures[metric]) ? figures[metric].toFixed(6) : "",
        ),
      ],
    ];
  });
  return [COLUMNS, ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

/** A name that begins with `=` and its like would be a formula to a spreadsheet. */
function cell(value: string | number): string {
  const text = String(value).replace(/^[=+\-@\t\r]/, "'$&");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

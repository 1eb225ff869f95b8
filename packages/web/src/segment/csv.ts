// A table of all photographs, one a row, at the threshold that is set.

import { NO_MEDICAL_DEVICE, type VesselColumn } from "@saunet/data/measure";
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
  "calibration",
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
  /** The threshold, in thousandths. */
  readonly step: number;
  /** The name of the calibration that it is of. */
  readonly calibration: string | undefined;
  readonly fieldOnly: boolean;
  /** The name of the mask that a photograph is compared with. */
  readonly truthOf: (item: Item) => string | undefined;
  /** The figures of a photograph's vessels; without it there are none. */
  readonly figuresOf?: ((item: Item) => readonly VesselColumn[] | undefined) | undefined;
}

/** Comma-separated values, as RFC 4180 writes them. Photographs that failed or were cancelled have their row too. */
export function csvOf(tabled: Tabled): string {
  const rows = tabled.items.map((item) => ({ ...rowOf(item, tabled), ...figuresIn(item, tabled) }));
  const columns = [...new Set([...COLUMNS, ...rows.flatMap(Object.keys)])];
  const cells = rows.map((row) => columns.map((column) => row[column] ?? ""));
  return [columns, ...cells].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

type Cells = Readonly<Record<string, string | number>>;

/** As `saunet measure --csv` writes them, with all of their digits. */
function figuresIn(item: Item, { figuresOf }: Tabled): Cells {
  const figures = figuresOf?.(item);
  if (figures === undefined) return {};
  const cells = figures.map(({ name, value }) => [name, value ?? ""] as const);
  return { ...Object.fromEntries(cells), notice: NO_MEDICAL_DEVICE };
}

function rowOf(item: Item, { step, calibration, fieldOnly, truthOf }: Tabled): Cells {
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
    threshold: (step / STEPS).toFixed(3),
    calibration: calibration ?? "",
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

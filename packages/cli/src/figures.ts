// Figures as text: on the terminal, in reports and in CSV.

import type { DatasetKind, Split } from "@saunet/data/files";
import { type Intervals, METRIC_NAMES, type Metrics, REGIONS } from "@saunet/model";
import type { Comparison, Seconds } from "./evaluation.ts";
import {
  FIELD_NAMES,
  FIELD_TITLES,
  type FieldMean,
  type FieldSummary,
  fieldDigits,
  fieldInterval,
} from "./field-figures.ts";
import { counted, duration, table } from "./output.ts";
import { printable } from "./terminal.ts";

/** What an evaluation found. */
export interface Evaluation {
  readonly dataset: DatasetKind | "synthetic";
  readonly data: string;
  readonly split: Split;
  readonly weights: string;
  /** Whether the network saw each photograph mirrored too. */
  readonly tta: boolean;
  /** The threshold that `--fit-threshold` found on the training images, and the mean F1 there. */
  readonly fitted?: { readonly threshold: number; readonly f1: number; readonly images: number };
  /** The network against the reference first. */
  readonly comparisons: readonly Comparison[];
  readonly seconds: Seconds;
  /** Images of the part, those that failed included. */
  readonly images: number;
  readonly failed: readonly { readonly id: string; readonly error: string }[];
}

/** How the regions are called. */
export const REGION_TITLES = { full: "full frame", fov: "field of view" } as const;

/** Four digits; a dash where the figure is not defined. */
export function fourDigits(figure: number): string {
  return Number.isNaN(figure) ? "–" : figure.toFixed(4);
}

/** `0.794–0.815`. */
export function intervalText([low, high]: readonly [number, number]): string {
  return Number.isNaN(low) ? "–" : `${low.toFixed(3)}–${high.toFixed(3)}`;
}

/** How many images the figures are of: "1 image", "7 of 8 images". */
export function imagesOf({ images, failed }: Pick<Evaluation, "images" | "failed">): string {
  const done = failed.length === 0 ? "" : `${images - failed.length} of `;
  return `${done}${counted(images, "image")}`;
}

/** What is held against what. */
export function titleOf({ prediction, truth, threshold }: Comparison): string {
  return threshold === null
    ? `${prediction} against ${truth}: how far people agree`
    : `${prediction} against ${truth}, threshold ${threshold}`;
}

/** An evaluation in words and tables. */
export function describeEvaluation({
  images,
  failed,
  fitted,
  seconds,
  comparisons,
  ...of
}: Evaluation): string {
  const lines = [
    `${imagesOf({ images, failed })} of ${printable(of.data)} (${of.dataset}, ${of.split}), weights ${printable(of.weights)}${of.tta ? ", mean over flips" : ""}`,
  ];
  if (fitted) {
    const { threshold, f1 } = fitted;
    lines.push(
      `threshold ${threshold} fitted on ${counted(fitted.images, "training image")}, where it gives F1 ${fourDigits(f1)}`,
    );
  }
  const took = `segmentation took ${duration(seconds.segmentation)}, the figures ${duration(seconds.figures)}`;
  const hasIntervals = comparisons.some(({ intervals }) => intervals.full !== null);
  lines.push(hasIntervals ? `${took}; 95 % intervals from 1000 draws of the images` : took);
  return [lines.join("\n"), ...comparisons.map(describeComparison)].map((part) => `${part}\n`).join("\n");
}

function describeComparison(comparison: Comparison): string {
  const { macro, micro, intervals } = comparison;
  const figures = (metrics: Metrics) => METRIC_NAMES.map((name) => fourDigits(metrics[name]));
  const ends = (of: Intervals | undefined) =>
    of === undefined ? [] : [["", "95 %", ...METRIC_NAMES.map((name) => intervalText(of[name]))]];
  const rows = REGIONS.flatMap((region) => [
    [REGION_TITLES[region], "macro", ...figures(macro[region])],
    ...ends(intervals[region]?.macro),
    ["", "micro", ...figures(micro[region])],
    ...ends(intervals[region]?.micro),
  ]);
  return `${titleOf(comparison)}\n${table([["pixels", "mean", ...METRIC_NAMES], ...rows])}\n${describeField(comparison.field)}`;
}

/** Vessels as trees, and calibration. */
function describeField({ mean, intervals, pooled }: FieldSummary): string {
  const ends = (name: keyof FieldMean) => intervals[name] ?? [Number.NaN, Number.NaN];
  const rows = [
    [REGION_TITLES.fov, "macro", ...FIELD_NAMES.map((name) => fieldDigits(name, mean[name]))],
    ...(Object.keys(intervals).length > 0
      ? [["", "95 %", ...FIELD_NAMES.map((name) => fieldInterval(name, ends(name)))]]
      : []),
    ...(pooled ? [["", "micro", ...FIELD_NAMES.slice(1).map(() => ""), fourDigits(pooled.error)]] : []),
  ];
  return table([["pixels", "mean", ...FIELD_NAMES.map((name) => FIELD_TITLES[name])], ...rows]);
}

/** Text as a cell of CSV. A spreadsheet would take what begins with one of these characters for a formula; a quote before it prevents that. */
function csvCell(cell: string | number): string {
  // A figure that is not defined, such as the AUC of a truth without vessels, is left empty.
  if (typeof cell === "number") return Number.isNaN(cell) ? "" : String(cell);
  const harmless = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\n\r]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

/** Rows as CSV. */
export function csvRows(rows: readonly (readonly (string | number)[])[]): string {
  return rows.map((row) => `${row.map(csvCell).join(",")}\n`).join("");
}

/** One line an image and comparison. */
export function csvOf(comparisons: readonly Comparison[]): string {
  const columns = REGIONS.flatMap((region) => METRIC_NAMES.map((name) => ({ region, name })));
  const names = columns.map(({ region, name }) => `${region}_${name}`);
  const rows = comparisons.flatMap(({ prediction, truth, threshold, images, field }) =>
    images.map((image, i) => [
      ...[image.id, prediction, truth, threshold ?? ""],
      ...columns.map(({ region, name }) => image[region][name]),
      ...FIELD_NAMES.map((name) => field.images[i][name]),
    ]),
  );
  const others = FIELD_NAMES.map((name) => `fov_${name}`);
  return csvRows([["id", "prediction", "truth", "threshold", ...names, ...others], ...rows]);
}

/** The network against the reference in front, as it is wanted most; everything else after it. */
export function jsonOf({ comparisons, images: _, failed, ...settings }: Evaluation): object {
  const [{ threshold, images, macro, micro, intervals, field }] = comparisons;
  return {
    ...settings,
    threshold,
    images,
    macro,
    micro,
    intervals,
    field,
    comparisons,
    ...(failed.length > 0 && { failed }),
  };
}

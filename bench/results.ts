// Result files, and how they are shown: as a table to read, as JSON or CSV to keep.

import type { MachineRecord } from "./machine.ts";
import type { Summary } from "./statistics.ts";

/** What was timed. */
interface Subject {
  readonly name: string;
  readonly threads: number;
  /** The layer or shape, where a bench has several. */
  readonly shape?: string;
  /** The side of square matrices. */
  readonly size?: number;
}

/** Something that ran and gave what it should. */
export interface Measured extends Subject, Summary {
  /** Billions of FLOPs a second, counted from the sizes and not from what an algorithm saves. */
  readonly gflops?: number;
  /** `gflops` as a share of what its kind of code (plain TypeScript, SIMD) can do at most on one core a thread. */
  readonly share_of_peak?: number;
  /** Largest difference from what this project's reference gives; null for the reference itself. */
  readonly max_abs_diff?: number | null;
  readonly peak_rss_mb?: number;
  /** Mean F1 of photographs, and the largest change of one against the first row. */
  readonly f1?: number;
  readonly max_f1_diff?: number;
}

/** Something that has no time. */
export interface NotMeasured extends Subject {
  readonly status: "not installed" | "failed" | "wrong";
  readonly reason: string;
  readonly max_abs_diff?: number;
}

export type Row = Measured | NotMeasured;

/** A result file. */
export interface Results {
  readonly bench: string;
  /** What to type to measure this again. */
  readonly command: string;
  readonly machine: MachineRecord;
  /** `[H,W,C]` of the photograph. */
  readonly input?: readonly number[];
  readonly results: readonly Row[];
  /** Median of a peer divided by ours at the same number of threads: above 1 we are faster. */
  readonly ratios?: Readonly<Record<string, number>>;
  /** Ours as a share of the peak of as many cores, by threads and shape. */
  readonly peak_share?: Readonly<Record<string, number>>;
}

export function isMeasured(row: Row): row is Measured {
  return !("status" in row);
}

/** Three digits are more than a time is good for. */
export function precise(value: number): number {
  return Number(value.toPrecision(4));
}

/** A summary with its numbers shortened. */
export function rowOf(subject: Subject, summary: Summary, more: Partial<Measured> = {}): Measured {
  const { runs, median_ms, mad_ms, min_ms } = summary;
  return {
    ...subject,
    runs,
    median_ms: precise(median_ms),
    mad_ms: precise(mad_ms),
    min_ms: precise(min_ms),
    ...more,
  };
}

const CSV_COLUMNS = [
  "shape",
  "name",
  "threads",
  "status",
  "runs",
  "median_ms",
  "mad_ms",
  "min_ms",
  "gflops",
  "share_of_peak",
  "max_abs_diff",
  "peak_rss_mb",
  "reason",
] as const;

/** One row a line, empty where there is nothing to say. */
export function toCsv({ results }: Results): string {
  const cell = (value: unknown): string => {
    const text = value === undefined || value === null ? "" : String(value);
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = results.map((row) => CSV_COLUMNS.map((column) => cell(row[column as keyof Row])).join(","));
  return `${CSV_COLUMNS.join(",")}\n${lines.join("\n")}\n`;
}

/** Columns aligned, numbers to the right. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i].length)));
  const isNumber = header.map((_, i) => rows.every((row) => /^(-?\d[\d.e+-]*%?)?$/.test(row[i])));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (isNumber[i] ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
      .join("  ")
      .trimEnd();
  return `${[header, ...rows].map(line).join("\n")}\n`;
}

/** The cells that all benches show. */
export function toTable({ results, ratios, machine }: Results): string {
  const with_ = (key: keyof Measured) => results.some((row) => isMeasured(row) && row[key] !== undefined);
  const columns: [string, (row: Row) => string][] = [
    ...(results.some((row) => row.shape !== undefined)
      ? [["shape", (row: Row) => row.shape ?? ""] as [string, (row: Row) => string]]
      : []),
    ["name", (row) => row.name],
    ["threads", (row) => String(row.threads)],
    ["median ms", (row) => (isMeasured(row) ? String(row.median_ms) : "")],
    ["± MAD", (row) => (isMeasured(row) ? String(row.mad_ms) : "")],
    ["min ms", (row) => (isMeasured(row) ? String(row.min_ms) : "")],
    ["runs", (row) => (isMeasured(row) ? String(row.runs) : "")],
  ];
  const add = (key: keyof Measured, title: string, show: (value: number) => string) => {
    if (!with_(key)) return;
    columns.push([
      title,
      (row) => {
        const value = isMeasured(row) ? row[key] : undefined;
        return typeof value === "number" ? show(value) : "";
      },
    ]);
  };
  add("gflops", "GFLOP/s", (value) => value.toFixed(1));
  add("share_of_peak", "of peak", (value) => `${Math.round(100 * value)}%`);
  add("max_abs_diff", "max |diff|", (value) => value.toExponential(1));
  add("peak_rss_mb", "peak MB", (value) => value.toFixed(0));
  columns.push(["", (row) => (isMeasured(row) ? "" : `${row.status}: ${row.reason}`)]);
  const table = formatTable(
    columns.map(([title]) => title),
    results.map((row) => columns.map(([, cell]) => cell(row))),
  );
  const ratioLines = Object.entries(ratios ?? {}).map(
    ([name, ratio]) => `${name}: ${ratio} times our time\n`,
  );
  return `${formatMachine(machine)}\n\n${table}${ratioLines.length > 0 ? "\n" : ""}${ratioLines.join("")}`;
}

/** The machine in two lines. */
export function formatMachine({ cpu, cores, os, node, v8, flags, date, peak_gflops }: MachineRecord): string {
  const { typescript, simd, relaxedSimd } = peak_gflops;
  const fused = relaxedSimd === null ? "" : `, ${relaxedSimd} fused`;
  return (
    `${cpu}, ${cores} cores, ${os}, Node ${node.slice(1)}, V8 ${v8}${flags === "" ? "" : `, ${flags}`}, ${date}\n` +
    `peak of one core: ${typescript} GFLOP/s in TypeScript, ${simd} in SIMD${fused}`
  );
}

// Results as a table to read and as CSV. A table fits a terminal of 100 columns: what is the same in all rows is said once,
// and columns that there is no room for stand in the result file.

import { isMeasured } from "./rows.ts";
import type { MachineRecord, Measured, Results, Row } from "./schema.ts";

const WIDTH = 100;

const CSV_COLUMNS = [
  "shape",
  "name",
  "threads",
  "status",
  "runs",
  "median_ms",
  "low_ms",
  "high_ms",
  "mad_ms",
  "min_ms",
  "first_ms",
  "settled",
  "count",
  "flops",
  "bytes",
  "gflops",
  "share_of_peak",
  "share_of_roof",
  "max_abs_diff",
  "peak_rss_mb",
  "geometry",
  "reason",
] as const;

/** One row a line, empty where there is nothing to say. */
export function toCsv({ results }: Results): string {
  const cell = (value: unknown): string => {
    const text =
      value === undefined || value === null
        ? ""
        : typeof value === "object"
          ? Object.entries(value)
              .map(([key, each]) => `${key}=${each}`)
              .join(" ")
          : String(value);
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = results.map((row) => CSV_COLUMNS.map((column) => cell(row[column as keyof Row])).join(","));
  return `${CSV_COLUMNS.join(",")}\n${lines.join("\n")}\n`;
}

/**
 * Columns aligned, numbers to the right, lines no longer than a terminal's: the last column is cut. A line of one cell is a
 * heading, which no column is as wide as.
 */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const full = rows.filter(({ length }) => length > 1);
  const widths = header.map((title, i) => Math.max(title.length, ...full.map((row) => row[i].length)));
  const isNumber = header.map((_, i) => full.every((row) => /^([~-]?\d[\d.e+-]*%?~?)?$/.test(row[i])));
  const aligned = (cells: readonly string[]) =>
    cells.map((cell, i) => (isNumber[i] ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join("  ");
  const line = (cells: readonly string[]) => {
    const text = (cells.length === 1 ? cells[0] : aligned(cells)).trimEnd();
    return text.length <= WIDTH ? text : `${text.slice(0, WIDTH - 1)}…`;
  };
  return `${[header, ...rows].map(line).join("\n")}\n`;
}

/** The cell of a column, the more important ones first. */
type Column = readonly [title: string, cell: (row: Measured) => string];

const number = (value: number | null | undefined, show: (value: number) => string): string =>
  typeof value === "number" ? show(value) : "";
const percent = (value: number): string => `${Math.round(100 * value)}%`;
const short = (value: number): string => String(Number(value.toPrecision(3)));

const COLUMNS: readonly Column[] = [
  ["median ms", ({ median_ms, settled }) => `${median_ms}${settled === false ? "~" : ""}`],
  ["95% from", ({ low_ms }) => number(low_ms, short)],
  ["to", ({ high_ms }) => number(high_ms, short)],
  ["F1", ({ f1 }) => number(f1, (value) => value.toFixed(6))],
  ["max |ΔF1|", ({ max_f1_diff }) => number(max_f1_diff, (value) => value.toExponential(1))],
  ["GFLOP/s", ({ gflops }) => number(gflops, (value) => value.toFixed(1))],
  ["of peak", ({ share_of_peak }) => number(share_of_peak, percent)],
  ["of roof", ({ share_of_roof }) => number(share_of_roof, percent)],
  ["runs", ({ runs }) => String(runs)],
  ["peak MB", ({ peak_rss_mb }) => number(peak_rss_mb, (value) => value.toFixed(0))],
  ["± MAD", ({ mad_ms }) => short(mad_ms)],
  ["min ms", ({ min_ms }) => short(min_ms)],
  ["first ms", ({ first_ms }) => number(first_ms, short)],
  ["max |diff|", ({ max_abs_diff }) => number(max_abs_diff, (value) => value.toExponential(1))],
];

/** The columns that have something to say, as many as fit. */
function columnsOf(rows: readonly Row[], room: number): Column[] {
  const measured = rows.filter(isMeasured);
  const chosen: Column[] = [];
  let width = 0;
  for (const column of COLUMNS) {
    const cells = measured.map(column[1]);
    if (cells.every((cell) => cell === "")) continue;
    const needed = 2 + Math.max(column[0].length, ...cells.map((cell) => cell.length));
    if (width + needed <= room) {
      width += needed;
      chosen.push(column);
    }
  }
  return chosen;
}

/** The table of a result file, with what there is to know to read it. */
export function toTable(results: Results): string {
  const { results: rows, machine } = results;
  const shapes = new Map<string, Row[]>();
  for (const row of rows) shapes.set(row.shape ?? "", [...(shapes.get(row.shape ?? "") ?? []), row]);
  const indent = shapes.size > 1 || !shapes.has("") ? "  " : "";
  const nameWidth = Math.max(4, ...rows.map(({ name }) => name.length)) + indent.length;
  const columns = columnsOf(rows, WIDTH - nameWidth - 9);
  const lines: string[][] = [];
  for (const [shape, own] of shapes) {
    if (shape !== "") lines.push([`${shape}${countOf(own)}`]);
    for (const row of own) {
      const cells = isMeasured(row)
        ? columns.map(([, cell]) => cell(row))
        : [...columns.map(() => "").slice(1), `${row.status}: ${row.reason}`];
      lines.push([indent + row.name, String(row.threads), ...cells]);
    }
  }
  const table = withoutReasons(["name", "threads", ...columns.map(([title]) => title)], lines);
  return [formatMachine(machine), table, notesOf(results)]
    .filter((part) => part !== "")
    .join("\n\n")
    .trimEnd()
    .concat("\n");
}

/** A reason is no column: it follows its row's name, cut to the width of the table. */
function withoutReasons(header: readonly string[], lines: readonly string[][]): string {
  const isReason = (cells: readonly string[]) => /^(failed|wrong|not installed): /.test(cells.at(-1) ?? "");
  const plain = formatTable(
    header,
    lines.map((cells) => (isReason(cells) ? [...cells.slice(0, -1), ""] : cells)),
  );
  const [, ...rest] = plain.split("\n");
  const width = rest.reduce((most, line) => Math.max(most, line.length), 0);
  const shown = plain.split("\n").map((line, i) => {
    const cells = i === 0 ? undefined : lines[i - 1];
    if (cells === undefined || !isReason(cells)) return line;
    const text = `${line}  ${cells.at(-1)}`;
    return text.length <= Math.max(width, WIDTH) ? text : `${text.slice(0, WIDTH - 1)}…`;
  });
  return shown.join("\n").trimEnd();
}

const countOf = ([row]: readonly Row[]): string => (row.count === undefined ? "" : ` (${row.count} times)`);

/** What stands below a table. */
function notesOf({ results, ratios, repetitions = 1, interrupted }: Results): string {
  const measured = results.filter(isMeasured);
  const runs = measured.map((row) => row.runs);
  const fewest = Math.min(...runs);
  const most = Math.max(...runs);
  const notes: string[] = [];
  if (measured.length > 0) {
    const range = fewest === most ? `${most}` : `${fewest} to ${most}`;
    notes.push(
      `${range} runs a row in ${repetitions === 1 ? "one process" : `${repetitions} processes`}, after a warm-up that does not count`,
    );
  }
  if (measured.some(({ settled }) => settled === false))
    notes.push("~ had not settled: its time still moved");
  if (interrupted) notes.push("stopped before its end");
  notes.push(...totalsOf(results));
  const ratioLines = Object.entries(ratios ?? {}).map(([name, ratio]) => `${name}: ${ratio} times our time`);
  return [...notes, ...(ratioLines.length > 0 ? ["", ...ratioLines] : [])].join("\n");
}

/** Where a list says how often a network has each shape, what all of it takes together, of whoever has all of them. */
function totalsOf(rows: readonly Row[]): string[] {
  if (!rows.some(({ count }) => count !== undefined)) return [];
  const byName = new Map<string, Measured[]>();
  for (const row of rows.filter(isMeasured)) {
    // A network has convolutions with and without groups.
    const key = `${row.name.replace(/^\w+\./, "")}/${row.threads}`;
    byName.set(key, [...(byName.get(key) ?? []), row]);
  }
  const shapes = new Set(rows.map(({ shape }) => shape)).size;
  return [...byName].flatMap(([key, own]) => {
    if (own.length !== shapes) return [];
    const total = own.reduce((sum, { median_ms, count = 1 }) => sum + median_ms * count, 0);
    return [`all layers as often as the network has them: ${key} ${short(total)} ms`];
  });
}

/** The machine in lines of a terminal's width. */
export function formatMachine({
  cpu,
  cores,
  os,
  node,
  v8,
  flags,
  date,
  peak_gflops,
  bandwidth_gbs,
}: MachineRecord): string {
  const { typescript, simd, relaxedSimd } = peak_gflops;
  const fused = relaxedSimd === null ? "" : `, ${relaxedSimd} fused`;
  const host = node.startsWith("v") ? `Node ${node.slice(1)}, V8 ${v8}` : node;
  const lines = [
    `${cpu}, ${cores} cores, ${os}`,
    `${host}${flags === "" ? "" : `, ${flags}`}, ${date}`,
    `peak of one core: ${typescript} GFLOP/s in TypeScript, ${simd} in SIMD${fused}`,
  ];
  if (bandwidth_gbs !== undefined) {
    const { l1, l2, l3, memory } = bandwidth_gbs;
    lines.push(`one core reads ${l1} GB/s from L1, ${l2} from L2, ${l3} from L3, ${memory} from memory`);
  }
  return lines.join("\n");
}

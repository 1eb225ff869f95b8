// Two result files: what got faster or slower, judged by fresh processes and not by the runs of one, and after taking out how
// the machine itself drifted.
//
// A row is judged on its processes' medians, each divided by what the fixed probe took around it. The probe has three parts
// (arithmetic, SIMD, memory), which may drift apart, and nobody knows by which of them a row is bound: it counts as changed
// only where it is by every one of them, which is the careful side.

import { isMeasured, keyOf, labelOf } from "./rows.ts";
import type { MachineRecord, Measured, Probe, ProcessRun, Results, Row } from "./schema.ts";
import { leastPossible, median, rankTest } from "./statistics.ts";

/** A row is called changed where chance alone would do as much in one of so many. */
const ONE_IN = 300;
/** Less than this is not worth a word, however quiet the machine was. */
const SMALLEST_CHANGE = 0.02;

/** How one row fared. */
export interface Change {
  readonly shape: string | undefined;
  /** Who, and on how many threads. */
  readonly name: string;
  readonly before: number;
  readonly after: number;
  /** `after / before` with the machine's drift taken out: by the part of the probe that leaves least of it. */
  readonly ratio: number;
  /** `undecided` where there are too few processes to tell. */
  readonly verdict: "faster" | "slower" | "same" | "undecided";
}

/** What a comparison has to say. */
export interface Comparison {
  readonly changes: readonly Change[];
  /** Rows that only one of the files has, or measured. */
  readonly alone: readonly string[];
  /** What else is different. */
  readonly differences: readonly string[];
  /** How much longer the probe took in the second file, by part; or why it is not taken out. */
  readonly drift: Probe | string;
}

const PARTS = ["scalar", "simd", "memory"] as const;

/** Compares two files. */
export function compare(before: Results, after: Results): Comparison {
  const usesProbe = isSameHost(before.machine, after.machine);
  const old = new Map(before.results.map((row) => [keyOf(row), row]));
  const seen = new Set<string>();
  const changes: Change[] = [];
  const alone: string[] = [];
  for (const row of after.results) {
    const previous = old.get(keyOf(row)) ?? withoutGeometry(row, before.results);
    if (previous !== undefined) seen.add(keyOf(previous));
    if (previous !== undefined && isMeasured(previous) && isMeasured(row))
      changes.push(changeOf(previous, row, usesProbe));
    else alone.push(`${labelOf(row)}: ${partner(previous, "first")}, ${partner(row, "second")}`);
  }
  for (const row of before.results)
    if (!seen.has(keyOf(row))) alone.push(`${labelOf(row)}: ${partner(row, "first")}, not in the second`);
  return {
    changes,
    alone,
    differences: differencesOf(before, after),
    drift: usesProbe
      ? driftOf(before.results, after.results)
      : "The probe of the machine runs on another host, or with other flags, and is itself another",
  };
}

/** The probe is fixed work for the machine alone as long as the same host runs it in the same way. */
const isSameHost = (one: MachineRecord, other: MachineRecord): boolean =>
  one.node === other.node && one.v8 === other.v8 && one.flags === other.flags;

/** Files of version 1 do not say what a shape is: there the name has to do, where it says one row alone. */
function withoutGeometry(row: Row, rows: readonly Row[]): Row | undefined {
  const same = rows.filter((other) => labelOf(other) === labelOf(row));
  const [first] = same;
  if (same.length !== 1 || (first.geometry !== undefined && row.geometry !== undefined)) return undefined;
  return first;
}

const partner = (row: Row | undefined, which: string): string =>
  row === undefined
    ? `not in the ${which}`
    : isMeasured(row)
      ? `measured in the ${which}`
      : `${row.status} in the ${which}`;

/** The medians of a row's processes, as they are or divided by a part of the probe around them. */
function mediansOf({ processes = [] }: Measured, part: keyof Probe | undefined): number[] {
  return processes.map(({ samples_ms, probe }: ProcessRun) => {
    const middle = median(samples_ms);
    return part === undefined ? middle : middle / (probe?.[part] ?? Number.NaN);
  });
}

function changeOf(before: Measured, after: Measured, usesProbe: boolean): Change {
  const hasProbe =
    usesProbe &&
    [before, after].every(({ processes = [] }) => processes.every(({ probe }) => probe !== undefined));
  const views = (hasProbe ? PARTS : [undefined]).map((part) => {
    const [a, b] = [mediansOf(before, part), mediansOf(after, part)];
    const ratio = a.length > 0 && b.length > 0 ? median(b) / median(a) : after.median_ms / before.median_ms;
    return { ratio, p: rankTest(a, b), able: leastPossible(a.length, b.length) * ONE_IN <= 1 };
  });
  const all = (body: (view: (typeof views)[number]) => boolean) => views.every(body);
  const sure = all(({ p }) => p * ONE_IN <= 1);
  const verdict = !all(({ able }) => able)
    ? "undecided"
    : sure && all(({ ratio }) => ratio > 1 + SMALLEST_CHANGE)
      ? "slower"
      : sure && all(({ ratio }) => ratio < 1 - SMALLEST_CHANGE)
        ? "faster"
        : "same";
  const least = views.reduce((best, view) => (distance(view.ratio) < distance(best.ratio) ? view : best));
  const { shape, name, threads, median_ms } = after;
  return {
    ...{ shape, name: `${name}/${threads}` },
    ...{ before: before.median_ms, after: median_ms, ratio: least.ratio, verdict },
  };
}

const distance = (ratio: number): number => Math.abs(Math.log(ratio));

function driftOf(before: readonly Row[], after: readonly Row[]): Probe | string {
  const probes = (rows: readonly Row[]): Probe[] =>
    rows
      .filter(isMeasured)
      .flatMap(({ processes = [] }) => processes.flatMap(({ probe }) => (probe ? [probe] : [])));
  const [a, b] = [probes(before), probes(after)];
  if (a.length === 0 || b.length === 0) return "A file has no probe of the machine";
  const of = (part: keyof Probe) =>
    median(b.map((probe) => probe[part])) / median(a.map((probe) => probe[part]));
  return { scalar: of("scalar"), simd: of("simd"), memory: of("memory") };
}

/** A peak that differs by less is the same: it is measured within some hundredths. */
const SAME_PEAK = 0.05;

function differencesOf(before: Results, after: Results): string[] {
  const found: string[] = [];
  const say = (what: string, a: unknown, b: unknown) => {
    if (String(a) !== String(b)) found.push(`${what}: ${a || "none"} → ${b || "none"}`);
  };
  const [one, other] = [before.machine, after.machine];
  say("processor", one.cpu, other.cpu);
  say("cores", one.cores, other.cores);
  say("memory, GB", one.memory_gb, other.memory_gb);
  say("system", one.os, other.os);
  say("host", one.node, other.node);
  say("V8", one.v8, other.v8);
  say("flags", one.flags, other.flags);
  say("commit", one.commit, other.commit);
  say("input", before.input, after.input);
  say("photograph and weights", before.about, after.about);
  say("repetitions", before.repetitions ?? 1, after.repetitions ?? 1);
  say("command", before.command.replace(/ --out \S+/, ""), after.command.replace(/ --out \S+/, ""));
  for (const [name, a, b] of peaksOf(one, other)) {
    if (a === null || b === null) say(name, a, b);
    else if (Math.abs(b / a - 1) > SAME_PEAK) found.push(`${name}: ${a} → ${b}`);
  }
  return found;
}

function peaksOf(one: MachineRecord, other: MachineRecord): [string, number | null, number | null][] {
  const [a, b] = [one.peak_gflops, other.peak_gflops];
  return [
    ["peak in TypeScript, GFLOP/s", a.typescript, b.typescript],
    ["peak in SIMD, GFLOP/s", a.simd, b.simd],
    ["peak fused, GFLOP/s", a.relaxedSimd, b.relaxedSimd],
  ];
}

/** The rows that were judged slower by more than a share. */
export const regressions = ({ changes }: Comparison, bound: number): readonly Change[] =>
  changes.filter(({ verdict, ratio }) => verdict === "slower" && ratio > 1 + bound);

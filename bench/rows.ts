// Rows of results: what a process measured, put together over processes.

import type { Timing } from "./harness.ts";
import type { MachineRecord, Measured, Probe, ProcessRun, Row } from "./schema.ts";
import { summarize } from "./statistics.ts";

export function isMeasured(row: Row): row is Measured {
  return !("status" in row);
}

/** Three digits are more than a time is good for. */
export function precise(value: number): number {
  return Number(value.toPrecision(4));
}

/** What tells a row from all others of its file. */
export function keyOf({ shape, geometry, name, threads }: Row): string {
  const integers = Object.entries(geometry ?? {})
    .map(([key, value]) => `${key}${value}`)
    .join(" ");
  return JSON.stringify([shape ?? "", integers, name, threads]);
}

/** How a row is called. */
export function labelOf({ shape, name, threads }: Row): string {
  return [...(shape === undefined ? [] : [shape]), `${name}/${threads}`].join(" ");
}

/** A row's subject and what else is known of it. */
export type Subject = Pick<Measured, "name" | "threads" | "shape" | "geometry" | "size" | "count">;

/** A row of one process. `calls` is how many calls a run makes. */
export function rowOf(
  subject: Subject,
  { samples, warmup, settled }: Timing,
  { calls = 1, ...more }: Partial<Measured> & { readonly calls?: number } = {},
): Measured {
  const perCall = (times: readonly number[]) => times.map((time) => Number((time / calls).toPrecision(6)));
  return withFigures({
    ...subject,
    ...more,
    processes: [{ samples_ms: perCall(samples), warmup_ms: perCall(warmup), settled }],
  });
}

type Figures = "runs" | "median_ms" | "low_ms" | "high_ms" | "mad_ms" | "min_ms" | "settled" | "first_ms";

function withFigures(row: Omit<Measured, Figures> & { readonly processes: ProcessRun[] }): Measured {
  const { processes } = row;
  const { runs, ...times } = summarize(processes.map(({ samples_ms }) => samples_ms));
  const [{ warmup_ms, samples_ms }] = processes;
  return {
    ...row,
    runs,
    ...(Object.fromEntries(Object.entries(times).map(([key, time]) => [key, precise(time)])) as typeof times),
    first_ms: precise(warmup_ms[0] ?? samples_ms[0]),
    settled: processes.every(({ settled }) => settled),
  };
}

/** The same row with what the machine was like then. */
export function withProbe(row: Row, probe: Probe): Row {
  if (!isMeasured(row) || row.processes === undefined) return row;
  return { ...row, processes: row.processes.map((run) => ({ ...run, probe })) };
}

/** Rows of several processes as one each. What went wrong in one of them is what is told. */
export function merge(rows: readonly Row[], machine: MachineRecord): Row[] {
  const byKey = new Map<string, Row[]>();
  for (const row of rows) {
    const key = keyOf(row);
    byKey.set(key, [...(byKey.get(key) ?? []), row]);
  }
  return [...byKey.values()].map((same) => {
    const bad = same.find((row) => !isMeasured(row));
    if (bad !== undefined) return bad;
    const good = same.filter(isMeasured);
    const most = (values: readonly (number | null | undefined)[]) =>
      Math.max(...values.filter((value) => typeof value === "number"));
    const merged = withFigures({
      ...good[0],
      processes: good.flatMap(({ processes = [] }) => processes),
      ...(good.some(({ interrupted }) => interrupted) && { interrupted: true }),
      ...(typeof good[0].max_abs_diff === "number" && {
        max_abs_diff: most(good.map((row) => row.max_abs_diff)),
      }),
      ...(good[0].peak_rss_mb !== undefined && { peak_rss_mb: most(good.map((row) => row.peak_rss_mb)) }),
    });
    return withSpeed(merged, machine);
  });
}

/** FLOP/s, and what share they are of what the machine could do. */
export function withSpeed(row: Measured, { peak_gflops, bandwidth_gbs }: MachineRecord): Measured {
  const { flops, bytes, code, threads, median_ms } = row;
  if (flops === undefined) return row;
  const gflops = flops / median_ms / 1e6;
  if (code === undefined) return { ...row, gflops: precise(gflops) };
  const peaks = { ...peak_gflops, fused: peak_gflops.relaxedSimd ?? peak_gflops.simd };
  const peak = peaks[code] * threads;
  const roof =
    bytes === undefined || bandwidth_gbs === undefined
      ? undefined
      : Math.min(peak, (flops / bytes) * bandwidth_gbs.memory);
  return {
    ...row,
    gflops: precise(gflops),
    share_of_peak: precise(gflops / peak),
    ...(roof !== undefined && { share_of_roof: precise(gflops / roof) }),
  };
}

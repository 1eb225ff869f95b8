// What tests of several parts of the bench need: a machine, rows, result files.

import type { Timing } from "./harness.ts";
import { merge, rowOf, type Subject, withProbe } from "./rows.ts";
import type { MachineRecord, Measured, Probe, Results, Row } from "./schema.ts";

export const machine: MachineRecord = {
  date: "2026-01-02T00:00:00.000Z",
  cpu: "a processor",
  cores: 2,
  memory_gb: 8,
  os: "an os",
  node: "v20.0.0",
  v8: "11",
  flags: "",
  peak_gflops: { typescript: 10, simd: 40, relaxedSimd: null },
  commit: "abc",
};

export const timing = (samples: readonly number[], settled = true): Timing => ({
  samples,
  warmup: [2 * samples[0]],
  settled,
});

/** A row of one process that took so long. */
export const row = (name: string, ms: number, more: Partial<Subject & Measured> = {}): Measured =>
  rowOf({ name, threads: 1, ...more }, timing([ms, ms * 1.01, ms * 0.99]), more);

/** A row of several processes with the medians that are given, and probes around them. */
export const repeated = (
  name: string,
  medians: readonly number[],
  probes: readonly Probe[] = medians.map(() => ({ scalar: 1, simd: 1, memory: 1 })),
): Row => {
  const rows = medians.map((ms, i) => withProbe(rowOf({ name, threads: 1 }, timing([ms])), probes[i]));
  return merge(rows, machine)[0];
};

export const file = (...results: Row[]): Results => ({
  schema: 2,
  bench: "model",
  command: "pnpm bench model",
  machine,
  results,
});

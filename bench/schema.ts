// What stands in a result file, and how one is read. Version 2 has every run of every process; files of version 1, which had
// summaries alone, are read too.

import { z } from "zod";

/** The version that is written. */
export const SCHEMA_VERSION = 2;

/** Milliseconds of the fixed work that runs between: `probe.ts` says what. */
const probe = z.object({ scalar: z.number(), simd: z.number(), memory: z.number() });

/** One process that measured a row. */
const run = z.object({
  /** Every run that counts, in its order. */
  samples_ms: z.array(z.number().nonnegative()).min(1),
  /** The runs before them. */
  warmup_ms: z.array(z.number().nonnegative()),
  /** Whether the time had stopped to move. */
  settled: z.boolean(),
  /** How fast the machine was then. */
  probe: probe.optional(),
});

const subject = {
  name: z.string(),
  threads: z.number().int(),
  /** The layer or shape, where a bench has several. */
  shape: z.string().optional(),
  /** The integers of what was computed, so that two things of one name are told apart. */
  geometry: z.record(z.string(), z.number()).optional(),
  /** How often the network that a list describes has this shape. */
  count: z.number().optional(),
  /** The side of square matrices. */
  size: z.number().optional(),
};

const measured = z.object({
  ...subject,
  runs: z.number(),
  median_ms: z.number(),
  /** The 95 % interval of the median. */
  low_ms: z.number().optional(),
  high_ms: z.number().optional(),
  mad_ms: z.number(),
  min_ms: z.number(),
  /** The first run of the first process. */
  first_ms: z.number().optional(),
  /** False where a process' time had not stopped to move. */
  settled: z.boolean().optional(),
  /** What was measured before someone stopped it. */
  interrupted: z.boolean().optional(),
  processes: z.array(run).optional(),
  /** FLOPs and bytes by geometry: what has to be computed, and every operand and result once. */
  flops: z.number().optional(),
  bytes: z.number().optional(),
  /** Billions of FLOPs a second, counted from the sizes and not from what an algorithm saves. */
  gflops: z.number().optional(),
  /** `gflops` as a share of what its kind of code can do at most on so many cores. */
  share_of_peak: z.number().optional(),
  /** `gflops` as a share of what peak and bandwidth allow together. */
  share_of_roof: z.number().optional(),
  /** Which peak it is held against. */
  code: z.enum(["typescript", "simd", "fused"]).optional(),
  /** Largest difference from what this project's reference gives; null for the reference itself. */
  max_abs_diff: z.number().nullish(),
  peak_rss_mb: z.number().optional(),
  /** That of the library, where it says one. */
  version: z.string().optional(),
  /** Mean F1 of photographs, and the largest change of one against the first row. */
  f1: z.number().optional(),
  max_f1_diff: z.number().optional(),
  /** Hardware events of one run, where the host counts them. */
  counters: z.record(z.string(), z.number()).optional(),
});

const notMeasured = z.object({
  ...subject,
  status: z.enum(["not installed", "failed", "wrong"]),
  reason: z.string(),
  max_abs_diff: z.number().nullish(),
});

/** FLOP/s of one core in billions. */
const peak = z.object({ typescript: z.number(), simd: z.number(), relaxedSimd: z.number().nullable() });

/** Billions of bytes per second that one core reads, from each level of its memory. */
const bandwidth = z.object({ l1: z.number(), l2: z.number(), l3: z.number(), memory: z.number() });

/** What was measured on. Without it a time says nothing. */
const machine = z.object({
  date: z.string(),
  cpu: z.string(),
  cores: z.number(),
  memory_gb: z.number(),
  os: z.string(),
  /** The version of Node, or a browser's name and version. */
  node: z.string(),
  v8: z.string(),
  /** Flags that it was started with. */
  flags: z.string(),
  peak_gflops: peak,
  bandwidth_gbs: bandwidth.optional(),
  /** The state of this project that was measured; a `+` says that files were changed since. */
  commit: z.string(),
});

const results = z.object({
  schema: z.literal(SCHEMA_VERSION).optional(),
  bench: z.string(),
  /** What to type to measure this again. */
  command: z.string(),
  machine,
  /** `[H,W,C]` of the photograph. */
  input: z.array(z.number()).optional(),
  /** What the photograph is, and which weights. */
  about: z.string().optional(),
  /** Fresh processes that measured each row. */
  repetitions: z.number().optional(),
  /** From the beginning of the first of them to that of the last. */
  minutes: z.number().optional(),
  interrupted: z.boolean().optional(),
  results: z.array(z.union([measured, notMeasured])),
  /** Median of a peer divided by ours at the same number of threads: above 1 we are faster. */
  ratios: z.record(z.string(), z.number()).optional(),
  /** Ours as a share of the peak of as many cores, by threads and shape. */
  peak_share: z.record(z.string(), z.number()).optional(),
});

export type Probe = z.infer<typeof probe>;
export type ProcessRun = z.infer<typeof run>;
export type Measured = z.infer<typeof measured>;
export type NotMeasured = z.infer<typeof notMeasured>;
export type Row = Measured | NotMeasured;
export type Peak = z.infer<typeof peak>;
export type Bandwidth = z.infer<typeof bandwidth>;
export type MachineRecord = z.infer<typeof machine>;
export type Results = z.infer<typeof results>;

/** Reads what a result file holds. */
export function parseResults(value: unknown): Results {
  const version = (value as { schema?: unknown } | null)?.schema;
  if (typeof version === "number" && version > SCHEMA_VERSION)
    throw new Error(`is of version ${version}; this bench reads up to ${SCHEMA_VERSION}`);
  const parsed = results.safeParse(value);
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues;
  throw new Error(`is no result file: ${path.join(".") || "it"}: ${message}`);
}

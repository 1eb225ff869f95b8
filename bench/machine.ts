// What a figure was measured on. Without it a time says nothing.

import { execFileSync } from "node:child_process";
import { arch, availableParallelism, cpus, platform, release, totalmem } from "node:os";
import { BENCH } from "./paths.ts";
import { measurePeak, type Peak } from "./peak.ts";

/** The record that stands in every result file. */
export interface MachineRecord {
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memory_gb: number;
  readonly os: string;
  readonly node: string;
  readonly v8: string;
  /** Flags that Node was started with. */
  readonly flags: string;
  /** FLOP/s of one core in billions, measured before the bench. */
  readonly peak_gflops: Peak;
  /** The state of this project that was measured; a `+` says that files were changed since. */
  readonly commit: string;
}

/** Looks at the machine, and measures its peak. */
export function machineRecord(): MachineRecord {
  const { typescript, simd, relaxedSimd } = measurePeak();
  return {
    date: new Date().toISOString(),
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memory_gb: rounded(totalmem() / 2 ** 30),
    os: `${platform()} ${release()} ${arch()}`,
    node: process.version,
    v8: process.versions.v8,
    flags: [...process.execArgv, process.env.NODE_OPTIONS ?? ""].join(" ").trim(),
    peak_gflops: {
      typescript: rounded(typescript),
      simd: rounded(simd),
      relaxedSimd: relaxedSimd === null ? null : rounded(relaxedSimd),
    },
    commit: commit(),
  };
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

function commit(): string {
  try {
    const git = (...args: string[]) =>
      execFileSync("git", args, { cwd: BENCH, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    const changed = git("status", "--porcelain", "--untracked-files=no") !== "";
    return git("rev-parse", "--short", "HEAD") + (changed ? "+" : "");
  } catch {
    return "unknown";
  }
}

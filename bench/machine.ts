// What a figure was measured on. Without it a time says nothing.

import { execFileSync } from "node:child_process";
import { arch, availableParallelism, cpus, platform, release, totalmem } from "node:os";
import { BENCH } from "./paths.ts";
import { measureBandwidth, measurePeak } from "./peak.ts";
import type { MachineRecord } from "./schema.ts";

let record: MachineRecord | undefined;

/** Looks at the machine, once a process, and measures its peak and its bandwidth. */
export function machineRecord(): MachineRecord {
  record ??= look();
  return record;
}

function look(): MachineRecord {
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
    bandwidth_gbs: measureBandwidth(),
    commit: commitOf(),
  };
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

/** The state of the project; a `+` says that files were changed since. */
export function commitOf(): string {
  try {
    const git = (...args: string[]) =>
      execFileSync("git", args, { cwd: BENCH, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    const changed = git("status", "--porcelain", "--untracked-files=no") !== "";
    return git("rev-parse", "--short", "HEAD") + (changed ? "+" : "");
  } catch {
    return "unknown";
  }
}

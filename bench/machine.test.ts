import { execFileSync } from "node:child_process";
import { arch, availableParallelism, cpus, platform, release, totalmem } from "node:os";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

vi.mock("node:child_process", () => ({ execFileSync: vi.fn() }));
vi.mock("./peak.ts", () => ({
  measurePeak: vi.fn(() => ({ typescript: 4.26, simd: 17.04, relaxedSimd: 33.98 })),
  measureBandwidth: () => ({ l1: 4, l2: 3, l3: 2, memory: 1 }),
}));

const { execArgv } = process;
beforeEach(() => {
  vi.resetModules();
  vi.clearAllMocks();
});
afterEach(() => {
  process.execArgv = execArgv;
  vi.unstubAllEnvs();
  vi.useRealTimers();
});

/** A repository in some state, or none. */
const git = (answers: Readonly<Record<string, string>> | undefined) =>
  vi.mocked(execFileSync).mockImplementation((_, args) => {
    if (answers === undefined) throw new Error("not a repository");
    return `${answers[args![0]]}\n`;
  });

it("says what a figure was measured on, and looks once", async () => {
  const { machineRecord } = await import("./machine.ts");
  const { measurePeak } = await import("./peak.ts");
  vi.useFakeTimers({ toFake: ["Date"], now: Date.UTC(2026, 0, 2) });
  git({ status: "", "rev-parse": "abc1234" });
  process.execArgv = ["--no-opt", "--jitless"];
  vi.stubEnv("NODE_OPTIONS", "--expose-gc");
  const record = machineRecord();
  expect(record).toEqual({
    date: "2026-01-02T00:00:00.000Z",
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memory_gb: Math.round((10 * totalmem()) / 1024 ** 3) / 10,
    os: [platform(), release(), arch()].join(" "),
    node: process.version,
    v8: process.versions.v8,
    flags: "--no-opt --jitless --expose-gc",
    peak_gflops: { typescript: 4.3, simd: 17, relaxedSimd: 34 },
    bandwidth_gbs: { l1: 4, l2: 3, l3: 2, memory: 1 },
    commit: "abc1234",
  });
  expect(machineRecord()).toBe(record);
  expect(measurePeak).toHaveBeenCalledTimes(1);
});

it("leaves empty what there is not", async () => {
  const { machineRecord } = await import("./machine.ts");
  const { measurePeak } = await import("./peak.ts");
  vi.mocked(measurePeak).mockReturnValueOnce({ typescript: 4, simd: 17, relaxedSimd: null });
  git(undefined);
  process.execArgv = [];
  vi.stubEnv("NODE_OPTIONS", undefined);
  expect(machineRecord()).toMatchObject({
    ...{ flags: "", commit: "unknown" },
    peak_gflops: { typescript: 4, simd: 17, relaxedSimd: null },
  });
  process.execArgv = ["--jitless"];
  vi.resetModules();
  expect((await import("./machine.ts")).machineRecord().flags).toBe("--jitless");
});

it("marks a commit since which files were changed", async () => {
  const { commitOf } = await import("./machine.ts");
  git({ status: " M bench/machine.ts", "rev-parse": "abc1234" });
  expect(commitOf()).toBe("abc1234+");
});

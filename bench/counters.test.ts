import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { parsePerf } from "./counters.ts";

test("what perf stat prints is counted for one call; what the host does not count is left out", () => {
  const text = [
    "400,,instructions:u,1000,100.00,2.00,insn per cycle",
    "100,,cpu_core/cycles/,1000,50.00,,",
    "20,,cpu_atom/cycles/,1000,50.00,,",
    "<not supported>,,cache-misses,0,100.00,,",
    "<not counted>,,branch-misses,0,0.00,,",
    "",
  ].join("\n");
  expect(parsePerf(text, 10)).toEqual({ instructions: 40, cycles: 12 });
});

describe.skipIf(process.platform !== "linux")("with a program that stands for perf", () => {
  let folder: string;
  let told: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "saunet-perf-"));
    told = "";
    vi.resetModules();
    // How long it takes to attach: until it is ready to be interrupted, however slow the machine.
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    vi.stubEnv("PATH", `${folder}:${process.env.PATH}`);
    vi.spyOn(process.stderr, "write").mockImplementation((chunk) => {
      told += chunk;
      return true;
    });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });

  /** It does as the lines say. */
  const perf = (...lines: readonly string[]) => {
    writeFileSync(join(folder, "perf"), ["#!/bin/sh", ...lines, ""].join("\n"));
    chmodSync(join(folder, "perf"), 0o755);
  };
  /** It prints what it counted when it is interrupted. */
  const counting = (...printed: readonly string[]) => {
    perf(
      `trap '${printed.map((line) => `echo "${line}" >&2;`).join(" ")} exit 0' INT`,
      `echo "$@" > ${join(folder, "arguments")}`,
      "while :; do sleep 0.02; done",
    );
    void attached();
  };
  const attached = async () => {
    while (!existsSync(join(folder, "arguments"))) await new Promise((resolve) => setImmediate(resolve));
    vi.advanceTimersByTime(1000);
  };

  test("twenty runs are counted while it is attached to this process", async () => {
    const { countEvents, whyNoCounters } = await import("./counters.ts");
    counting("4000,,instructions,1,100.00,,", "<not supported>,,cycles,0,100.00,,");
    const run = vi.fn();
    expect(await countEvents(run, 2)).toEqual({ instructions: 100 });
    expect(run).toHaveBeenCalledTimes(20);
    expect(readFileSync(join(folder, "arguments"), "utf8")).toBe(
      `stat -x, -e instructions,cycles,cache-references,cache-misses,branch-misses -p ${process.pid}\n`,
    );
    expect([told, whyNoCounters()]).toEqual(["", undefined]);
  });

  test.each([
    ["it may not", () => perf("echo >&2", "echo 'no permission' >&2", "exit 1"), "no permission"],
    ["it says nothing", () => perf("exit 2"), "perf failed"],
    [
      "the host counts none",
      () => counting("<not supported>,,cycles,0,100.00,,"),
      "this host counts none (a virtual machine mostly)",
    ],
    ["it is not there", () => vi.stubEnv("PATH", folder), "perf is not installed"],
  ])("it is said once why there are no counters, where %s", async (_, play, reason) => {
    const { countEvents, whyNoCounters } = await import("./counters.ts");
    play();
    const run = vi.fn();
    expect(await countEvents(run, 2)).toBe(undefined);
    expect(whyNoCounters()).toBe(reason);
    const runs = run.mock.calls.length;
    expect(await countEvents(run, 2)).toBe(undefined);
    expect(run).toHaveBeenCalledTimes(runs);
    expect(told).toBe(`bench: no hardware counters: ${reason}\n`);
  });
});

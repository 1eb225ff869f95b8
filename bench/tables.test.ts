// What a person reads of results, word by word.

import { expect, it } from "vitest";
import { merge, precise, rowOf, withProbe, withSpeed } from "./rows.ts";
import type { Measured, Row } from "./schema.ts";
import { formatMachine, formatTable, toCsv, toTable } from "./tables.ts";
import { file, machine, row, timing } from "./testing.ts";

const bandwidth_gbs = { l1: 100, l2: 50, l3: 20, memory: 10 };
const failed: Row = { name: "peer", threads: 2, status: "failed", reason: "no memory" };
const lines = (text: string) => text.split("\n");

it("aligns columns, numbers to the right, under headings that no column is as wide as", () => {
  const rows = [
    ["a heading that is wider than all of it"],
    ["x", "1.5", "a"],
    ["longer", "-20", "bb"],
    ["y", "", "c"],
  ];
  expect(lines(formatTable(["name", "ms", "what"], rows))).toEqual([
    "name     ms  what",
    "a heading that is wider than all of it",
    "x       1.5  a",
    "longer  -20  bb",
    "y            c",
    "",
  ]);
  const [, cut] = lines(formatTable(["a"], [["x".repeat(101)]]));
  expect(cut).toBe(`${"x".repeat(99)}…`);
  expect(lines(formatTable(["a"], [["x".repeat(100)]]))[1]).toBe("x".repeat(100));
});

it("tells the machine in lines, with what is known of it", () => {
  expect(lines(formatMachine(machine))).toEqual([
    "a processor, 2 cores, an os",
    "Node 20.0.0, V8 11, 2026-01-02T00:00:00.000Z",
    "peak of one core: 10 GFLOP/s in TypeScript, 40 in SIMD",
  ]);
  const peak_gflops = { ...machine.peak_gflops, relaxedSimd: 70 };
  expect(
    lines(formatMachine({ ...machine, peak_gflops, bandwidth_gbs, flags: "--x", node: "Chromium 140" })),
  ).toEqual([
    "a processor, 2 cores, an os",
    "Chromium 140, --x, 2026-01-02T00:00:00.000Z",
    "peak of one core: 10 GFLOP/s in TypeScript, 40 in SIMD, 70 fused",
    "one core reads 100 GB/s from L1, 50 from L2, 20 from L3, 10 from memory",
  ]);
});

it("is a table with its machine above and its notes below", () => {
  const ours = row("saunet", 10, { max_abs_diff: 1.5e-6, peak_rss_mb: 123 });
  const results = { ...file(ours, failed), ratios: { "peer/1": 2.5 }, interrupted: true, repetitions: 2 };
  expect(toTable(results)).toBe(
    [
      formatMachine(machine),
      "",
      "name    threads  median ms  95% from    to  runs  peak MB  ± MAD  min ms  first ms  max |diff|",
      "saunet        1         10       9.9  10.1     3      123    0.1     9.9        20      1.5e-6",
      "peer          2  failed: no memory",
      "",
      "3 runs a row in 2 processes, after a warm-up that does not count",
      "stopped before its end",
      "",
      "peer/1: 2.5 times our time",
      "",
    ].join("\n"),
  );
});

it("puts shapes above their rows, with how often a network has them, and adds them up", () => {
  const of = (shape: string, ms: number, count: number) => row("conv2d.forward ours", ms, { shape, count });
  expect(lines(toTable(file(of("a", 2, 3), of("b", 5, 1)))).slice(4, 10)).toEqual([
    "name                   threads  median ms  95% from    to  runs  ± MAD  min ms  first ms",
    "a (3 times)",
    "  conv2d.forward ours        1          2      1.98  2.02     3   0.02    1.98         4",
    "b (1 times)",
    "  conv2d.forward ours        1          5      4.95  5.05     3   0.05    4.95        10",
    "",
  ]);
  expect(toTable(file(of("a", 2, 3), of("b", 5, 1)))).toContain(
    "all layers as often as the network has them: forward ours/1 11 ms",
  );
});

it("says how many runs rows have from the fewest to the most", () => {
  const few = rowOf({ name: "x", threads: 1 }, timing([1, 2]));
  expect(toTable(file(row("y", 1), few))).toContain("2 to 3 runs a row in one process");
  expect(toTable(file(failed))).not.toContain("runs a row");
});

it("writes every figure that a row has as CSV, and nothing where it has none", () => {
  const whole = row("saunet", 10, { shape: "8x8, small", peak_rss_mb: 5, flops: 7, bytes: 9, count: 2 });
  const [head, first, second, end] = lines(toCsv(file(whole, failed)));
  const cells = head.split(",");
  expect(first).toBe('"8x8, small",saunet,1,,3,10,9.9,10.1,0.1,9.9,20,true,2,7,9,,,,,5,,');
  expect(second.split(",")).toHaveLength(cells.length);
  expect(second).toMatch(/^,peer,2,failed,.*,no memory$/);
  expect(end).toBe("");
});

it("keeps of a time four digits, per call, and the speed that follows from its size", () => {
  expect([precise(1.23456), precise(123456)]).toEqual([1.235, 123500]);
  const measured = rowOf({ name: "x", threads: 2 }, timing([10, 12]), {
    calls: 4,
    flops: 5e6,
    bytes: 1e6,
    code: "simd",
  });
  expect(measured.processes).toEqual([{ samples_ms: [2.5, 3], warmup_ms: [5], settled: true }]);
  expect(measured).toMatchObject({ median_ms: 2.75, min_ms: 2.5, first_ms: 5 });
  const gflops = 5e6 / 2.75 / 1e6;
  expect(withSpeed(measured, { ...machine, bandwidth_gbs })).toMatchObject({
    gflops: precise(gflops),
    share_of_peak: precise(gflops / 80),
    // 5 FLOPs a byte at 10 GB/s are less than 80 GFLOP/s.
    share_of_roof: precise(gflops / 50),
  });
  expect(withSpeed({ ...measured, bytes: 1e4 }, { ...machine, bandwidth_gbs }).share_of_roof).toBe(
    precise(gflops / 80),
  );
  expect(withSpeed({ ...measured, code: "fused" }, machine)).toMatchObject({
    share_of_peak: precise(gflops / 80),
  });
  expect(withSpeed({ ...measured, code: "typescript" }, machine)).toMatchObject({
    share_of_peak: precise(gflops / 20),
  });
  expect(withSpeed(measured, machine)).not.toHaveProperty("share_of_roof");
  const { code: _, ...plain } = measured;
  expect(withSpeed(plain, machine)).not.toHaveProperty("share_of_peak");
  const { flops: __, ...sizeless } = plain;
  expect(withSpeed(sizeless, machine)).toBe(sizeless);
});

it("puts rows of several processes together: all their runs, the largest of their errors and memories", () => {
  const one = row("x", 10, { max_abs_diff: 1e-6, peak_rss_mb: 4 });
  const two = { ...row("x", 20, { max_abs_diff: 3e-6, peak_rss_mb: 5 }), interrupted: true };
  const [merged] = merge([one, two], machine) as Measured[];
  expect(merged).toMatchObject({
    runs: 6,
    median_ms: 15,
    max_abs_diff: 3e-6,
    peak_rss_mb: 5,
    interrupted: true,
  });
  expect(merge([one, row("x", 10, { max_abs_diff: null })], machine)).toHaveLength(1);
  const reference = row("x", 10, { max_abs_diff: null });
  expect(merge([reference, reference], machine)).toMatchObject([{ max_abs_diff: null }]);
  expect(merge([one, { ...failed, name: "x", threads: 1 }, row("y", 1)], machine)).toMatchObject([
    { status: "failed" },
    { name: "y" },
  ]);
  expect(merge([one, one], machine)[0]).not.toHaveProperty("interrupted");
  const probe = { scalar: 1, simd: 2, memory: 3 };
  expect(withProbe(one, probe)).toMatchObject({ processes: [{ probe }] });
  expect(withProbe(failed, probe)).toBe(failed);
});

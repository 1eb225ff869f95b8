import { expect, test } from "vitest";
import { changes } from "./compare.ts";
import type { MachineRecord } from "./machine.ts";
import { ratiosOf } from "./race.ts";
import { type Results, type Row, toCsv, toTable } from "./results.ts";

const machine: MachineRecord = {
  date: "2026-01-01T00:00:00.000Z",
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

const row = (name: string, median_ms: number, mad_ms = 0.1, threads = 1): Row => ({
  name,
  threads,
  runs: 9,
  median_ms,
  mad_ms,
  min_ms: median_ms,
});

const file = (...results: Row[]): Results => ({
  bench: "model",
  command: "pnpm bench model",
  machine,
  results,
});

test("a change counts when it is larger than the noise and than two per cent", () => {
  const before = file(
    row("much", 10),
    row("noisy", 10, 3),
    row("little", 10, 0),
    row("worse", 10),
    row("gone", 1),
  );
  const after = file(
    row("much", 5),
    row("noisy", 8, 3),
    row("little", 9.9, 0),
    row("worse", 12),
    row("new", 1),
  );
  expect(changes(before, after).map(({ label, verdict }) => [label, verdict])).toEqual([
    ["much/1", "faster"],
    ["noisy/1", "same"],
    ["little/1", "same"],
    ["worse/1", "slower"],
  ]);
});

test("a contender without a time is not compared", () => {
  const failed: Row = { name: "much", threads: 1, status: "failed", reason: "no memory" };
  expect(changes(file(row("much", 10)), file(failed))).toEqual([]);
});

test("ratios hold a peer against ours at the same number of threads", () => {
  const rows = [
    row("saunet", 10),
    row("saunet", 5, 0, 2),
    row("peer", 20),
    row("peer", 20, 0, 2),
    row("peer", 9, 0, 4),
  ];
  const wrong: Row = { name: "other", threads: 1, status: "wrong", reason: "differs" };
  expect(ratiosOf([...rows, wrong])).toEqual({ "peer/1": 2, "peer/2": 4 });
});

test("what has no time is shown with its reason, in the table and in CSV", () => {
  const results = file(row("saunet", 10), {
    name: "peer",
    threads: 2,
    status: "failed",
    reason: 'no "x", no y',
  });
  expect(toTable(results)).toMatch(/peer +2 +failed: no "x", no y/);
  const [header, measured, failed] = toCsv(results).split("\n");
  expect(header).toMatch(/^shape,name,threads,status,runs,median_ms/);
  expect(measured).toBe(",saunet,1,,9,10,0.1,10,,,,,");
  expect(failed).toBe(',peer,2,failed,,,,,,,,,"no ""x"", no y"');
});

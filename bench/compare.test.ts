import { describe, expect, it } from "vitest";
import { compare } from "./compare.ts";
import { comparison, exitCode, formatComparison } from "./comparison.ts";
import { ratiosOf } from "./ratios.ts";
import type { Probe, Results, Row } from "./schema.ts";
import { toCsv, toTable } from "./tables.ts";
import { file, repeated, row } from "./testing.ts";

const six = (ms: number, spread = 0.01) => [0, 1, 2, 3, 4, 5].map((i) => ms * (1 + spread * (i - 2.5)));
const verdicts = (before: readonly Row[], after: readonly Row[]) =>
  Object.fromEntries(
    compare(file(...before), file(...after)).changes.map(({ name, verdict }) => [name, verdict]),
  );

describe("a comparison", () => {
  it("judges by processes: what lies apart in all of them, by more than two per cent", () => {
    const before = ["much", "noisy", "little", "worse"].map((name) => repeated(name, six(10)));
    const after = [
      repeated("much", six(5)),
      repeated("noisy", six(8, 0.2)),
      repeated("little", six(9.9, 0.0001)),
      repeated("worse", six(12)),
    ];
    expect(verdicts(before, after)).toEqual({
      "much/1": "faster",
      "noisy/1": "same",
      "little/1": "same",
      "worse/1": "slower",
    });
  });

  it.each([
    [98, "same"],
    [97.9, "faster"],
    [102, "same"],
    [102.1, "slower"],
  ])("of 100 ms that all became %d ms says %s", (ms, verdict) => {
    const of = (all: number) => [
      repeated(
        "x",
        Array.from({ length: 6 }, () => all),
      ),
    ];
    expect(verdicts(of(100), of(ms))).toEqual({ "x/1": verdict });
  });

  it("says of few processes that they cannot tell, and not that nothing changed", () => {
    // Ten runs of one process each, 3.7 times apart, were once within the noise.
    expect(verdicts([row("x", 10)], [row("x", 37)])).toEqual({ "x/1": "undecided" });
    // Lists of 5 and 6 that do not mix come about by chance in one of 231, those of 6 and 6 in one of 462.
    expect(verdicts([repeated("x", six(10).slice(1))], [repeated("x", six(37))])).toEqual({
      "x/1": "undecided",
    });
    expect(verdicts([repeated("x", six(10))], [repeated("x", six(37))])).toEqual({ "x/1": "slower" });
    expect(verdicts([repeated("x", [10, 10, 11])], [repeated("x", [37, 38, 39])])).toEqual({
      "x/1": "undecided",
    });
  });

  it("takes out the drift of the machine, and by the part of the probe that explains most of it", () => {
    const probe = (scalar: number, simd: number, memory: number): Probe[] =>
      Array.from({ length: 6 }, () => ({ scalar, simd, memory }));
    const before = [repeated("x", six(10), probe(1, 1, 1))];
    // The whole machine slower by a fifth, and the row with it.
    expect(verdicts(before, [repeated("x", six(12), probe(1.2, 1.2, 1.2))])).toEqual({ "x/1": "same" });
    // The memory alone: the row may be bound by it.
    expect(verdicts(before, [repeated("x", six(12), probe(1, 1, 1.2))])).toEqual({ "x/1": "same" });
    // The row became slower by more than any of them.
    const slower = repeated("x", six(15), probe(1.2, 1, 1.2));
    expect(verdicts(before, [slower])).toEqual({ "x/1": "slower" });
    // What the part leaves that explains most.
    expect(compare(file(...before), file(slower)).changes[0].ratio).toBeCloseTo(1.25, 6);
    expect(verdicts(before, [repeated("x", six(10), probe(1.2, 1.2, 1.2))])).toEqual({ "x/1": "faster" });
  });

  it("does not take the probe of another host, or of other flags, for the machine", () => {
    const probes = (ms: number) => Array.from({ length: 6 }, () => ({ scalar: ms, simd: ms, memory: ms }));
    const before = file(repeated("x", six(1), probes(1)));
    const after = file(repeated("x", six(30), probes(70)));
    expect(compare(before, after).changes).toMatchObject([{ verdict: "faster" }]);
    for (const other of [{ flags: "--no-opt" }, { node: "v22.0.0" }, { v8: "12" }]) {
      const found = compare(before, { ...after, machine: { ...after.machine, ...other } });
      expect(found.changes).toMatchObject([{ verdict: "slower", ratio: 30 }]);
      expect(formatComparison(found)).toContain(
        "with other flags, and is itself another: its drift is not taken out.",
      );
    }
  });

  it("calls no more than one in 300 rows of the same thing changed", () => {
    let state = 7;
    const random = () => {
      state = (state * 48271) % 2147483647;
      return state / 2147483647;
    };
    const times = () => Array.from({ length: 6 }, () => 10 * (1 + 0.1 * random() ** 3));
    const rows = () => Array.from({ length: 3000 }, (_, i) => repeated(`row ${i}`, times()));
    const { changes } = compare(file(...rows()), file(...rows()));
    expect(changes.filter(({ verdict }) => verdict !== "same").length).toBeLessThanOrEqual(10);
  });

  it("keeps two shapes of one name apart, and a file is the same as itself", () => {
    const small = row("conv", 1, { shape: "a", geometry: { N: 1, H: 8 } });
    const large = row("conv", 1.503, { shape: "a", geometry: { N: 1, H: 16 } });
    const { changes, alone } = compare(file(small, large), file(small, large));
    expect(changes.map(({ ratio }) => ratio)).toEqual([1, 1]);
    expect(alone).toEqual([]);
    expect(compare(file(small), file(large)).changes).toEqual([]);
  });

  it("reads a file of version 1, which does not say what a shape is, by its name", () => {
    const old = row("conv", 1, { shape: "a" });
    const now = row("conv", 1, { shape: "a", geometry: { N: 1, H: 8 } });
    expect(compare(file(old), file(now)).changes).toHaveLength(1);
  });

  it("lists the rows without a partner, and those that one of the files did not measure", () => {
    const failed: Row = { name: "broke", threads: 1, status: "failed", reason: "no memory" };
    const { alone, changes } = compare(
      file(row("both", 1), row("gone", 1), row("broke", 1)),
      file(row("both", 1), row("new", 1), failed),
    );
    expect(changes.map(({ name }) => name)).toEqual(["both/1"]);
    expect(alone).toEqual([
      "new/1: not in the first, measured in the second",
      "broke/1: measured in the first, failed in the second",
      "gone/1: measured in the first, not in the second",
    ]);
    const text = (...after: Row[]) => formatComparison(comparison(file(row("both", 1)), file(...after)));
    expect(text(row("both", 1), failed)).toMatch(
      /\n\nRows without a partner:\n {2}broke\/1: not in the first, failed in the second\n$/,
    );
    expect(text(row("both", 1))).not.toContain("partner");
  });

  it("says what else is different", () => {
    const before = file(row("x", 1));
    const after = {
      ...file(row("x", 1)),
      command: "pnpm bench model --out elsewhere.json",
      machine: {
        ...before.machine,
        flags: "--no-opt",
        commit: "def",
        peak_gflops: { typescript: 10, simd: 30, relaxedSimd: 60 },
      },
    };
    expect(compare(before, after).differences).toEqual([
      "flags: none → --no-opt",
      "commit: abc → def",
      "peak in SIMD, GFLOP/s: 40 → 30",
      "peak fused, GFLOP/s: none → 60",
    ]);
    expect(formatComparison(comparison(before, after))).toContain("commit: abc → def");
  });

  it("names everything that may be different", () => {
    const before = file(row("x", 1));
    const after: Results = {
      ...{ ...before, command: "pnpm bench model --quick", input: [64, 64, 3], about: "a photograph" },
      repetitions: 6,
      machine: {
        ...{ date: "2027", cpu: "another", cores: 4, memory_gb: 16, os: "another os", node: "v22", v8: "12" },
        ...{ flags: "--jitless", commit: "def" },
        peak_gflops: { typescript: 10.4, simd: 50, relaxedSimd: 60 },
      },
    };
    expect(compare(before, after).differences).toEqual([
      "processor: a processor → another",
      "cores: 2 → 4",
      "memory, GB: 8 → 16",
      "system: an os → another os",
      "host: v20.0.0 → v22",
      "V8: 11 → 12",
      "flags: none → --jitless",
      "commit: abc → def",
      "input: none → 64,64,3",
      "photograph and weights: none → a photograph",
      "repetitions: 1 → 6",
      "command: pnpm bench model → pnpm bench model --quick",
      "peak in SIMD, GFLOP/s: 40 → 50",
      "peak fused, GFLOP/s: none → 60",
    ]);
    expect(compare(before, before).differences).toEqual([]);
  });

  it("has an exit code for a slowdown past a bound", () => {
    const [before, slower] = [file(repeated("x", six(10))), file(repeated("x", six(12)))];
    expect(exitCode(comparison(before, slower), undefined)).toBe(0);
    expect(exitCode(comparison(before, slower), 0.05)).toBe(1);
    expect(exitCode(comparison(before, slower), 0.5)).toBe(0);
    expect(exitCode(comparison(before, before), 0.05)).toBe(0);
    expect(() => exitCode(comparison(file(row("x", 1)), file(row("x", 9))), 0.05)).toThrow(
      "--bound: nothing can be judged",
    );
  });

  it("wants the same bench, and something in common", () => {
    expect(() => comparison(file(row("x", 1)), { ...file(row("x", 1)), bench: "train" })).toThrow(
      "compare: the files are of model and of train",
    );
    expect(() => comparison(file(row("x", 1)), file(row("y", 1)))).toThrow("nothing in common");
    expect(() =>
      comparison(
        { ...file(row("x", 1)), input: [592, 592, 3] },
        { ...file(row("x", 1)), input: [64, 64, 3] },
      ),
    ).toThrow("compare: the files are of photographs of 592x592x3 and of 64x64x3");
  });

  it("names a shape once above its rows, so that verdicts stand within 100 columns", () => {
    const wide = ["forward", "filterGradient"].map((kernel) =>
      row(`conv2d.${kernel} accelerated winograd4`, 1, {
        shape: "a layer of a network with a long name".repeat(2),
      }),
    );
    const text = formatComparison(comparison(file(...wide), file(...wide)));
    expect(text.match(/long name$/gm)).toHaveLength(1);
    expect(text.match(/too few processes$/gm)).toHaveLength(2);
    for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
  });
});

it("ratios hold a peer against ours at the same number of threads, shape by shape", () => {
  const at = (name: string, ms: number, threads: number, shape?: string) =>
    row(name, ms, { threads, ...(shape && { shape }) });
  const rows = [
    at("saunet", 10, 1),
    at("saunet", 5, 2),
    at("peer", 20, 1),
    at("peer", 20, 2),
    at("peer", 9, 4),
  ];
  const wrong: Row = { name: "other", threads: 1, status: "wrong", reason: "differs" };
  expect(ratiosOf([...rows, wrong])).toEqual({ "peer/1": 2, "peer/2": 4 });
  const kernels = ["typescript", "accelerated", "accelerated direct", "peer"].map((form, i) =>
    at(`conv2d.forward ${form}`, 2 ** i, 1, "layer"),
  );
  expect(ratiosOf(kernels)).toEqual({
    "conv2d.forward accelerated direct/1@layer": 2,
    "conv2d.forward peer/1@layer": 4,
  });
});

describe("a table", () => {
  const failed: Row = { name: "peer", threads: 2, status: "failed", reason: `no "x", ${"no y ".repeat(40)}` };

  it("shows what has no time with its reason, and fits 100 columns", () => {
    const wide = row(`conv2d.filterGradient ${"accelerated ".repeat(2)}`, 1234.5678, {
      shape: "a layer of a network with a long name",
      flops: 1e9,
      bytes: 1e6,
      code: "simd",
      max_abs_diff: 1e-6,
      peak_rss_mb: 512,
    });
    const text = toTable({ ...file(wide, failed), machine: { ...file().machine, os: "x".repeat(60) } });
    expect(text).toMatch(/peer +2 +failed: no "x", no y/);
    for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
  });

  it("marks what had not settled, and says how many runs a row has", () => {
    const moving = { ...row("x", 5), settled: false };
    const text = toTable(file(moving, row("y", 7)));
    expect(text).toMatch(/x +1 +5~/);
    expect(text).toMatch(/y +1 +7 /);
    expect(text).toContain("3 runs a row in one process");
    expect(text).toContain("~ had not settled");
  });

  it("says what rounding does to F1, where that is what was measured", () => {
    const text = toTable(file(row("winograd4", 5, { f1: 0.81725, max_f1_diff: 2e-6 })));
    expect(text).toMatch(/F1 +max \|ΔF1\|/);
    expect(text).toMatch(/0\.817250 +2\.0e-6/);
  });

  it("adds up the layers of a network as often as it has them", () => {
    const layers = [
      row("conv2d.forward ours", 2, { shape: "a", count: 3 }),
      row("groupedConv2d.forward ours", 5, { shape: "b" }),
      row("conv2d.forward peer", 1, { shape: "a", count: 3 }),
    ];
    const text = toTable(file(...layers));
    expect(text).toContain("forward ours/1 11 ms");
    // Who does not have all of them has no sum.
    expect(text).not.toContain("forward peer/1 3 ms");
  });

  it("is CSV too, with quotes where they are needed", () => {
    const [header, measured, last] = toCsv(
      file(row("saunet", 10, { geometry: { N: 1, H: 2 } }), failed),
    ).split("\n");
    expect(header).toMatch(/^shape,name,threads,status,runs,median_ms,low_ms/);
    expect(measured).toMatch(/^,saunet,1,,3,10,.*N=1 H=2,$/);
    expect(last).toMatch(/^,peer,2,failed,.*"no ""x"", no y/);
  });
});

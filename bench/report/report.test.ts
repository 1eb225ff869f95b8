import { expect, test } from "vitest";
import type { Results } from "../schema.ts";
import { file, machine, repeated, row } from "../testing.ts";
import { section } from "./markdown.ts";
import { changesSince } from "./report.ts";

test("a section has its table, its plots in both themes, and says where it comes from", async () => {
  const results: Results = {
    bench: "model",
    command: "pnpm bench model --size 64",
    machine,
    input: [64, 64, 3],
    results: [
      { name: "saunet", threads: 1, runs: 5, median_ms: 10, mad_ms: 1, min_ms: 9, max_abs_diff: null },
      { name: "slow", threads: 1, runs: 5, median_ms: 1000, mad_ms: 1, min_ms: 9, max_abs_diff: 1e-6 },
      { name: "absent", threads: 2, status: "not installed", reason: "it is not there" },
    ],
    ratios: { "slow/1": 100 },
  };
  const { markdown, plots } = await section(results, 0);
  expect(markdown).toContain("| saunet | 1 | 10 | 1 | 9 | 5 | reference |");
  expect(markdown).toContain("| absent | 2 | not installed: it is not there |");
  expect(markdown).toContain("| slow/1 | 100 |");
  expect(markdown).toContain(
    "`pnpm bench model --size 64`, 2026-01-02, one process, commit abc: a processor, 2 cores",
  );
  // Figures of an older engine are marked so.
  expect(markdown).not.toContain("The engine changed");
  expect((await section(results, 3)).markdown).toContain("The engine changed in 3 commits between");
  expect((await section(results, undefined)).markdown).toContain("The commit is not in this repository.");
  expect(Object.keys(plots)).toEqual(["performance-model-light.svg", "performance-model-dark.svg"]);
  for (const svg of Object.values(plots)) {
    expect(svg).toMatch(/^<svg /);
    expect(svg).toContain("slow, 1 thread");
    expect(svg).not.toContain("absent");
    // Two bars of different, positive lengths.
    const lengths = [...svg.matchAll(/aria-roledescription="bar" d="M0,[\d.]+h([\d.]+)/g)].map(([, h]) =>
      Number(h),
    );
    expect(lengths).toHaveLength(2);
    expect(lengths[0]).toBeGreaterThan(0);
    expect(lengths[1]).toBeGreaterThan(lengths[0]);
  }
});

test("medians of several processes come with their interval, and with how long it took", async () => {
  const results: Results = {
    ...file(repeated("saunet", [10, 11, 12, 13, 14, 15]), repeated("peer", [20, 22, 24, 26, 28, 30])),
    bench: "model",
    input: [64, 64, 3],
    repetitions: 6,
    minutes: 61,
  };
  const { markdown } = await section(results, 0);
  expect(markdown).toContain("| saunet | 1 | 12.5 | 10 to 15 | 10 | 6 |");
  expect(markdown).not.toContain("MAD");
  expect(markdown).toContain(", 6 processes of each, over 61 minutes, commit abc");
});

test("there is no table of ratios where there are none, and nothing of a bench that the page does not have", async () => {
  const model: Results = { ...file(row("saunet", 10)), input: [64, 64, 3] };
  expect((await section(model, 0)).markdown).not.toContain("peer / ours");
  expect(await section({ ...model, bench: "kernels" }, 3)).toEqual({ markdown: "", plots: {} });
});

test("changes of the engine are counted from a commit on, also where files were changed since", () => {
  expect([changesSince("HEAD"), changesSince("HEAD+")]).toEqual([0, 0]);
  expect(changesSince("no-such-commit")).toBe(undefined);
});

test("products have the peers beside them", async () => {
  const shapes = { shape: "64", flops: 2 * 64 ** 3 };
  const results: Results = {
    ...file(row("saunet", 2, shapes), row("peer", 3, shapes), row("saunet", 5, { ...shapes, shape: "100" })),
    bench: "matmul",
  };
  const { markdown } = await section(results, 0);
  expect(markdown).toContain("| product | threads | saunet, ms | GFLOP/s | peer |");
  expect(markdown).toMatch(/\| 64 \| 1 \| 2 \| [\d.]* \| 1.5 \|/);
  expect(markdown).toMatch(/\| 100 \| 1 \| 5 \| [\d.]* \| {2}\|/);
});

import { expect, test } from "vitest";
import type { Results } from "../schema.ts";
import { machine } from "../testing.ts";
import { section } from "./markdown.ts";

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
  expect(markdown).toContain("`pnpm bench model --size 64`, 2026-01-02, commit abc: a processor, 2 cores");
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

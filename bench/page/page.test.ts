import { expect, it } from "vitest";
import type { Comparison } from "../compare.ts";
import { rowOf } from "../rows.ts";
import { file, machine, repeated, row } from "../testing.ts";
import { embedded } from "./html.ts";
import { resultPage } from "./page.ts";
import { pointsOf, roofline } from "./roofline.ts";
import { warming, warmingOf } from "./warming.ts";

const measured = { ...machine, bandwidth_gbs: { l1: 100, l2: 50, l3: 30, memory: 10 } };
const withWork = (name: string, ms: number) => row(name, ms, { flops: 2e9, bytes: 1e8, shape: "56x56 <b>" });

/** What the plot says of a circle: its place in the decades of both axes. */
function circles(svg: string): [number, number][] {
  return [...svg.matchAll(/<circle[^>]* cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [
    Number(x),
    Number(y),
  ]);
}

it("places a row by its FLOPs for each byte and its FLOPs a second", () => {
  const results = { ...file(withWork("saunet", 100), withWork("other", 1000)), machine: measured };
  expect(pointsOf(results)).toMatchObject([
    { intensity: 20, gflops: 20, isOurs: true },
    { intensity: 20, gflops: 2, isOurs: false },
  ]);
  const svg = roofline(results) ?? "";
  const [[x, high], [same, low]] = circles(svg);
  expect(x).toBe(same);
  // A decade less is a decade further down; the peak of 40 is log10(2) of one above 20.
  const decade = low - high;
  const peak = Number(/L\d[\d.]* ([\d.]+)"\/><text class="name"[^>]*>memory/.exec(svg)?.[1]);
  expect((high - peak) / decade).toBeCloseTo(Math.log10(2), 2);
});

it("draws how a row gets warm, from its first run on, beside its median", () => {
  const slow = rowOf({ name: "peer", threads: 1 }, { samples: [2, 2, 2], warmup: [20, 4], settled: true });
  const kept = file(row("saunet", 1), slow);
  expect(warmingOf(kept)).toMatchObject([
    { row: 0, isOurs: true },
    { row: 1, label: "peer/1", runs: [10, 2, 1, 1, 1], isOurs: false },
  ]);
  expect(warming(kept)).toContain("peer/1: the first run takes 10.0 times the median");
  const { processes: _, ...summary } = slow;
  expect(warming(file(summary))).toBeUndefined();
});

it("has no plot where rows or machine do not say enough", () => {
  expect(roofline(file(row("saunet", 1)))).toBeUndefined();
  expect(roofline({ ...file(withWork("saunet", 1)), machine })).toBeUndefined();
});

it("shows every row, what went wrong too, and is safe from the names in it", () => {
  const results = {
    ...file(withWork("saunet", 1.5), { name: "peer", threads: 1, status: "wrong", reason: "</script><i>" }),
    machine: measured,
  };
  const page = resultPage([{ name: "a & b", results }]);
  expect(page).toContain('<td data-value="1.5">1.5</td>');
  expect(page).toContain("wrong: &lt;/script&gt;&lt;i&gt;");
  expect(page).toContain("56x56 &lt;b&gt;");
  expect(page).not.toContain("<b>1");
  expect(page).not.toContain("Compare two");
  expect(embedded({ name: "</script>" })).toBe('{"name":"\\u003c/script>"}');
});

it("compares each two files of one bench, both ways, and no others", () => {
  const before = file(repeated("saunet", [10, 10, 10, 10, 10, 10]));
  const after = file(repeated("saunet", [8, 8, 8, 8, 8, 8]));
  const page = resultPage([
    { name: "before", results: before },
    { name: "after", results: after },
    { name: "lab", results: { ...before, bench: "lab" } },
  ]);
  const { comparisons } = JSON.parse(/id="data">(.*)<\/script>/.exec(page)?.[1] ?? "") as {
    comparisons: (Comparison & { before: number; after: number })[];
  };
  expect(
    comparisons.map(({ before: one, after: other, changes: [{ ratio, verdict }] }) => [
      one,
      other,
      ratio,
      verdict,
    ]),
  ).toEqual([
    [0, 1, 0.8, "faster"],
    [1, 0, 1.25, "slower"],
  ]);
});

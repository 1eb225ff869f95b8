// docs/performance.md, from result files alone: nothing in it is typed by hand.

import { isMeasured } from "../rows.ts";
import type { Measured, Results, Row } from "../schema.ts";
import { type Bar, bars, lines, type Point, type Theme } from "./plot.ts";

/** A plot in both themes, by file name. */
export type Plots = Record<string, string>;

/** A part of the page. */
export interface Section {
  readonly markdown: string;
  readonly plots: Plots;
}

const THEMES: readonly Theme[] = ["light", "dark"];

/**
 * The page's own words about one result file, with its plots.
 *
 * @param changes commits that changed the engine since it was measured; undefined where that is not known
 */
export async function section(results: Results, changes: number | undefined): Promise<Section> {
  const body = await bodies[results.bench]?.(results);
  if (body === undefined) return { markdown: "", plots: {} };
  return { ...body, markdown: `${body.markdown}\n${provenance(results, changes)}\n` };
}

const bodies: Readonly<Record<string, (results: Results) => Promise<Section>>> = {
  model: async (results) => {
    const [H, W] = results.input!;
    const plot = await figure("performance-model", `milliseconds at ${H} x ${W}, logarithmic`, (options) =>
      bars(timeBars(results.results), { ...options, log: true }),
    );
    return {
      markdown: [
        `## The whole network\n\nSA-UNetv2 on one photograph of ${H} x ${W}, from floats to probabilities, the same weights for`,
        "everybody. Each contender runs in a process of its own; they take turns, and the outputs are compared with",
        "those of the plain TypeScript engine before anything is timed. GFLOP/s are counted from the sizes.",
        `\n${plot.markdown}\n\n${timeTable(results)}\n\n${ratioTable(results)}`,
      ].join("\n"),
      plots: plot.plots,
    };
  },
  train: async (results) => {
    const [H, W] = results.input!;
    const plot = await figure(
      "performance-train",
      `milliseconds a step at ${H} x ${W}, logarithmic`,
      (options) => bars(timeBars(results.results), { ...options, log: true }),
    );
    return {
      markdown: [
        `## A step of training\n\nForward, backward and Adam on one photograph of ${H} x ${W} with the paper's loss, without DropBlock, which`,
        "every library would draw differently. The losses of the first two steps are compared: the second has the",
        `gradients behind it.\n\n${plot.markdown}\n\n${timeTable(results)}\n\n${ratioTable(results)}`,
      ].join("\n"),
      plots: plot.plots,
    };
  },
  sizes: async (results) => {
    const rows = results.results.filter(isMeasured);
    const points = (value: (row: Measured) => number): Point[] =>
      rows
        .filter(({ name }) => name !== "saunet-typescript")
        .map((row) => ({ line: label(row), x: Number(row.shape!.split("x")[0]) ** 2 / 1e6, y: value(row) }));
    const time = await figure("performance-sizes", "milliseconds", (options) =>
      lines(
        points(({ median_ms }) => median_ms),
        { ...options, x: "million pixels", y: "milliseconds" },
      ),
    );
    const memory = await figure("performance-memory", "peak memory", (options) =>
      lines(
        points(({ peak_rss_mb }) => peak_rss_mb!),
        { ...options, x: "million pixels", y: "peak memory of the process, MB" },
      ),
    );
    return {
      markdown: [
        "## Time and memory against the size of the photograph\n\nPeak memory is that of the whole process, Node included.",
        `\n${time.markdown}\n\n${memory.markdown}\n\n${timeTable(results)}`,
      ].join("\n"),
      plots: { ...time.plots, ...memory.plots },
    };
  },
  layers: async (results) => {
    const rows = results.results.filter(isMeasured).filter(({ gflops }) => gflops !== undefined);
    const [H, W] = results.input!;
    const { simd, relaxedSimd } = results.machine.peak_gflops;
    const peak = Math.max(simd, relaxedSimd ?? 0);
    const accelerated = rows.filter(({ name }) => name.endsWith("accelerated"));
    const shown = (accelerated.length > 0 ? accelerated : rows).map((row): Bar => {
      return { label: row.shape!, value: row.gflops!, ours: true };
    });
    const plot = await figure(
      "performance-layers",
      `GFLOP/s at ${H} x ${W}; dashed: one core's SIMD peak`,
      (options) => bars(shown, { ...options, peak }),
    );
    return {
      markdown: [
        `## Layers\n\nEvery convolution of one forward pass at ${H} x ${W}, each alone, on ${threadsOf(results)}. FLOPs are counted from the`,
        "sizes, so an algorithm that needs fewer multiplications can pass the peak, which is measured in the same",
        `process with multiplications and additions in registers.\n\n${plot.markdown}\n\n<details><summary>All kernel calls</summary>\n\n${timeTable(results)}\n\n</details>`,
      ].join("\n"),
      plots: plot.plots,
    };
  },
  winograd: async ({ results }) => {
    const rows = results
      .filter(isMeasured)
      .map(
        ({ name, threads, median_ms, f1, max_abs_diff, max_f1_diff }) =>
          `| ${name} | ${threads} | ${median_ms} | ${max_abs_diff?.toExponential(1)} | ${f1?.toFixed(6)} | ${max_f1_diff?.toExponential(1)} |`,
      );
    return {
      markdown: [
        "## What Winograd's rounding does to the trained network\n\nThe bundled weights on the test photographs of CHASE_DB1, with the",
        "algorithm that the convolutions keep to (`accelerate({ convolutions })`); changes are the largest of any pixel and of",
        "any photograph against direct products, F1 the mean inside the field of view at 0.5.\n",
        "| convolutions | threads | median ms | largest change of a probability | mean F1 | largest change of an F1 |",
        "|---|--:|--:|--:|--:|--:|",
        ...rows,
      ].join("\n"),
      plots: {},
    };
  },
  lab: async (results) => {
    const shapes = [...new Set(results.results.map(({ shape }) => shape!))];
    const [first] = shapes;
    const rows = results.results.filter(isMeasured).filter(({ shape }) => shape === first);
    const plot = await figure("performance-lab", `GFLOP/s on ${first}, logarithmic`, (options) =>
      bars(
        rows.map(({ name, gflops }) => ({ label: name, value: gflops!, ours: name.includes("wasm") })),
        { ...options, log: true },
      ),
    );
    return {
      markdown: [
        "## The laboratory\n\nThe same convolution, from seven loops to the winner; each file in [bench/lab](../bench/lab) says what it does and",
        `why it is faster. One thread.\n\n${plot.markdown}\n\n${timeTable(results)}`,
      ].join("\n"),
      plots: plot.plots,
    };
  },
};

const label = ({ name, threads }: Row): string => `${name}, ${threads} thread${threads === 1 ? "" : "s"}`;

const isOurs = ({ name }: Row): boolean => name.startsWith("saunet");

const timeBars = (rows: readonly Row[]): Bar[] =>
  rows
    .filter(isMeasured)
    .sort((a, b) => a.median_ms - b.median_ms)
    .map((row) => ({ label: label(row), value: row.median_ms, ours: isOurs(row) }));

const threadsOf = ({ results }: Results): string => {
  const threads = Math.max(...results.map((row) => row.threads));
  return threads === 1 ? "one thread" : `${threads} threads (TypeScript: one)`;
};

/** A plot in both themes, and the HTML that shows the right one. */
async function figure(
  name: string,
  title: string,
  draw: (options: { title: string; theme: Theme }) => Promise<string>,
): Promise<Section> {
  const plots: Plots = {};
  for (const theme of THEMES) plots[`${name}-${theme}.svg`] = await draw({ title, theme });
  const markdown =
    `<picture><source media="(prefers-color-scheme: dark)" srcset="${name}-dark.svg">` +
    `<img src="${name}-light.svg" alt="${title}"></picture>`;
  return { markdown, plots };
}

function timeTable({ results }: Results): string {
  const has = (key: keyof Measured) => results.some((row) => isMeasured(row) && row[key] !== undefined);
  const columns: [string, (row: Measured) => string][] = [
    ["median ms", ({ median_ms }) => String(median_ms)],
    ["± MAD", ({ mad_ms }) => String(mad_ms)],
    ["min ms", ({ min_ms }) => String(min_ms)],
    ["runs", ({ runs }) => String(runs)],
    ...(has("gflops")
      ? [
          ["GFLOP/s", ({ gflops }: Measured) => gflops?.toFixed(1) ?? ""] as [
            string,
            (row: Measured) => string,
          ],
        ]
      : []),
    ...(has("share_of_peak")
      ? [
          [
            "of peak",
            ({ share_of_peak }: Measured) =>
              share_of_peak === undefined ? "" : `${Math.round(100 * share_of_peak)} %`,
          ] as [string, (row: Measured) => string],
        ]
      : []),
    ...(has("peak_rss_mb")
      ? [
          ["peak MB", ({ peak_rss_mb }: Measured) => String(peak_rss_mb ?? "")] as [
            string,
            (row: Measured) => string,
          ],
        ]
      : []),
    ...(has("max_abs_diff")
      ? [
          ["max diff", ({ max_abs_diff }: Measured) => max_abs_diff?.toExponential(1) ?? "reference"] as [
            string,
            (row: Measured) => string,
          ],
        ]
      : []),
  ];
  const withShape = results.some(({ shape }) => shape !== undefined);
  const subject = (row: Row) => `| ${withShape ? `${row.shape} | ` : ""}${row.name} | ${row.threads} |`;
  const head = `| ${withShape ? "shape | " : ""}name | threads | ${columns.map(([title]) => title).join(" | ")} |`;
  const rule = `|${withShape ? "---|" : ""}---|--:|${columns.map(() => "--:").join("|")}|`;
  const lines_ = results.map((row) => {
    if (!isMeasured(row))
      return `${subject(row)} ${row.status}: ${row.reason} |${" |".repeat(columns.length - 1)}`;
    return `${subject(row)} ${columns.map(([, cell]) => cell(row)).join(" | ")} |`;
  });
  return [head, rule, ...lines_].join("\n");
}

function ratioTable({ ratios = {} }: Results): string {
  const rows = Object.entries(ratios).map(([name, ratio]) => `| ${name} | ${ratio} |`);
  if (rows.length === 0) return "";
  const head =
    "Time of a peer divided by ours on the same number of threads; above 1, ours is the shorter:\n";
  return [head, "| peer/threads | peer / ours |", "|---|--:|", ...rows].join("\n");
}

function provenance({ machine, command, about }: Results, changes: number | undefined): string {
  const { cpu, cores, memory_gb, os, node, v8, flags, date, commit, peak_gflops } = machine;
  const { typescript, simd, relaxedSimd } = peak_gflops;
  const fused = relaxedSimd === null ? "fused not measured" : `${relaxedSimd} fused`;
  const age =
    changes === undefined
      ? "The commit is not in this repository."
      : `The engine changed in ${changes} commits between these figures and this page.`;
  return (
    `\n\`${command}\`, ${date.slice(0, 10)}, commit ${commit}: ${cpu}, ${cores} cores, ${memory_gb} GB, ${os}, Node ${node.slice(1)}, V8 ${v8}` +
    `${flags === "" ? "" : `, ${flags}`}. Peak of one core: ${typescript} GFLOP/s in TypeScript, ${simd} in SIMD, ${fused}.` +
    `${about === undefined ? "" : ` Of ${about}.`}${changes === 0 ? "" : ` ${age}`}\n`
  );
}

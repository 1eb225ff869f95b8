// docs/performance.md, from result files alone: nothing in it is typed by hand.

import { OURS } from "../names.ts";
import { isMeasured, precise } from "../rows.ts";
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
        "every library would draw differently. The losses of the first two steps are compared, and the gradient of every",
        `parameter.\n\n${plot.markdown}\n\n${timeTable(results)}\n\n${ratioTable(results)}`,
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
  matmul: async (results) => ({
    markdown: [
      "## Products of matrices\n\nA number is a square matrix; three are rows, the axis that is summed over and columns; four begin with the",
      "batch. From factors in the contender's own tensors to floats that JavaScript can read; peers as their time divided by",
      `ours.\n\n${productTable(results)}\n\n<details><summary>All times</summary>\n\n${timeTable(results)}\n\n</details>`,
    ].join("\n"),
    plots: {},
  }),
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

/** A column, and its cell where a row has one. */
type Column = readonly [title: string, cell: (row: Measured) => string | undefined];

const COLUMNS: readonly Column[] = [
  ["median ms", ({ median_ms, settled }) => `${median_ms}${settled === false ? "~" : ""}`],
  ["95 % interval", (row) => intervalOf(row)],
  ["± MAD", (row) => (intervalOf(row) === undefined ? String(row.mad_ms) : undefined)],
  ["min ms", ({ min_ms }) => String(min_ms)],
  ["runs", ({ runs }) => String(runs)],
  ["GFLOP/s", ({ gflops }) => gflops?.toFixed(1)],
  [
    "of peak",
    ({ share_of_peak }) => (share_of_peak === undefined ? undefined : `${Math.round(100 * share_of_peak)} %`),
  ],
  ["peak MB", ({ peak_rss_mb }) => peak_rss_mb?.toString()],
  ["max diff", ({ max_abs_diff }) => (max_abs_diff === null ? "reference" : max_abs_diff?.toExponential(1))],
];

/** That of the medians of several processes; of one process alone it says nothing about another. */
function intervalOf({ low_ms, high_ms, processes = [] }: Measured): string | undefined {
  return processes.length > 1 ? `${precise(low_ms!)} to ${precise(high_ms!)}` : undefined;
}

function timeTable({ results }: Results): string {
  const measured = results.filter(isMeasured);
  const columns = COLUMNS.filter(([, cell]) => measured.some((row) => cell(row)));
  const withShape = results.some(({ shape }) => shape !== undefined);
  const nameOf = (row: Row) => [row.name, ...(isMeasured(row) ? [row.version ?? []] : [])].flat().join(" ");
  const subject = (row: Row) => `| ${withShape ? `${row.shape} | ` : ""}${nameOf(row)} | ${row.threads} |`;
  const head = `| ${withShape ? "shape | " : ""}name | threads | ${columns.map(([title]) => title).join(" | ")} |`;
  const rule = `|${withShape ? "---|" : ""}---|--:|${columns.map(() => "--:").join("|")}|`;
  const lines_ = results.map((row) => {
    if (!isMeasured(row))
      return `${subject(row)} ${row.status}: ${row.reason} |${" |".repeat(columns.length - 1)}`;
    return `${subject(row)} ${columns.map(([, cell]) => cell(row) ?? "").join(" | ")} |`;
  });
  return [head, rule, ...lines_].join("\n");
}

/** A line a product and number of threads: ours, and the peers beside it. */
function productTable({ results }: Results): string {
  const measured = results.filter(isMeasured);
  const peers = [...new Set(measured.filter((row) => !isOurs(row)).map(({ name }) => name))];
  const lines_ = measured
    .filter(({ name }) => name === OURS)
    .map((ours) => {
      const beside = peers.map((name) => {
        const peer = measured.find(
          (row) => row.name === name && row.threads === ours.threads && row.shape === ours.shape,
        );
        return peer === undefined ? "" : precise(peer.median_ms / ours.median_ms);
      });
      const { shape, threads, median_ms, gflops } = ours;
      return `| ${[shape, threads, median_ms, gflops, ...beside].join(" | ")} |`;
    });
  const head = `| product | threads | ${OURS}, ms | GFLOP/s | ${peers.join(" | ")} |`;
  return [head, `|---|${"--:|".repeat(3 + peers.length)}`, ...lines_].join("\n");
}

function ratioTable({ ratios = {} }: Results): string {
  const rows = Object.entries(ratios).map(([name, ratio]) => `| ${name} | ${ratio} |`);
  if (rows.length === 0) return "";
  const head =
    "Time of a peer divided by ours on the same number of threads; above 1, ours is the shorter:\n";
  return [head, "| peer/threads | peer / ours |", "|---|--:|", ...rows].join("\n");
}

/** How much stands behind a median. */
function repetitionsOf({ repetitions = 1, minutes = 0 }: Results): string {
  if (repetitions === 1) return "one process";
  return `${repetitions} processes of each${minutes > 0 ? `, over ${minutes} minutes` : ""}`;
}

function provenance(results: Results, changes: number | undefined): string {
  const { machine, command, about } = results;
  const { cpu, cores, memory_gb, os, node, v8, flags, date, commit, peak_gflops } = machine;
  const { typescript, simd, relaxedSimd } = peak_gflops;
  const fused = relaxedSimd === null ? "fused not measured" : `${relaxedSimd} fused`;
  const age =
    changes === undefined
      ? "The commit is not in this repository."
      : `The engine changed in ${changes} commits between these figures and this page.`;
  return (
    `\n\`${command}\`, ${date.slice(0, 10)}, ${repetitionsOf(results)}, commit ${commit}: ${cpu}, ${cores} cores, ${memory_gb} GB, ${os}, Node ${node.slice(1)}, V8 ${v8}` +
    `${flags === "" ? "" : `, ${flags}`}. Peak of one core: ${typescript} GFLOP/s in TypeScript, ${simd} in SIMD, ${fused}.` +
    `${about === undefined ? "" : ` Of ${about}.`}${changes === 0 ? "" : ` ${age}`}\n`
  );
}

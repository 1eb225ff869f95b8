// `pnpm bench page`: result files as one HTML document that needs nothing else: tables to sort and filter, rooflines, and any two
// files of one bench against each other.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Comparison, compare } from "../compare.ts";
import { VERDICTS } from "../comparison.ts";
import { BENCH } from "../paths.ts";
import { isMeasured } from "../rows.ts";
import type { MachineRecord, Measured, Results, Row } from "../schema.ts";
import { embedded, escaped } from "./html.ts";
import { roofline } from "./roofline.ts";
import { warming } from "./warming.ts";

/** A result file and what it is called. */
export interface NamedResults {
  readonly name: string;
  readonly results: Results;
}

/** What goes into the document as it is. */
const own = (name: string): string => readFileSync(join(BENCH, "page", name), "utf8");

/** A column: its title, what it sorts by, and what it shows. */
interface Column<R> {
  readonly title: string;
  readonly value: (row: R) => number | string | undefined;
  readonly show?: (value: number) => string;
}

const short = (value: number): string => String(Number(value.toPrecision(4)));
const percent = (value: number): string => `${Math.round(100 * value)} %`;

/** Of every row. */
const SUBJECT: readonly Column<Row>[] = [
  { title: "what", value: ({ shape }) => shape },
  { title: "who", value: ({ name }) => name },
  { title: "threads", value: ({ threads }) => threads },
];

const MEDIAN = "median ms";

/** Of what was measured. */
const FIGURES: readonly Column<Measured>[] = [
  { title: MEDIAN, value: ({ median_ms }) => median_ms },
  { title: "95 % from", value: ({ low_ms }) => low_ms },
  { title: "to", value: ({ high_ms }) => high_ms },
  { title: "GFLOP/s", value: ({ gflops }) => gflops },
  { title: "of peak", value: ({ share_of_peak }) => share_of_peak, show: percent },
  { title: "of roof", value: ({ share_of_roof }) => share_of_roof, show: percent },
  { title: "first ms", value: ({ first_ms }) => first_ms },
  { title: "peak MB", value: ({ peak_rss_mb }) => peak_rss_mb },
  { title: "F1", value: ({ f1 }) => f1, show: (value) => value.toFixed(6) },
  {
    title: "largest difference",
    value: ({ max_abs_diff }) => max_abs_diff ?? undefined,
    show: (value) => value.toExponential(1),
  },
  { title: "runs", value: ({ runs }) => runs },
];

/** Those in which any of the rows has something. */
const inUse = <R>(columns: readonly Column<R>[], rows: readonly R[]): Column<R>[] =>
  columns.filter(({ value }) => rows.some((row) => value(row) !== undefined));

function cellOf<R>({ value, show = short }: Column<R>, row: R, note = ""): string {
  const found = value(row);
  if (found === undefined) return "<td></td>";
  if (typeof found === "string")
    return `<td class="word" data-value="${escaped(found)}">${escaped(found)}</td>`;
  return `<td data-value="${found}">${show(found)}${note}</td>`;
}

function tableOf(rows: readonly Row[]): string {
  const [subject, figures] = [inUse(SUBJECT, rows), inUse(FIGURES, rows.filter(isMeasured))];
  const head = [...subject, ...figures].map(
    ({ title }) => `<th scope="col"><button type="button">${title}</button></th>`,
  );
  const body = rows.map((row, number) => {
    const cells = subject.map((column) => cellOf(column, row));
    const rest = isMeasured(row)
      ? figures.map((column) => cellOf(column, row, column.title === MEDIAN ? noteOf(row) : ""))
      : [
          `<td class="word bad" colspan="${Math.max(1, figures.length)}">${row.status}: ${escaped(row.reason)}</td>`,
        ];
    return `<tr data-row="${number}">${[...cells, ...rest].join("")}</tr>`;
  });
  return `<div class="scroll"><table><thead><tr>${head.join("")}</tr></thead><tbody>${body.join("\n")}</tbody></table></div>`;
}

/** A time that had not settled is marked, as in the terminal. */
const noteOf = ({ settled }: Measured): string =>
  settled === false ? '<abbr title="its time still moved when it was taken">~</abbr>' : "";

const rateOf = ([level, rate]: [string, number]): string =>
  `${level === "memory" ? level : level.toUpperCase()} ${short(rate)}`;

function machineOf({
  date,
  cpu,
  cores,
  memory_gb,
  os,
  node,
  flags,
  peak_gflops,
  bandwidth_gbs,
  commit,
}: MachineRecord): string {
  const peaks = [peak_gflops.typescript, peak_gflops.simd, peak_gflops.relaxedSimd]
    .filter((peak) => peak !== null)
    .map(short);
  const facts: [string, string][] = [
    ["measured", date.slice(0, 16).replace("T", " ")],
    ["processor", `${cpu}, ${cores} cores, ${short(memory_gb)} GB, ${os}`],
    ["host", `${node}${flags === "" ? "" : ` ${flags}`}`],
    ["commit", commit],
    [
      "peak of a core",
      `${peaks.join(" / ")} GFLOP/s (one double, four floats${peaks.length > 2 ? ", four fused" : ""})`,
    ],
    ...(bandwidth_gbs === undefined
      ? []
      : [
          ["bandwidth of a core", `${Object.entries(bandwidth_gbs).map(rateOf).join(", ")} GB/s`] as [
            string,
            string,
          ],
        ]),
  ];
  return `<dl>${facts.map(([name, value]) => `<div><dt>${name}</dt><dd>${escaped(value)}</dd></div>`).join("")}</dl>`;
}

function sectionOf({ name, results }: NamedResults, number: number): string {
  const plot = roofline(results);
  const courses = warming(results);
  const { bench, command, about, input, ratios } = results;
  const against = Object.entries(ratios ?? {}).map(
    ([peer, ratio]) => `<li>${escaped(peer)}: <b>${ratio.toFixed(2)}</b></li>`,
  );
  return `<section id="file-${number}" data-file="${number}">
<h2>${escaped(name)} <small>${escaped(bench)}${input === undefined ? "" : `, ${input.join(" x ")}`}</small></h2>
<p><code>${escaped(command)}</code>${about === undefined ? "" : ` ${escaped(about)}`}${results.interrupted ? " <b>Interrupted: rows are missing.</b>" : ""}</p>
<details><summary>The machine</summary>${machineOf(results.machine)}</details>
${against.length === 0 ? "" : `<p>A peer's median over ours on as many threads; above 1 we are faster:</p><ul class="ratios">${against.join("")}</ul>`}
<label class="filter">Filter <input type="search" placeholder="words, all of which a row must have"></label> <span class="count" role="status"></span>
${tableOf(results.results)}
${plot === undefined ? "" : `<figure>${plot}<figcaption>Each row under what the machine allows. Point at a dot for its name. What fits into a cache can pass the bandwidth of memory; Winograd's algorithms, whose products are counted as if all were made, can pass the peak.</figcaption></figure>`}
${courses === undefined ? "" : `<details><summary>Warming up</summary><figure>${courses}<figcaption>Each row's first process, run by run. The runs before the median has settled are the warm-up, and count for nothing else.</figcaption></figure></details>`}
</section>`;
}

/** Every ordered pair of files of one bench that have a row in common. */
function comparisonsOf(files: readonly NamedResults[]): (Comparison & { before: number; after: number })[] {
  return files.flatMap((one, before) =>
    files.flatMap((other, after) => {
      if (before === after || one.results.bench !== other.results.bench) return [];
      const found = compare(one.results, other.results);
      return found.changes.length === 0 ? [] : [{ ...found, before, after }];
    }),
  );
}

/**
 * The document.
 *
 * @example
 * // writeFileSync("bench.html", resultPage([{ name: "before", results: readResults("before.json") }]));
 */
export function resultPage(files: readonly NamedResults[]): string {
  const comparisons = comparisonsOf(files);
  const names = files.map(({ name }) => name);
  const links = names.map((name, number) => `<a href="#file-${number}">${escaped(name)}</a>`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Benchmarks: ${escaped(names.join(", "))}</title>
<style>
${own("style.css")}</style>
</head>
<body>
<main>
<h1>Benchmarks</h1>
<nav aria-label="Result files">${links.join(" ")}${comparisons.length > 0 ? ' <a href="#compare">Compare two</a>' : ""}</nav>
${files.map(sectionOf).join("\n")}
${comparisons.length > 0 ? '<section id="compare"><h2>Compare two</h2><p><label>Before <select id="before"></select></label> <label>After <select id="after"></select></label></p><div id="comparison"></div></section>' : ""}
</main>
<script type="application/json" id="data">${embedded({ names, comparisons, verdicts: VERDICTS })}</script>
<script>
${own("client.js")}</script>
</body>
</html>
`;
}

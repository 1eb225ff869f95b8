// How a row gets warm: each run of its first process, as many times its median. The first runs are what a compiler, a cache
// and a processor's clock cost whoever runs something once. Both axes are logarithmic.

import { scaleLog } from "d3-scale";
import { isOurs } from "../names.ts";
import { isMeasured, labelOf } from "../rows.ts";
import type { Results } from "../schema.ts";
import { escaped } from "./html.ts";
import { gridOf, HEIGHT, MARGIN, WIDTH } from "./plot.ts";

/** A row as a line. */
export interface WarmingLine {
  /** Number of the row in its file. */
  readonly row: number;
  readonly label: string;
  /** Each run over the row's median, in their order. */
  readonly runs: readonly number[];
  readonly isOurs: boolean;
}

/** More runs than this say nothing new. */
const MOST_RUNS = 100;

/** The rows whose warm-up was kept. */
export function warmingOf({ results }: Results): WarmingLine[] {
  return results.flatMap((row, number) => {
    if (!isMeasured(row) || row.median_ms === 0) return [];
    const { warmup_ms = [], samples_ms = [] } = row.processes?.[0] ?? {};
    const runs = [...warmup_ms, ...samples_ms].slice(0, MOST_RUNS).map((ms) => ms / row.median_ms);
    if (warmup_ms.length === 0 || runs.some((run) => run <= 0)) return [];
    return [{ row: number, label: labelOf(row), runs, isOurs: isOurs(row.name) }];
  });
}

/** The plot of a result file; `undefined` where no warm-up was kept. Lines carry `data-row`, as the roofline's points do. */
export function warming(results: Results): string | undefined {
  const lines = warmingOf(results);
  if (lines.length === 0) return undefined;
  const all = lines.flatMap(({ runs }) => runs);
  const x = scaleLog()
    .domain([1, Math.max(2, ...lines.map(({ runs }) => runs.length))])
    .range([MARGIN.left, WIDTH - MARGIN.right]);
  const y = scaleLog()
    .domain([Math.min(0.8, ...all), Math.max(2, ...all)])
    .range([HEIGHT - MARGIN.bottom, MARGIN.top]);
  const drawn = lines.map(({ row, label, runs, isOurs }) => {
    const points = runs.map((run, i) => `${x(i + 1).toFixed(1)} ${y(run).toFixed(1)}`);
    return `<path class="course ${isOurs ? "ours" : "other"}" data-row="${row}" d="M${points.join("L")}"><title>${escaped(label)}: the first run takes ${runs[0].toFixed(1)} times the median</title></path>`;
  });
  return `<svg class="plot" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Warm-up: the first runs of ${lines.length} rows, as many times their medians">
${gridOf(x, y, { x: "run of the first process", y: "times the median" })}
${drawn.join("\n")}
</svg>`;
}

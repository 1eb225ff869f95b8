// A line chart as SVG. Its colours are the page's custom properties, so one drawing serves light and dark pages. d3 knows
// where ticks belong and how a path is written; the rest is a few lines of markup.

import { type ScaleContinuousNumeric, scaleLinear, scaleLog } from "d3-scale";
import { area, line } from "d3-shape";
import { html, type Markup } from "./html.ts";

/** A place on a chart. */
export type Point = readonly [x: number, y: number];

/** What is drawn. */
export interface Chart {
  readonly title: string;
  readonly x: string;
  readonly lines: readonly {
    readonly name: string;
    readonly points: readonly Point[];
    readonly dots?: boolean;
  }[];
  /** Lowest and highest value around a line, such as those of the steps that a mean is of. */
  readonly band?: readonly (readonly [x: number, low: number, high: number])[];
  /** A value worth a rule across the chart. */
  readonly rule?: { readonly y: number; readonly label: string };
  /** A logarithmic y axis. */
  readonly log?: boolean;
}

// Small enough that a phone shows its text at nearly full size.
const [WIDTH, HEIGHT] = [400, 240];
const MARGIN = { left: 52, right: 18, top: 10, bottom: 36 };
const TICKS = 5;

/** Draws a chart; undefined where nothing can be drawn. */
export function drawChart({ title, x, lines, band = [], rule, log = false }: Chart): Markup | undefined {
  const isDrawable = ([at, value]: Point) =>
    Number.isFinite(at) && Number.isFinite(value) && (!log || value > 0);
  const drawn = lines.map((one) => ({ ...one, points: one.points.filter(isDrawable) }));
  const points = drawn.flatMap((one) => one.points);
  if (points.length === 0) return undefined;
  const values = [
    ...points.map(([, value]) => value),
    ...band.flatMap(([, ...ends]) => ends),
    ...(rule ? [rule.y] : []),
  ];
  const toX = scaleLinear()
    .domain(extent(points.map(([at]) => at)))
    .range([MARGIN.left, WIDTH - MARGIN.right]);
  const toY = (log ? scaleLog() : scaleLinear())
    .domain(extent(values))
    .range([HEIGHT - MARGIN.bottom, MARGIN.top]);
  if (!log) toY.nice(TICKS);
  const path = line<Point>(
    ([at]) => toX(at),
    ([, value]) => toY(value),
  );
  const between = area<readonly [number, number, number]>(
    ([at]) => toX(at),
    ([, low]) => toY(low),
    ([, , high]) => toY(high),
  );
  return html`<figure class="chart">
<figcaption>${title}${legend(drawn)}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">
${axes(toX, toY, x, log)}
${band.length > 0 ? html`<path class="band" d="${between(band) ?? ""}"/>` : undefined}
${rule && html`<line class="rule" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${place(toY(rule.y))}" y2="${place(toY(rule.y))}"/><text class="note" x="${WIDTH - MARGIN.right}" y="${place(toY(rule.y) - 4)}" text-anchor="end">${rule.label}</text>`}
${drawn.map(({ points: ends, dots }, i) => html`<path class="line line-${i}" d="${path(ends) ?? ""}"/>${dots || ends.length === 1 ? ends.map(([at, value]) => html`<circle class="dot-${i}" cx="${place(toX(at))}" cy="${place(toY(value))}" r="2.5"/>`) : undefined}`)}
</svg></figure>`;
}

function legend(lines: Chart["lines"]): Markup | undefined {
  if (lines.length < 2) return undefined;
  return html` <span class="legend">${lines.map(({ name }, i) => html`<span class="key key-${i}"></span>${name} `)}</span>`;
}

function axes(
  toX: ScaleContinuousNumeric<number, number>,
  toY: ScaleContinuousNumeric<number, number>,
  x: string,
  log: boolean,
): Markup {
  const bottom = HEIGHT - MARGIN.bottom;
  const [toXText, toYText] = [toX.tickFormat(TICKS), toY.tickFormat(TICKS, log ? "~g" : undefined)];
  const xTicks = toX.ticks(TICKS);
  // A logarithmic scale has ticks without a text in between.
  const yTicks = toY.ticks(TICKS).filter((tick) => toYText(tick) !== "");
  return html`${yTicks.map((tick) => html`<line class="grid" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${place(toY(tick))}" y2="${place(toY(tick))}"/><text x="${MARGIN.left - 6}" y="${place(toY(tick) + 4)}" text-anchor="end">${toYText(tick)}</text>`)}
<line class="axis" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${bottom}" y2="${bottom}"/>
${xTicks.map((tick) => html`<text x="${place(toX(tick))}" y="${bottom + 15}" text-anchor="middle">${toXText(tick)}</text>`)}
<text x="${(MARGIN.left + WIDTH - MARGIN.right) / 2}" y="${HEIGHT - 4}" text-anchor="middle">${x}</text>`;
}

/** Lowest and highest, kept apart where they are one. */
function extent(values: readonly number[]): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  return low === high ? [low - Math.abs(low || 1) / 2, high + Math.abs(high || 1) / 2] : [low, high];
}

const place = (value: number): string => value.toFixed(1);

/** Bins that a line may have: more points than pixels only make the file larger. */
const BINS = 300;

/** Mean, lowest and highest value in each of at most 300 equal stretches. */
export function binned(points: readonly Point[]): {
  mean: Point[];
  band: [x: number, low: number, high: number][];
} {
  const perBin = Math.max(1, Math.ceil(points.length / BINS));
  const mean: Point[] = [];
  const band: [number, number, number][] = [];
  for (let start = 0; start < points.length; start += perBin) {
    const bin = points.slice(start, start + perBin);
    const values = bin.map(([, value]) => value).filter((value) => Number.isFinite(value));
    if (values.length === 0) continue;
    const [at] = bin[bin.length - 1];
    mean.push([at, values.reduce((sum, value) => sum + value, 0) / values.length]);
    band.push([at, Math.min(...values), Math.max(...values)]);
  }
  return { mean, band };
}

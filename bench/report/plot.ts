// Plots as SVG, for light and for dark pages, drawn by Vega.

import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";

/** Which page a plot is for. */
export type Theme = "light" | "dark";

const COLOURS = {
  light: { text: "#1f2328", faint: "#d1d9e0", ours: "#0969da", others: "#8c959f", peak: "#cf222e" },
  dark: { text: "#e6edf3", faint: "#3d444d", ours: "#4493f8", others: "#7d8590", peak: "#f85149" },
} as const;

const WIDTH = 560;
const BAR = 20;

/** One bar. */
export interface Bar {
  readonly label: string;
  readonly value: number;
  readonly ours: boolean;
}

/** One point of a line. */
export interface Point {
  readonly line: string;
  readonly x: number;
  readonly y: number;
}

/** Horizontal bars, in the given order, ours in colour; `peak` is a line across them. */
export function bars(
  rows: readonly Bar[],
  { title, theme, log = false, peak }: { title: string; theme: Theme; log?: boolean; peak?: number },
): Promise<string> {
  const { ours, others, text, peak: red } = COLOURS[theme];
  const y = { field: "label", type: "nominal", sort: null, title: null } as const;
  // A logarithmic axis has no zero for its bars to begin at: they begin at half of the shortest.
  const start = log ? Math.min(...rows.map(({ value }) => value)) / 2 : 0;
  const scale = log ? { type: "log" as const, domainMin: start, nice: false } : { zero: true };
  const colour = { condition: { test: "datum.ours", value: ours }, value: others };
  const x = { field: "value", type: "quantitative", title, scale, stack: null } as const;
  const x2 = { datum: start };
  return render(theme, {
    width: WIDTH,
    height: { step: BAR },
    layer: [
      {
        data: { values: [...rows] },
        mark: { type: "bar", height: 13 },
        encoding: { x, x2, y, color: colour },
      },
      {
        data: { values: rows.map((row) => ({ ...row, shown: shortened(row.value) })) },
        mark: { type: "text", align: "left", dx: 4, color: text },
        encoding: { x, y, text: { field: "shown" } },
      },
      ...(peak === undefined
        ? []
        : [
            {
              data: { values: [{ peak }] },
              mark: { type: "rule" as const, color: red, strokeDash: [4, 3] },
              encoding: { x: { field: "peak", type: "quantitative" as const } },
            },
          ]),
    ],
  });
}

/** Lines with their points, a colour each. */
export function lines(
  points: readonly Point[],
  { x, y, theme }: { x: string; y: string; theme: Theme },
): Promise<string> {
  return render(theme, {
    width: WIDTH,
    height: 260,
    data: { values: [...points] },
    mark: { type: "line", point: true },
    encoding: {
      x: { field: "x", type: "quantitative", title: x, scale: { zero: false } },
      y: { field: "y", type: "quantitative", title: y },
      color: { field: "line", type: "nominal", title: null, sort: null },
    },
  });
}

const shortened = (value: number): string => String(Number(value.toPrecision(3)));

async function render(theme: Theme, spec: object): Promise<string> {
  const { text, faint } = COLOURS[theme];
  const themed = {
    ...spec,
    background: null,
    config: {
      font: "system-ui, sans-serif",
      view: { stroke: null },
      axis: {
        labelColor: text,
        titleColor: text,
        gridColor: faint,
        domainColor: faint,
        tickColor: faint,
        labelLimit: 0,
      },
      legend: { labelLimit: 0, labelColor: text, orient: "bottom" },
      range: { category: { scheme: theme === "light" ? "tableau10" : "set2" } },
    },
  } as unknown as TopLevelSpec;
  const view = new View(parse(compile(themed).spec), { renderer: "none" });
  const svg = await view.toSVG();
  view.finalize();
  return `${svg}\n`;
}

// A curve that grows, as SVG: its colours are the page's, and drawing it never has the page wait for the graphics, as a
// canvas does where every core is busy.

import type { ReadonlySignal } from "@preact/signals";
import { scaleLinear } from "d3-scale";
import { line } from "d3-shape";

/** Points by step. */
export interface Curve {
  readonly steps: readonly number[];
  readonly values: readonly number[];
  /** Values to be drawn faintly behind them. */
  readonly faint?: readonly number[];
}

// The width is stretched to the place there is; the height is that of the style sheet, in pixels.
const [WIDTH, HEIGHT] = [1000, 200];
const TICKS = 5;

/** Steps to the right, values upwards. */
export function Chart({ label, curve }: { label: string; curve: ReadonlySignal<Curve> }) {
  const { steps, values, faint = [] } = curve.value;
  // From 0 to 1, and further where values lie beyond.
  const most = Math.max(1, ...values, ...faint);
  const toX = scaleLinear([steps[0] ?? 0, steps.at(-1) ?? 1], [0, WIDTH]);
  const toY = scaleLinear([0, most], [HEIGHT, 0]);
  const path = line<number>((_, i) => toX(steps[i]), toY).digits(1);
  const columns = steps.length > 1 ? toX.ticks(TICKS).filter(Number.isInteger) : [];
  const rows = toY.ticks(TICKS);
  return (
    <div class="chart" role="img" aria-label={label}>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        {columns.map((step) => (
          <path key={`column ${step}`} class="grid" d={`M${toX(step)},0V${HEIGHT}`} />
        ))}
        {rows.map((value) => (
          <path key={`row ${value}`} class="grid" d={`M0,${toY(value)}H${WIDTH}`} />
        ))}
        <path class="faint" d={path(faint) ?? ""} />
        <path d={path(values) ?? ""} />
      </svg>
      {columns.map((step) => (
        <span key={`column ${step}`} class="column" style={{ left: `${(100 * toX(step)) / WIDTH}%` }}>
          {step}
        </span>
      ))}
      {rows.map((value) => (
        <span key={`row ${value}`} class="row" style={{ top: `${(100 * toY(value)) / HEIGHT}%` }}>
          {value}
        </span>
      ))}
    </div>
  );
}

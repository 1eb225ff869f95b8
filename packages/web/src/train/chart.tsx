// A curve that grows.

import { effect, type ReadonlySignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import UPlot, { type AlignedData, type Options } from "uplot";
import "uplot/dist/uPlot.min.css";
import { theme } from "../theme.ts";

const HEIGHT = 200;

/** Steps to the right, values upwards; a faint second curve where there is one. */
export function Chart({
  label,
  data,
}: {
  label: string;
  /** Steps, values, and perhaps values to be drawn faintly. */
  data: ReadonlySignal<AlignedData>;
}) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const root = place.current!;
    // A canvas knows nothing of the page's colours; the element it is drawn in does, through three of its properties.
    const colour = (property: "color" | "borderTopColor" | "outlineColor") => () =>
      getComputedStyle(root)[property];
    const axis = {
      stroke: colour("outlineColor"),
      grid: { stroke: colour("borderTopColor"), width: 1 },
      ticks: { show: false },
      font: "12px system-ui, sans-serif",
    };
    const options: Options = {
      width: root.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      cursor: { show: false },
      // From 0 to 1, and further where values lie beyond.
      scales: { x: { time: false }, y: { range: (_plot, _low, high) => [0, Math.max(1, high)] } },
      axes: [
        { ...axis, size: 28 },
        { ...axis, size: 44 },
      ],
      series: [
        {},
        { stroke: colour("color"), width: 2.5, points: { show: false } },
        { stroke: colour("color"), width: 1, alpha: 0.3, points: { show: false } },
      ].slice(0, data.peek().length),
    };
    const plot = new UPlot(options, data.peek(), root);
    let asked = 0;
    const stop = effect(() => {
      const { value: next } = data;
      cancelAnimationFrame(asked);
      asked = requestAnimationFrame(() => plot.setData(next));
    });
    const redraw = () => plot.redraw(false, true);
    const stopTheme = effect(() => {
      if (theme.value) requestAnimationFrame(redraw);
    });
    const system = matchMedia("(prefers-color-scheme: dark)");
    system.addEventListener("change", redraw);
    const observer = new ResizeObserver(() => {
      if (root.clientWidth > 0) plot.setSize({ width: root.clientWidth, height: HEIGHT });
    });
    observer.observe(root);
    return () => {
      stop();
      stopTheme();
      cancelAnimationFrame(asked);
      system.removeEventListener("change", redraw);
      observer.disconnect();
      plot.destroy();
    };
  }, []);
  return <div class="chart" ref={place} role="img" aria-label={label} />;
}

// The roofline (Williams, Waterman and Patterson, 2009): what a processor can do at most with so many operations for each byte
// that it moves. Below the ridge memory is the limit, above it arithmetic. Both axes are logarithmic.

import { scaleLog } from "d3-scale";
import { isOurs } from "../names.ts";
import { isMeasured } from "../rows.ts";
import type { MachineRecord, Measured, Results } from "../schema.ts";
import { escaped } from "./html.ts";
import { decimal, gridOf, HEIGHT, MARGIN, WIDTH } from "./plot.ts";

/** A row as a point. */
interface Point {
  /** Number of the row in its file. */
  readonly row: number;
  readonly label: string;
  /** FLOPs for each byte of operands and result. */
  readonly intensity: number;
  readonly gflops: number;
  readonly isOurs: boolean;
}

const hasPlace = (row: Measured): row is Measured & { flops: number; bytes: number } =>
  row.flops !== undefined && row.bytes !== undefined && row.bytes > 0 && row.median_ms > 0;

/** The rows that say how many FLOPs and bytes they are. */
export function pointsOf({ results }: Results): Point[] {
  return results.flatMap((row, number) => {
    if (!isMeasured(row) || !hasPlace(row)) return [];
    const { name, shape, threads, flops, bytes, median_ms } = row;
    const label = [shape, `${name}/${threads}`].filter((word) => word !== undefined).join(" ");
    const gflops = flops / median_ms / 1e6;
    return [{ row: number, label, intensity: flops / bytes, gflops, isOurs: isOurs(name) }];
  });
}

/** A limit, on so many threads. */
interface Roof {
  readonly label: string;
  readonly gflops: (intensity: number) => number;
}

/** Peaks are measured on one core; so many cores do so many times that. Memory is shared, and drawn for one core. */
function roofsOf({ peak_gflops, bandwidth_gbs }: MachineRecord, threads: number) {
  const fused = peak_gflops.relaxedSimd;
  // Some hosts fuse nothing although they have the instruction: one line for both.
  const isFaster = fused !== null && fused > 1.03 * peak_gflops.simd;
  const peaks: Roof[] = [
    ...(isFaster ? [{ label: "four floats fused", gflops: () => fused * threads }] : []),
    { label: "four floats", gflops: () => peak_gflops.simd * threads },
    { label: "one double", gflops: () => peak_gflops.typescript * threads },
  ];
  const levels = {
    L1: bandwidth_gbs?.l1,
    L2: bandwidth_gbs?.l2,
    L3: bandwidth_gbs?.l3,
    memory: bandwidth_gbs?.memory,
  };
  const bandwidths = Object.entries(levels).flatMap(([label, rate]): Roof[] =>
    rate === undefined
      ? []
      : [{ label: `${label} ${rate.toFixed(0)} GB/s`, gflops: (intensity) => rate * intensity }],
  );
  return { peaks, bandwidths };
}

/**
 * The plot of a result file; `undefined` where no row says what it computes and moves, or the machine's bandwidth is not known.
 *
 * Points carry `data-row`, the number of their row, so that the page can hide those that its filter leaves out.
 */
export function roofline(results: Results): string | undefined {
  const points = pointsOf(results);
  const { machine } = results;
  if (points.length === 0 || machine.bandwidth_gbs === undefined) return undefined;
  const threads = Math.max(...results.results.map((row) => row.threads));
  const { peaks, bandwidths } = roofsOf(machine, threads);
  const highest = Math.max(...peaks.map(({ gflops }) => gflops(1)), ...points.map(({ gflops }) => gflops));
  const lowest = Math.min(...points.map(({ gflops }) => gflops), peaks.at(-1)?.gflops(1) ?? highest);
  const reach = points.map(({ intensity }) => intensity);
  const slowest = machine.bandwidth_gbs.memory;
  const x = scaleLog()
    .domain([Math.min(...reach, lowest / slowest) / 1.5, Math.max(...reach, (2 * highest) / slowest) * 1.5])
    .range([MARGIN.left, WIDTH - MARGIN.right]);
  const y = scaleLog()
    .domain([lowest / 1.6, highest * 1.3])
    .range([HEIGHT - MARGIN.bottom, MARGIN.top]);
  const [left, right] = x.domain() as [number, number];
  const [bottom] = y.domain() as [number, number];

  const most = Math.max(...peaks.map(({ gflops }) => gflops(1)));
  const slopes = bandwidths.map(({ label, gflops }, number) => {
    const rate = gflops(1);
    // From the edge that it enters by to the roof above it.
    const from = Math.max(left, bottom / rate);
    const to = Math.min(right, most / rate);
    if (to <= from) return "";
    // Caches lie close to each other: their names stand one after the other along the lines.
    const at = from * (to / from) ** ((number + 1) / (bandwidths.length + 1));
    return `<path class="roof" d="M${x(from)} ${y(rate * from)}L${x(to)} ${y(rate * to)}"/><text class="name" transform="translate(${x(at)} ${y(rate * at) - 5}) rotate(${slopeOf(x, y)})" text-anchor="middle">${label}</text>`;
  });
  const ceilings = peaks.map(({ label, gflops }) => {
    const height = y(gflops(1));
    return `<path class="roof" d="M${x(Math.max(left, gflops(1) / Math.max(...bandwidths.map((roof) => roof.gflops(1)))))} ${height}H${x(right)}"/><text class="name" x="${x(right) + 6}" y="${height + 4}">${label}</text>`;
  });
  const dots = points.map(
    ({ row, label, intensity, gflops, isOurs }) =>
      `<circle class="dot ${isOurs ? "ours" : "other"}" data-row="${row}" cx="${x(intensity).toFixed(1)}" cy="${y(gflops).toFixed(1)}" r="4.5"><title>${escaped(label)}: ${decimal(gflops)} GFLOP/s at ${decimal(intensity)} FLOPs a byte</title></circle>`,
  );
  const about = `Roofline: GFLOP/s of ${points.length} rows over FLOPs for each byte, under the peaks of ${threads} ${threads === 1 ? "core" : "cores"} and the bandwidths of one`;
  return `<svg class="plot" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${about}">
${gridOf(x, y, { x: "FLOPs for each byte of operands and result", y: "GFLOP/s" })}
${slopes.join("")}${ceilings.join("")}
${dots.join("\n")}
</svg>`;
}

/** How steep a bandwidth is on paper, in degrees: one decade to the right is one decade up. */
function slopeOf(x: (value: number) => number, y: (value: number) => number): number {
  return (Math.atan2(y(10) - y(1), x(10) - x(1)) * 180) / Math.PI;
}

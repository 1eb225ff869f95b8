// Figures of single segments, and the angles at which they branch.

import type { Mask } from "../image.ts";
import {
  type Curve,
  chordOf,
  curvatureOf,
  isClosedCurve,
  lengthOf,
  SMOOTHING,
  smoothCurve,
} from "./curve.ts";
import type { VesselSegment } from "./graph.ts";
import type { TidyGraph } from "./tidy.ts";
import { FLARE, type FreePart, freePart, widthsAlong } from "./width.ts";

/** How a segment runs where neither a branch point nor an end bends its centre line. Lengths are in pixels. */
export interface Course {
  readonly length: number;
  /** Length over chord, 1 of a straight line (Hart and others' τ1 is this less 1). */
  readonly arcOverChord: number;
  /** Integral of the curvature's size, in radians (Hart and others' τ2). */
  readonly totalCurvature: number;
  /** Integral of the curvature's square, in radians squared per pixel (Hart and others' τ3). */
  readonly totalSquaredCurvature: number;
}

/** A piece of vessel between two branch points, or a branch point and an end. Lengths are in pixels. */
export interface MeasuredSegment {
  /** The centre line: column, row, column, row ... about a pixel apart. */
  readonly curve: Float64Array;
  /** Places among the branch points and ends; none of a closed line that meets no branch point. */
  readonly from?: number;
  readonly to?: number;
  readonly length: number;
  /** None where too little is left without its ends, and of closed lines. */
  readonly course?: Course;
  /** At each point of the centre line, in pixels; `NaN` near its ends and where an edge is not found. */
  readonly widths: Float64Array;
  /** The mean of its widths; none where it has none. */
  readonly width?: number;
}

/** A shorter line is all ends, which the smoothing leaves where they are: its curvature and chord say nothing. */
export const SHORTEST_COURSE = 3 * SMOOTHING;

/** Measures the segments of a graph. */
export function measureSegments(
  mask: Mask,
  distance: Float32Array,
  graph: TidyGraph,
): readonly MeasuredSegment[] {
  return graph.segments.map((segment) => measureSegment(mask, distance, segment));
}

function measureSegment(
  mask: Mask,
  distance: Float32Array,
  { path, from, to }: VesselSegment,
): MeasuredSegment {
  const curve = smoothCurve(path, mask.width);
  const isLoop = from === undefined || to === undefined;
  const free = freePart(mask, distance, curve);
  const widths = widthsAlong(mask, distance, curve, free);
  const found = widths.filter((width) => !Number.isNaN(width));
  const course = isClosedCurve(curve) ? undefined : courseOf(curve, free);
  return {
    ...{ curve, length: lengthOf(curve), widths },
    ...(!isLoop && { from, to }),
    ...(course && { course }),
    ...(found.length > 0 && { width: found.reduce((sum, width) => sum + width, 0) / found.length }),
  };
}

function courseOf(curve: Curve, { first, last }: FreePart): Course | undefined {
  const free = curve.subarray(2 * first, Math.max(2 * first, 2 * last + 2));
  const [length, chord] = free.length < 4 ? [0, 0] : [lengthOf(free), chordOf(free)];
  if (length < SHORTEST_COURSE || chord === 0) return undefined;
  const { total, totalSquared } = curvatureOf(free);
  return { length, arcOverChord: length / chord, totalCurvature: total, totalSquaredCurvature: totalSquared };
}

/** A direction is taken over so many times the radius of the vessel at the branch point, and at least so many pixels. */
const DIRECTION_RADII = 3;
const DIRECTION_PIXELS = 10;

/**
 * The angles between the two branches of each branch point of three segments, in degrees: of the three angles between its
 * segments the smallest. Directions are taken from where the branch point does not bend a segment any more. A branch point
 * with a segment too short for that has none.
 *
 * @param radii of the inscribed discs of all nodes, in pixels
 */
export function branchingAngles(
  segments: readonly MeasuredSegment[],
  nodes: number,
  radii: readonly number[],
): number[] {
  const directions: (number | undefined)[][] = Array.from({ length: nodes }, () => []);
  for (const { curve, from, to } of segments) {
    if (from === undefined || to === undefined) continue;
    directions[from].push(direction(curve, radii[from], false));
    directions[to].push(direction(curve, radii[to], true));
  }
  return directions.flatMap((around) => {
    const known = around.filter((angle) => angle !== undefined);
    if (around.length !== 3 || known.length !== 3) return [];
    const between = known.map((angle, i) => {
      const turn = Math.abs(angle - known[(i + 1) % 3]);
      return (180 / Math.PI) * Math.min(turn, 2 * Math.PI - turn);
    });
    return [Math.min(...between)];
  });
}

/** The direction in which a curve leaves one of its ends. */
function direction(curve: Curve, radius: number, isLast: boolean): number | undefined {
  const count = curve.length / 2;
  const start = Math.round(FLARE * radius);
  const end = start + Math.round(Math.max(DIRECTION_PIXELS, DIRECTION_RADII * radius));
  if (end >= count) return undefined;
  const [a, b] = isLast ? [count - 1 - start, count - 1 - end] : [start, end];
  return Math.atan2(curve[2 * b + 1] - curve[2 * a + 1], curve[2 * b] - curve[2 * a]);
}

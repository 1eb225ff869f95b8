// Rings around the optic disc, as the Atherosclerosis Risk in Communities study drew them (Hubbard and others, Ophthalmology
// 106(12), 1999): zone B from half a disc diameter to a whole one from the disc's margin, zone C to two.

import { expectBetween } from "@saunet/core/kernels";
import type { Mask } from "../image.ts";
import { lengthOf } from "./curve.ts";
import type { MeasuredSegment } from "./segments.ts";
import { type Distribution, distributionOf } from "./width.ts";

/** The optic disc: its centre and its radius, in pixels. */
export interface OpticDisc {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
}

/** The zones' inner and outer edges, in radii of the disc from its centre. */
export const ZONES = { b: [2, 3], c: [2, 5] } as const;

/** The name of a zone. */
export type ZoneName = keyof typeof ZONES;

/** What was measured in a zone. */
export interface ZoneFigures {
  /** The share of the ring that lies in the field of view; figures are of that share. */
  readonly visible: number;
  /** The share of the visible ring that is vessel. */
  readonly vesselDensity?: number;
  /** Length of centre lines by area, in 1/pixel. */
  readonly lengthDensity?: number;
  /** In pixels. */
  readonly width?: Distribution;
}

/** @throws RangeError where the centre lies outside of the picture, or the radius is not above 0 */
export function expectDisc(op: string, { x, y, radius }: OpticDisc, { width, height }: Mask): void {
  expectBetween(op, "disc x", x, 0, width - 1);
  expectBetween(op, "disc y", y, 0, height - 1);
  if (!(radius > 0 && radius < Number.POSITIVE_INFINITY)) {
    throw new RangeError(`${op}: disc radius must be above 0 but is ${radius}`);
  }
}

/** Whether a point lies in a zone. */
export function isInZone(disc: OpticDisc, zone: ZoneName, x: number, y: number): boolean {
  const radii = Math.hypot(x - disc.x, y - disc.y) / disc.radius;
  return radii >= ZONES[zone][0] && radii < ZONES[zone][1];
}

/** Measures what lies in a zone. */
export function measureZone(
  zone: ZoneName,
  disc: OpticDisc,
  vessels: Mask,
  field: Mask,
  segments: readonly MeasuredSegment[],
): ZoneFigures {
  const reach = Math.ceil(ZONES[zone][1] * disc.radius);
  const [left, top] = [Math.floor(disc.x) - reach, Math.floor(disc.y) - reach];
  let [ring, seen, marked] = [0, 0, 0];
  for (let y = top; y <= top + 2 * reach + 1; y++) {
    for (let x = left; x <= left + 2 * reach + 1; x++) {
      if (!isInZone(disc, zone, x, y)) continue;
      ring++;
      if (x < 0 || x >= field.width || y < 0 || y >= field.height) continue;
      const pixel = y * field.width + x;
      seen += field.data[pixel];
      marked += vessels.data[pixel];
    }
  }
  if (ring === 0 || seen === 0) return { visible: 0 };
  const parts = segments.map((segment) => partInZone(segment, disc, zone));
  const width = distributionOf(parts.flatMap(({ widths }) => widths));
  return {
    visible: seen / ring,
    vesselDensity: marked / seen,
    lengthDensity: parts.reduce((sum, { length }) => sum + length, 0) / seen,
    ...(width && { width }),
  };
}

/** What of a segment lies in a zone: its length, and the widths that could be measured. */
function partInZone({ curve, widths, length }: MeasuredSegment, disc: OpticDisc, zone: ZoneName) {
  const inside = Array.from(widths.keys()).filter((i) =>
    isInZone(disc, zone, curve[2 * i], curve[2 * i + 1]),
  );
  const known = inside.map((i) => widths[i]).filter((width) => !Number.isNaN(width));
  // Points are evenly apart.
  return { length: (length * inside.length) / widths.length, widths: known };
}

/** A vessel counts for the calibre where it runs through at least this share of zone B: the piece of a trunk before it branches. */
const LEAST_RUN = 1 / 2;

/** The mean widths of the vessels in zone B, the widest first, in pixels. */
export function calibresInZoneB(segments: readonly MeasuredSegment[], disc: OpticDisc): number[] {
  const least = LEAST_RUN * (ZONES.b[1] - ZONES.b[0]) * disc.radius;
  return segments
    .map((segment) => partInZone(segment, disc, "b"))
    .filter(({ length, widths }) => length >= least && widths.length > 0)
    .map(({ widths }) => widths.reduce((sum, width) => sum + width, 0) / widths.length)
    .sort((one, other) => other - one);
}

/** Length of all curves. */
export const totalLength = (curves: readonly Float64Array[]): number =>
  curves.reduce((sum, curve) => sum + lengthOf(curve), 0);

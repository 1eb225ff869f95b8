// Figures as named numbers with units, one row a mask: what a table of many photographs, or a file of commas, holds.

import type { VesselFigures } from "./measure.ts";
import type { Distribution } from "./width.ts";
import { ZONES, type ZoneFigures, type ZoneName } from "./zones.ts";

/** A figure with its name and its unit. */
export interface VesselColumn {
  /** Such as `width_mean_um`: where there is a unit, the name ends in it. */
  readonly name: string;
  /** `px`, `px2`, `um`, `mm`, `per_px`, `per_mm`, `rad_per_px`, `rad2_per_px2`, `rad_per_mm`, `rad2_per_mm2`, `deg`; empty of counts and shares. */
  readonly unit: string;
  /** To ten digits, which are the same in every browser and in Node. None where it could not be measured. */
  readonly value?: number;
  /** Why there is none. */
  readonly reason?: string;
}

/** A unit of pixels, that of the retina, and how many of these it is where a pixel has so many micrometres. */
type Quantity = readonly [pixels: string, retina: string, factor: (micrometres: number) => number];

const LENGTH: Quantity = ["px", "mm", (scale) => scale / 1000];
const WIDTH: Quantity = ["px", "um", (scale) => scale];
const DENSITY: Quantity = ["per_px", "per_mm", (scale) => 1000 / scale];
const CURVATURE: Quantity = ["rad_per_px", "rad_per_mm", (scale) => 1000 / scale];
const SQUARED_CURVATURE: Quantity = ["rad2_per_px2", "rad2_per_mm2", (scale) => (1000 / scale) ** 2];

/**
 * The figures of a mask in a fixed order, so that rows of several masks measured alike stand under each other. A figure that could
 * not be measured keeps its place, with the reason. Columns in micrometres and millimetres come with the scale, zones with
 * the optic disc, central equivalents with masks of arteries and veins.
 *
 * @example
 * const data = new Uint8Array(100 * 40);
 * for (let y = 18; y < 23; y++) data.fill(1, y * 100, (y + 1) * 100);
 * const { figures } = measureVessels({ width: 100, height: 40, data }, { micrometresPerPixel: 6 });
 * const columns = vesselColumns(figures);
 * console.log(columns.find(({ name }) => name === "width_median_um")?.value?.toFixed(3)); // 30.000
 * console.log(columns.find(({ name }) => name === "branching_angle_mean_deg")?.reason); // no branch point with three segments long enough
 */
export function vesselColumns(figures: VesselFigures): VesselColumn[] {
  const { micrometresPerPixel: scale, reasons, fractal, tortuosity, zones, calibres } = figures;
  const inBoth = (stem: string, quantity: Quantity, value: number | undefined, reason?: string) =>
    inPixelsAndOnRetina(scale, stem, quantity, value, reason);
  const spread = (stem: string, found: Distribution | undefined, reason?: string) =>
    (["mean", "deviation", "p5", "p25", "median", "p75", "p95"] as const).flatMap((name) =>
      inBoth(`${stem}_${name === "deviation" ? "sd" : name}`, WIDTH, found?.[name], reason),
    );
  const zone = (name: ZoneName, found: ZoneFigures): VesselColumn[] => {
    const reason = found.visible === 0 ? UNSEEN : NO_WIDTH;
    return [
      column(`zone_${name}_visible`, "", found.visible),
      column(`zone_${name}_vessel_density`, "", found.vesselDensity, reason),
      ...inBoth(`zone_${name}_length_density`, DENSITY, found.lengthDensity, reason),
      ...spread(`zone_${name}_width`, found.width, reason),
    ];
  };
  return [
    column("field_area_px2", "px2", figures.fieldPixels),
    column("vessel_density", "", figures.vesselDensity, reasons.vesselDensity),
    ...inBoth("length", LENGTH, figures.length),
    ...inBoth("length_density", DENSITY, figures.lengthDensity, reasons.lengthDensity),
    ...(["pieces", "segments"] as const).map((name) => column(name, "", figures[name])),
    column("end_points", "", figures.endPoints),
    column("cut_ends", "", figures.cutEnds),
    column("branch_points", "", figures.branchPoints),
    ...spread("width", figures.vesselWidth, reasons.vesselWidth),
    column("branching_angles", "", figures.branchingAngle?.count ?? 0),
    column("branching_angle_mean_deg", "deg", figures.branchingAngle?.mean, reasons.branchingAngle),
    column("branching_angle_sd_deg", "deg", figures.branchingAngle?.deviation, reasons.branchingAngle),
    ...(["d0", "d1", "d2"] as const).flatMap((name) => [
      column(name, "", fractal?.[name].value, reasons.fractal),
      column(`${name}_r2`, "", fractal?.[name].r2, reasons.fractal),
    ]),
    column("box_smallest_px", "px", fractal?.boxes.at(0), reasons.fractal),
    column("box_largest_px", "px", fractal?.boxes.at(-1), reasons.fractal),
    column("tortuosity_segments", "", tortuosity?.segments ?? 0),
    column("arc_over_chord", "", tortuosity?.arcOverChord, reasons.tortuosity),
    ...inBoth("curvature", CURVATURE, tortuosity?.curvature, reasons.tortuosity),
    ...inBoth("squared_curvature", SQUARED_CURVATURE, tortuosity?.squaredCurvature, reasons.tortuosity),
    ...(zones ? (Object.keys(ZONES) as ZoneName[]).flatMap((name) => zone(name, zones[name])) : []),
    ...(calibres
      ? [
          column("zone_b_arteries", "", calibres.arteries.length),
          column("zone_b_veins", "", calibres.veins.length),
          ...inBoth("crae_knudtson", WIDTH, calibres.knudtson?.crae, reasons.knudtson),
          ...inBoth("crve_knudtson", WIDTH, calibres.knudtson?.crve, reasons.knudtson),
          column("avr_knudtson", "", calibres.knudtson?.avr, reasons.knudtson),
          column("crae_hubbard_um", "um", calibres.hubbard?.crae, reasons.hubbard),
          column("crve_hubbard_um", "um", calibres.hubbard?.crve, reasons.hubbard),
          column("avr_hubbard", "", calibres.hubbard?.avr, reasons.hubbard),
        ]
      : []),
  ];
}

const UNSEEN = "no part of the zone lies in the field of view";
const NO_WIDTH = "no vessel in the zone could be measured across";

/** Hosts differ in the last bits of an exponential or an angle: the fifteenth digit of a figure says which host it was. */
const DIGITS = 10;

function column(name: string, unit: string, value: number | undefined, reason?: string): VesselColumn {
  if (value === undefined) return { name, unit, ...(reason && { reason }) };
  return { name, unit, value: Number(value.toPrecision(DIGITS)) };
}

function inPixelsAndOnRetina(
  scale: number | undefined,
  stem: string,
  [pixels, retina, factor]: Quantity,
  value: number | undefined,
  reason?: string,
): VesselColumn[] {
  const inPixels = column(`${stem}_${pixels}`, pixels, value, reason);
  if (scale === undefined) return [inPixels];
  return [inPixels, column(`${stem}_${retina}`, retina, value && value * factor(scale), reason)];
}

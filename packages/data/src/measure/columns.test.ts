// The names are the format of a table: rows that were written before stand under the same head.

import { expect, it } from "vitest";
import { vesselColumns } from "./columns.ts";
import type { VesselFigures } from "./measure.ts";

const SPREAD = ["mean", "sd", "p5", "p25", "median", "p75", "p95"];
const spread = (stem: string) => SPREAD.flatMap((name) => [`${stem}_${name}_px px`, `${stem}_${name}_um um`]);
const zone = (name: string) => [
  `zone_${name}_visible`,
  `zone_${name}_vessel_density`,
  `zone_${name}_length_density_per_px per_px`,
  `zone_${name}_length_density_per_mm per_mm`,
  ...spread(`zone_${name}_width`),
];
/** Names with their units. */
const HEAD = [
  ...["field_area_px2 px2", "vessel_density", "length_px px", "length_mm mm"],
  ...["length_density_per_px per_px", "length_density_per_mm per_mm"],
  ...["pieces", "segments", "end_points", "cut_ends", "branch_points"],
  ...spread("width"),
  ...["branching_angles", "branching_angle_mean_deg deg", "branching_angle_sd_deg deg"],
  ...["d0", "d0_r2", "d1", "d1_r2", "d2", "d2_r2", "box_smallest_px px", "box_largest_px px"],
  ...["tortuosity_segments", "arc_over_chord", "curvature_rad_per_px rad_per_px"],
  ...["curvature_rad_per_mm rad_per_mm", "squared_curvature_rad2_per_px2 rad2_per_px2"],
  "squared_curvature_rad2_per_mm2 rad2_per_mm2",
  ...zone("b"),
  ...zone("c"),
  ...["zone_b_arteries", "zone_b_veins"],
  ...["crae_knudtson_px px", "crae_knudtson_um um", "crve_knudtson_px px", "crve_knudtson_um um"],
  ...["avr_knudtson", "crae_hubbard_um um", "crve_hubbard_um um", "avr_hubbard"],
];

/** Figures of which no two are equal, at a pixel of 8 micrometres. */
const width = { count: 19, mean: 20, deviation: 21, p5: 22, p25: 23, median: 24, p75: 25, p95: 26 };
const later = (by: number) =>
  Object.fromEntries(Object.entries(width).map(([name, value]) => [name, value + by])) as typeof width;
const figures = {
  ...{ notice: "", width: 100, height: 90 },
  ...{ micrometresPerPixel: 8, fieldPixels: 1, vesselDensity: 2, length: 3, lengthDensity: 4, pieces: 5 },
  ...{ segments: 6, endPoints: 7, cutEnds: 8, branchPoints: 9, vesselWidth: width, reasons: {} },
  branchingAngle: { ...later(10), count: 10, mean: 11, deviation: 12 },
  fractal: {
    d0: { value: 31, r2: 32, standardError: 1 },
    d1: { value: 33, r2: 34, standardError: 2 },
    d2: { value: 35, r2: 36, standardError: 3 },
    boxes: [37, 38, 39],
    offsets: 4,
  },
  tortuosity: { segments: 41, arcOverChord: 42, curvature: 43, squaredCurvature: 44 },
  zones: {
    b: { visible: 51, vesselDensity: 52, lengthDensity: 53, width: later(100) },
    c: { visible: 61, vesselDensity: 62, lengthDensity: 63, width: later(200) },
  },
  calibres: {
    ...{ arteries: [1, 2, 3], veins: [1, 2, 3, 4, 5] },
    knudtson: { crae: 71, crve: 72, avr: 73 },
    hubbard: { crae: 74, crve: 75, avr: 76 },
  },
} as const satisfies VesselFigures;

it("have these names and units, in this order", () => {
  const head = vesselColumns(figures).map(({ name, unit }) => `${name} ${unit}`.trim());
  expect(head).toEqual(HEAD);
});

it("of pixels stand alone where nobody said how large a pixel is, and those of zones and calibres where they were measured", () => {
  const { zones: _, calibres: __, micrometresPerPixel: ___, ...plain } = figures;
  expect(vesselColumns(plain).map(({ name }) => name)).toEqual(
    HEAD.slice(0, HEAD.indexOf("zone_b_visible"))
      .filter((name) => !/(_um um|_mm2? .*)$/.test(name))
      .map((name) => name.split(" ")[0]),
  );
});

it("hold each figure under its name, on the retina in micrometres and millimetres", () => {
  const values = Object.fromEntries(vesselColumns(figures).map(({ name, value }) => [name, value]));
  const inWidths = (stem: string, by: number) =>
    Object.fromEntries(
      SPREAD.flatMap((name, i) => [
        [`${stem}_${name}_px`, 20 + i + by],
        [`${stem}_${name}_um`, 8 * (20 + i + by)],
      ]),
    );
  expect(values).toEqual({
    ...{ field_area_px2: 1, vessel_density: 2, length_px: 3, length_mm: 0.024 },
    ...{ length_density_per_px: 4, length_density_per_mm: 500, pieces: 5, segments: 6 },
    ...{ end_points: 7, cut_ends: 8, branch_points: 9, ...inWidths("width", 0) },
    ...{ branching_angles: 10, branching_angle_mean_deg: 11, branching_angle_sd_deg: 12 },
    ...{ d0: 31, d0_r2: 32, d1: 33, d1_r2: 34, d2: 35, d2_r2: 36, box_smallest_px: 37, box_largest_px: 39 },
    ...{ tortuosity_segments: 41, arc_over_chord: 42 },
    ...{ curvature_rad_per_px: 43, curvature_rad_per_mm: 43 * 125 },
    ...{ squared_curvature_rad2_per_px2: 44, squared_curvature_rad2_per_mm2: 44 * 125 ** 2 },
    ...{ zone_b_visible: 51, zone_b_vessel_density: 52, ...inWidths("zone_b_width", 100) },
    ...{ zone_b_length_density_per_px: 53, zone_b_length_density_per_mm: 53 * 125 },
    ...{ zone_c_visible: 61, zone_c_vessel_density: 62, ...inWidths("zone_c_width", 200) },
    ...{ zone_c_length_density_per_px: 63, zone_c_length_density_per_mm: 63 * 125 },
    ...{ zone_b_arteries: 3, zone_b_veins: 5 },
    ...{ crae_knudtson_px: 71, crae_knudtson_um: 568, crve_knudtson_px: 72, crve_knudtson_um: 576 },
    ...{ avr_knudtson: 73, crae_hubbard_um: 74, crve_hubbard_um: 75, avr_hubbard: 76 },
  });
});

it("say why a zone lacks a figure: nothing of it is seen, or no vessel in it has a width", () => {
  const zones = { b: { visible: 0 }, c: { visible: 0.5, vesselDensity: 0, lengthDensity: 0 } };
  const reasons = vesselColumns({ ...figures, zones }).flatMap(({ name, value, reason }) =>
    name.startsWith("zone_") && value === undefined ? [[name.slice(0, 6), reason]] : [],
  );
  const unseen = "no part of the zone lies in the field of view";
  const bare = "no vessel in the zone could be measured across";
  expect(new Set(reasons.map(String))).toEqual(new Set([`zone_b,${unseen}`, `zone_c,${bare}`]));
});

it("say why there are no calibres", () => {
  const reasons = { knudtson: "fewer than six vessels", hubbard: "no micrometres" };
  const none = vesselColumns({ ...figures, calibres: { arteries: [1], veins: [] }, reasons });
  const told = none.flatMap(({ name, value, reason }) => (value === undefined ? [[name, reason]] : []));
  expect(Object.fromEntries(told)).toEqual({
    ...Object.fromEntries(
      ["crae_knudtson_px", "crae_knudtson_um", "crve_knudtson_px", "crve_knudtson_um", "avr_knudtson"].map(
        (name) => [name, reasons.knudtson],
      ),
    ),
    ...Object.fromEntries(
      ["crae_hubbard_um", "crve_hubbard_um", "avr_hubbard"].map((name) => [name, reasons.hubbard]),
    ),
  });
});

// From a mask of vessels to the figures of the field: density, length, width, branching, tortuosity, fractal dimension.
// docs/measure.md has the definitions and their papers.

import { expectSameSize, type Mask } from "../image.ts";
import { CALIBRE_VESSELS, centralEquivalent } from "./calibre.ts";
import { smoothCurve } from "./curve.ts";
import { distanceToBackground } from "./distance.ts";
import { expectMask } from "./expect-mask.ts";
import { type FractalDimensions, fractalDimensions } from "./fractal.ts";
import { type VesselNode, vesselGraph } from "./graph.ts";
import { countPieces } from "./pieces.ts";
import {
  branchingAngles,
  type Course,
  type MeasuredSegment,
  measureSegments,
  SHORTEST_COURSE,
} from "./segments.ts";
import { skeletonize } from "./thinning.ts";
import { joinBranches, withoutHoles, withoutSpurs } from "./tidy.ts";
import { type Distribution, distributionOf } from "./width.ts";
import {
  calibresInZoneB,
  expectDisc,
  measureZone,
  type OpticDisc,
  totalLength,
  type ZoneFigures,
  type ZoneName,
} from "./zones.ts";

/** What goes with every figure. */
export const NO_MEDICAL_DEVICE =
  "For research and education. Not a medical device: not for diagnosis or treatment.";

/** What is known beside the mask. */
export interface MeasureOptions {
  /** Where the photograph shows the eye; default: the whole picture. Vessels outside of it do not count. */
  readonly fieldOfView?: Mask | undefined;
  /** The side of a pixel on the retina, in micrometres: what Hubbard's formulas and {@link vesselColumns} in micrometres want. */
  readonly micrometresPerPixel?: number | undefined;
  /** The optic disc; with it come the zones around it. */
  readonly disc?: OpticDisc | undefined;
  /** Masks of one kind of vessel each; with them and the disc come the central equivalents. */
  readonly arteries?: Mask | undefined;
  readonly veins?: Mask | undefined;
}

/** Tortuosity of the segments that are long enough, each weighted by its length. */
export interface Tortuosity {
  /** How many segments were long enough. */
  readonly segments: number;
  /** Length over chord, 1 of a straight line. */
  readonly arcOverChord: number;
  /** The mean size of the curvature, in radians per pixel. */
  readonly curvature: number;
  /** The mean square of the curvature, in radians squared per square pixel. */
  readonly squaredCurvature: number;
}

/** Central equivalents, in pixels; Hubbard's in micrometres, since its formulas want them. */
export interface Calibres {
  /** Mean widths of the vessels in zone B, the widest first, in pixels. */
  readonly arteries: readonly number[];
  readonly veins: readonly number[];
  readonly knudtson?: { readonly crae: number; readonly crve: number; readonly avr: number };
  readonly hubbard?: { readonly crae: number; readonly crve: number; readonly avr: number };
}

/** The figures of a mask. What could not be measured is left out and has a reason in `reasons`. */
export interface VesselFigures {
  /** {@link NO_MEDICAL_DEVICE} */
  readonly notice: string;
  readonly width: number;
  readonly height: number;
  readonly micrometresPerPixel?: number;
  /** Pixels of the field of view. */
  readonly fieldPixels: number;
  /** The share of the field of view that is vessel. */
  readonly vesselDensity?: number;
  /** Length of all centre lines, in pixels. */
  readonly length: number;
  /** Length by area of the field of view, in 1/pixel. */
  readonly lengthDensity?: number;
  /** Pieces that do not touch. */
  readonly pieces: number;
  readonly segments: number;
  /** Where vessels end; where the picture or the field of view cuts them is not counted here but in `cutEnds`. */
  readonly endPoints: number;
  readonly cutEnds: number;
  readonly branchPoints: number;
  /** Width along all centre lines, one each pixel of length, in pixels. */
  readonly vesselWidth?: Distribution;
  /** Between the two branches of a branch point, in degrees. */
  readonly branchingAngle?: Distribution;
  /** Of the centre lines. */
  readonly fractal?: FractalDimensions;
  readonly tortuosity?: Tortuosity;
  readonly zones?: Readonly<Record<ZoneName, ZoneFigures>>;
  readonly calibres?: Calibres;
  /** Why a figure was left out, by its name. */
  readonly reasons: Readonly<Record<string, string>>;
}

/** Figures, and what they were taken from. */
export interface MeasuredVessels {
  readonly figures: VesselFigures;
  /** The mask within the field of view. */
  readonly vessels: Mask;
  readonly segments: readonly MeasuredSegment[];
  readonly nodes: readonly VesselNode[];
  readonly disc?: OpticDisc;
}

/**
 * Measures the vessels of a mask. Whatever the mask is like, the figures are finite; what an empty, cut or noisy one does not
 * have is left out, with the reason.
 *
 * For research and education; not a medical device.
 *
 * @throws ShapeError where sizes differ; RangeError where a mask holds anything but 0 and 1, `micrometresPerPixel` or the radius
 *   of the disc is not above 0, or the disc lies outside of the picture
 * @example
 * const data = new Uint8Array(100 * 40);
 * for (let y = 18; y < 23; y++) data.fill(1, y * 100, (y + 1) * 100);
 * const { figures } = measureVessels({ width: 100, height: 40, data }, { micrometresPerPixel: 6 });
 * console.log(figures.vesselDensity, figures.vesselWidth?.mean, figures.tortuosity?.arcOverChord.toFixed(3)); // 0.125 5 1.000
 * console.log(figures.reasons.branchingAngle); // no branch point with three segments long enough
 */
export function measureVessels(mask: Mask, options: MeasureOptions = {}): MeasuredVessels {
  const { fieldOfView, micrometresPerPixel, disc } = options;
  expectMask("measureVessels", "mask", mask);
  for (const [name, other] of Object.entries({
    fieldOfView,
    arteries: options.arteries,
    veins: options.veins,
  })) {
    if (other === undefined) continue;
    expectMask("measureVessels", name, other);
    expectSameSize("measureVessels", name, other, "mask", mask);
  }
  if (disc !== undefined) expectDisc("measureVessels", disc, mask);
  if (micrometresPerPixel !== undefined && !(micrometresPerPixel > 0 && micrometresPerPixel < 1e6)) {
    throw new RangeError(
      `measureVessels: micrometresPerPixel must be above 0 and below 1,000,000 but is ${micrometresPerPixel}`,
    );
  }
  const { width, height } = mask;
  const field = fieldOfView ?? { width, height, data: new Uint8Array(width * height).fill(1) };
  const fieldPixels = marks(field);
  const vessels = within(mask, field);
  const traced = trace(vessels);
  const { segments, nodes } = traced;
  const marked = marks(vessels);
  const reasons: Record<string, string> = {};
  const orReason = <K extends string, T>(name: K, value: T | undefined, reason: string) => {
    if (value === undefined) reasons[name] = reason;
    return (value === undefined ? {} : { [name]: value }) as { [key in K]?: T };
  };
  const share = (of: number) => (fieldPixels === 0 ? undefined : of / fieldPixels);
  const widths = segments.flatMap(({ widths }) => Array.from(widths).filter((value) => !Number.isNaN(value)));
  const ends = traced.ends.filter((at) => !isCut(field, nodes[at], traced.radii[at]));
  const figures: VesselFigures = {
    notice: NO_MEDICAL_DEVICE,
    ...{ width, height, ...(micrometresPerPixel && { micrometresPerPixel }), fieldPixels },
    ...orReason("vesselDensity", share(marked), EMPTY_FIELD),
    length: traced.length,
    ...orReason("lengthDensity", share(traced.length), EMPTY_FIELD),
    ...{ pieces: countPieces(vessels), segments: segments.length },
    ...{ endPoints: ends.length, cutEnds: traced.ends.length - ends.length },
    branchPoints: nodes.length - traced.ends.length,
    ...orReason("vesselWidth", distributionOf(widths), marked === 0 ? NO_VESSEL : NO_WIDTH),
    ...orReason(
      "branchingAngle",
      distributionOf(branchingAngles(segments, nodes.length, traced.radii)),
      NO_ANGLE,
    ),
    ...orReason("fractal", fractalDimensions(traced.centreLines), NO_FRACTAL),
    ...orReason("tortuosity", tortuosityOf(segments), `no segment runs freely for ${SHORTEST_COURSE} pixels`),
    ...(disc && {
      zones: {
        b: measureZone("b", disc, vessels, field, segments),
        c: measureZone("c", disc, vessels, field, segments),
      },
    }),
    ...orReason("calibres", calibresOf(options, field, reasons), NO_CALIBRES),
    reasons,
  };
  return { figures, vessels, segments, nodes, ...(disc && { disc }) };
}

const EMPTY_FIELD = "the field of view is empty";
const NO_VESSEL = "no vessel in the field of view";
const NO_WIDTH = "no centre line is long enough, or free of the picture's edge, to be measured across";
const NO_ANGLE = "no branch point with three segments long enough";
const NO_FRACTAL = "the vessels are less than 64 pixels across: too small for five sizes of boxes";
const NO_CALIBRES = "wants the optic disc, and masks of arteries and of veins";

function marks({ data }: Mask): number {
  let sum = 0;
  for (let pixel = 0; pixel < data.length; pixel++) sum += data[pixel];
  return sum;
}

function within(mask: Mask, field: Mask): Mask {
  const data = new Uint8Array(mask.data.length);
  for (let pixel = 0; pixel < data.length; pixel++) data[pixel] = mask.data[pixel] & field.data[pixel];
  return { width: mask.width, height: mask.height, data };
}

/** Follows the vessels of a mask. */
function trace(marked: Mask) {
  const vessels = withoutHoles(marked);
  const distance = distanceToBackground(vessels);
  const centreLines = withoutSpurs(skeletonize(vessels), distance);
  const graph = joinBranches(vesselGraph(centreLines), distance);
  const segments = measureSegments(vessels, distance, graph);
  const { nodes } = graph;
  const radii = nodes.map(({ x, y }) => distance[Math.round(y) * vessels.width + Math.round(x)]);
  const inner = graph.inner.map(({ path }) => smoothCurve(path, vessels.width));
  const length = totalLength([...segments.map(({ curve }) => curve), ...inner]);
  const ends = Array.from(nodes.keys()).filter((at) => nodes[at].kind === "end");
  return { centreLines, segments, nodes, radii, ends, length };
}

/** Whether a vessel ends because what shows it does: nothing is seen beyond its end. */
function isCut(field: Mask, { x, y }: VesselNode, radius: number): boolean {
  const reach = Number.isFinite(radius) ? radius + 2 : 2;
  return Array.from({ length: 16 }, (_, i) => (i * Math.PI) / 8).some((angle) => {
    const [u, v] = [Math.round(x + reach * Math.cos(angle)), Math.round(y + reach * Math.sin(angle))];
    return u < 0 || v < 0 || u >= field.width || v >= field.height || field.data[v * field.width + u] === 0;
  });
}

function tortuosityOf(segments: readonly MeasuredSegment[]): Tortuosity | undefined {
  const courses = segments.map(({ course }) => course).filter((course) => course !== undefined);
  if (courses.length === 0) return undefined;
  const sum = (of: (course: Course) => number) => courses.reduce((total, course) => total + of(course), 0);
  const length = sum((course) => course.length);
  return {
    segments: courses.length,
    arcOverChord: sum((course) => course.length * course.arcOverChord) / length,
    curvature: sum((course) => course.totalCurvature) / length,
    squaredCurvature: sum((course) => course.totalSquaredCurvature) / length,
  };
}

function calibresOf(
  { disc, arteries, veins, micrometresPerPixel }: MeasureOptions,
  field: Mask,
  reasons: Record<string, string>,
): Calibres | undefined {
  if (disc === undefined || arteries === undefined || veins === undefined) return undefined;
  const [arterial, venous] = [arteries, veins].map((mask) =>
    calibresInZoneB(trace(within(mask, field)).segments, disc),
  );
  const found = { arteries: arterial, veins: venous };
  if (arterial.length < CALIBRE_VESSELS || venous.length < CALIBRE_VESSELS) {
    const counted = `zone B has ${arterial.length} arteries and ${venous.length} veins that run through half of it`;
    reasons.knudtson = `${counted}, and the definition wants ${CALIBRE_VESSELS} of each`;
    reasons.hubbard = reasons.knudtson;
    return found;
  }
  const [a, v] = [arterial, venous].map((widths) => widths.slice(0, CALIBRE_VESSELS));
  const both = (crae: number, crve: number) => ({ crae, crve, avr: crae / crve });
  const knudtson = both(centralEquivalent(a, "artery"), centralEquivalent(v, "vein"));
  if (micrometresPerPixel === undefined) {
    reasons.hubbard = "its formulas want micrometres, and the scale is not given";
    return { ...found, knudtson };
  }
  const scaled = (widths: readonly number[]) => widths.map((width) => width * micrometresPerPixel);
  try {
    const hubbard = both(
      centralEquivalent(scaled(a), "artery", "hubbard"),
      centralEquivalent(scaled(v), "vein", "hubbard"),
    );
    return { ...found, knudtson, hubbard };
  } catch (error) {
    reasons.hubbard = (error as Error).message;
    return { ...found, knudtson };
  }
}

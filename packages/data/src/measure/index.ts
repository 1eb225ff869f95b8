// The public list: from a mask of vessels to figures. It runs in browsers and in Node alike.

export {
  CALIBRE_VESSELS,
  type CalibreFormula,
  centralEquivalent,
  type VesselKind,
} from "./calibre.ts";
export { clDice } from "./cl-dice.ts";
export { type VesselColumn, vesselColumns } from "./columns.ts";
export { distanceToBackground } from "./distance.ts";
export { type FoundDisc, findDisc } from "./find-disc.ts";
export { type FittedDimension, type FractalDimensions, fractalDimensions } from "./fractal.ts";
export { type VesselGraph, type VesselNode, type VesselSegment, vesselGraph } from "./graph.ts";
export {
  type Calibres,
  type MeasuredVessels,
  type MeasureOptions,
  measureVessels,
  NO_MEDICAL_DEVICE,
  type Tortuosity,
  type VesselFigures,
} from "./measure.ts";
export { MEASURE_COLOURS, overlayMeasures } from "./overlay-measures.ts";
export { type BrokenPieces, brokenPieces, countPieces } from "./pieces.ts";
export type { Course, MeasuredSegment } from "./segments.ts";
export { skeletonize } from "./thinning.ts";
export type { Distribution } from "./width.ts";
export { type OpticDisc, ZONES, type ZoneFigures, type ZoneName } from "./zones.ts";

// What is looked at inside the field of view alone: vessels as trees, which a broken branch hurts and an edge that is a pixel off
// does not, and whether probabilities keep their word. docs/data.md has the definitions.

import type { Mask } from "@saunet/data";
import { brokenPieces, clDice } from "@saunet/data/measure";
import { bootstrapMean, calibrationError, type ReliabilityBin, sumOfBins } from "@saunet/model";

/** The figures of one image; `NaN` where one is not defined. */
export interface FieldMean {
  readonly clDice: number;
  /** Pieces of the mask for each piece of the truth that it meets. */
  readonly pieces: number;
  /** Pieces of the truth that the mask does not meet, and the other way round. */
  readonly missed: number;
  readonly spurious: number;
  /** The expected calibration error; of a mask, which has no probabilities, `NaN`. */
  readonly ece: number;
}

/** The order of tables. */
export const FIELD_NAMES = ["clDice", "pieces", "missed", "spurious", "ece"] as const;

/** How the figures are called. */
export const FIELD_TITLES: Readonly<Record<keyof FieldMean, string>> = {
  clDice: "clDice",
  pieces: "pieces per vessel tree",
  missed: "missed pieces",
  spurious: "spurious pieces",
  ece: "calibration error",
};

/** One image. */
export interface FieldFigures {
  readonly clDice: number;
  readonly pieces: number;
  readonly missed: number;
  readonly spurious: number;
  /** Of its reliability diagram; left out where the prediction is a mask. */
  readonly bins?: readonly ReliabilityBin[];
}

/** All images. */
export interface FieldSummary {
  readonly images: readonly (FieldMean & { readonly id: string })[];
  /** The mean of the images' figures. */
  readonly mean: FieldMean;
  /** 95 % bootstrap intervals of the means; none of a single image. */
  readonly intervals: Partial<Readonly<Record<keyof FieldMean, readonly [low: number, high: number]>>>;
  /** The calibration of all pixels pooled; null where the prediction is a mask. */
  readonly pooled: { readonly error: number; readonly bins: readonly ReliabilityBin[] } | null;
}

/** Counts within the field of view. */
export function fieldFigures(prediction: Mask, truth: Mask, fieldOfView: Mask): FieldFigures {
  const [found, wanted] = [within(prediction, fieldOfView), within(truth, fieldOfView)];
  const { piecesPerPiece = Number.NaN, missed, spurious } = brokenPieces(found, wanted);
  return { clDice: clDice(found, wanted) ?? Number.NaN, pieces: piecesPerPiece, missed, spurious };
}

function within({ width, height, data }: Mask, field: Mask): Mask {
  const inside = new Uint8Array(data.length);
  for (let pixel = 0; pixel < inside.length; pixel++) inside[pixel] = data[pixel] & field.data[pixel];
  return { width, height, data: inside };
}

/** Averages over images. */
export function summariseField(
  all: readonly { readonly id: string; readonly field: FieldFigures }[],
): FieldSummary {
  const images = all.map(({ id, field: { bins, ...trees } }) => ({
    id,
    ...trees,
    ece: bins === undefined ? Number.NaN : calibrationError(bins),
  }));
  const meanOf = (name: keyof FieldMean): number => {
    const known = images.map((image) => image[name]).filter((value) => !Number.isNaN(value));
    return known.reduce((sum, value) => sum + value, 0) / known.length;
  };
  const intervals = FIELD_NAMES.flatMap((name) => {
    const ends = bootstrapMean(images.map((image) => image[name]));
    return ends === undefined ? [] : [[name, ends] as const];
  });
  const bins = sumOfBins(all.flatMap(({ field }) => (field.bins === undefined ? [] : [field.bins])));
  const error = calibrationError(bins);
  return {
    images,
    mean: Object.fromEntries(FIELD_NAMES.map((name) => [name, meanOf(name)])) as unknown as FieldMean,
    intervals: Object.fromEntries(intervals),
    pooled: Number.isNaN(error) ? null : { error, bins },
  };
}

/** Shares with four digits, numbers of pieces with two; a dash where a figure is not defined. */
export function fieldDigits(name: keyof FieldMean, figure: number): string {
  return Number.isNaN(figure) ? "–" : figure.toFixed(isShare(name) ? 4 : 2);
}

/** `0.794–0.815`, or `2.3–4.1` of numbers of pieces. */
export function fieldInterval(name: keyof FieldMean, [low, high]: readonly [number, number]): string {
  if (Number.isNaN(low)) return "–";
  const digits = isShare(name) ? 3 : 1;
  return `${low.toFixed(digits)}–${high.toFixed(digits)}`;
}

const isShare = (name: keyof FieldMean): boolean => name === "clDice" || name === "ece";

// Winograd's transforms on both axes, for strips of tiles (winograd-matrices.ts has those of one axis). A strip is a
// stretch of one row of tiles; its values stand as 64 matrices [tile, channel], one a point.

import type { Floats } from "../kernel.ts";
import { type ImageSize, loadRow } from "./correlation.ts";
import {
  POINTS,
  TILE,
  timesA,
  timesATransposed,
  timesB,
  timesG,
  timesGTransposed,
} from "./winograd-matrices.ts";

/**
 * Tiles that are transformed and multiplied at once, at most. Over the layers of SA-UNetv2 strips of 12 took 7 to 9 %
 * longer, of 18 4 to 6 %, of 50 0 to 4 %.
 */
const STRIP = 33;

/** Tiles that the forward pass multiplies at once. */
export const ROW_TILES = 3;

/** How the tiles of an image row are dealt out to strips of equal size. */
export function planStrips(width: number): { readonly tiles: number; readonly stripTiles: number } {
  const tiles = Math.ceil(width / TILE);
  return { tiles, stripTiles: Math.ceil(tiles / Math.ceil(tiles / STRIP)) };
}

/** Scratch lines for {@link evaluateInput}, {@link evaluateGradient}: room for the pixels that a strip reads. */
export function allocateLines(stripTiles: number, channels: number): Float64Array {
  return new Float64Array(POINTS * (stripTiles * TILE + 2) * channels);
}

/** A 3x3 filter at the 64 points: `G taps Gᵀ`. */
export function evaluateFilter(values: Float64Array, taps: Float64Array): void {
  for (let kx = 2; kx >= 0; kx--) timesG(values, kx, POINTS, taps, kx, 3);
  for (let p = 0; p < POINTS; p++) timesG(values, p * POINTS, 1, values, p * POINTS, 1);
}

/** The adjoint of {@link evaluateFilter}: `Gᵀ values G`, with the 64 values `distance` apart from `start` on. */
export function gatherFilter(
  taps: Float64Array,
  values: Float64Array,
  start: number,
  distance: number,
): void {
  const half = new Float64Array(3 * POINTS);
  for (let p = 0; p < POINTS; p++)
    timesGTransposed(half, p, POINTS, values, start + p * distance, POINTS * distance);
  for (let ky = 0; ky < 3; ky++) timesGTransposed(taps, ky * 3, 1, half, ky * POINTS, 1);
}

/**
 * What a strip of tiles reads, at the 64 points: `values[point][tile][channel]`, the points `pointStep` apart. The
 * first tile reads from `(y, x)` of image `n` on; pixels outside are zeros.
 */
export function evaluateInput(
  values: Float64Array,
  pointStep: number,
  lines: Float64Array,
  stripTiles: number,
  source: Floats,
  image: ImageSize,
  { n, y, x }: { readonly n: number; readonly y: number; readonly x: number },
): void {
  const { channels } = image;
  const pixels = stripTiles * TILE + 2;
  const line = pixels * channels;
  for (let i = 0; i < POINTS; i++) loadRow(lines, i * line, pixels, source, image, n, y + i, x);
  timesB(lines, 0, line, lines, 0, line, line);
  for (let i = 0; i < POINTS; i++)
    for (let t = 0; t < stripTiles; t++) {
      const at = i * POINTS * pointStep + t * channels;
      timesB(values, at, pointStep, lines, i * line + t * TILE * channels, channels, channels);
    }
}

/** The outputs of a strip from its values at the points: six lines of pixels. The values are overwritten. */
export function interpolate(
  outLines: Float64Array,
  outLine: number,
  channels: number,
  values: Float64Array,
  pointStep: number,
  tileStep: number,
  stripTiles: number,
): void {
  timesA(values, 0, POINTS * pointStep, values, 0, POINTS * pointStep, POINTS * pointStep);
  for (let i = 0; i < TILE; i++)
    for (let t = 0; t < stripTiles; t++) {
      const at = i * outLine + t * TILE * channels;
      timesA(outLines, at, channels, values, i * POINTS * pointStep + t * tileStep, pointStep, channels);
    }
}

/** The adjoint of {@link interpolate} for the outputs of a strip from `(y, x)` of image `n` on. */
export function evaluateGradient(
  values: Float64Array,
  pointStep: number,
  lines: Float64Array,
  stripTiles: number,
  source: Floats,
  image: ImageSize,
  { n, y, x }: { readonly n: number; readonly y: number; readonly x: number },
): void {
  const { channels } = image;
  const pixels = stripTiles * TILE;
  const line = pixels * channels;
  for (let i = 0; i < TILE; i++) loadRow(lines, i * line, pixels, source, image, n, y + i, x);
  timesATransposed(lines, 0, line, lines, 0, line, line);
  for (let i = 0; i < POINTS; i++)
    for (let t = 0; t < stripTiles; t++) {
      const at = i * POINTS * pointStep + t * channels;
      timesATransposed(values, at, pointStep, lines, i * line + t * TILE * channels, channels, channels);
    }
}

// The geometry of a random crop: one affine map from a pixel of the crop to a place in the photograph, so a crop, a
// flip, a turn and a change of scale cost one pass over the crop together. A map made of whole pixels copies them
// exactly.

import { draw, type RandomState } from "@saunet/core";
import { expectInteger } from "@saunet/core/kernels";
import { bytesPerPixel, type LabelledImage, type Level } from "../labelled-image.ts";
import type { AugmentOptions, Crop } from "./options.ts";
import { factor } from "./options.ts";

/** Pixel `(column, row)` of the crop shows the place `from + matrix · ((column, row) - at)` of the photograph. */
export interface Geometry {
  readonly width: number;
  readonly height: number;
  readonly matrix: readonly [number, number, number, number];
  readonly from: readonly [column: number, row: number];
  readonly at: readonly [column: number, row: number];
  /** Pixels of the crop for one of the photograph. */
  readonly zoom: number;
}

/** Draws where a crop lies and how it is turned. */
export function drawGeometry(labelled: LabelledImage, options: AugmentOptions, state: RandomState): Geometry {
  const { width = labelled.width, height = labelled.height, orientations = false } = options;
  expectInteger("augment", "width", width, 1);
  expectInteger("augment", "height", height, 1);
  const zoom = drawZoom(options.scale, state);
  // The crop turns about one of its pixels, so that a vessel there stays in it.
  const vessel = options.holdsVessel ? drawVessel(labelled, state) : undefined;
  const [fromX, column] = drawSpan(labelled.width, width, zoom, vessel && vessel % labelled.width, state);
  const [fromY, row] = drawSpan(
    labelled.height,
    height,
    zoom,
    vessel && Math.floor(vessel / labelled.width),
    state,
  );
  const flip = orientations && draw(state) < 0.5;
  const quarters = orientations ? Math.floor(draw(state) * (width === height ? 4 : 2)) : 0;
  const orientation = orient(column, row, width, height, flip, width === height ? quarters : 2 * quarters);
  const angle = (options.rotation ?? 0) * (Math.PI / 180) * (2 * draw(state) - 1);
  const stretch = factor(options.stretch, state) ** 0.5;
  const [cos, sin] = [Math.cos(angle) / zoom, Math.sin(angle) / zoom];
  const [a, b, c, d] = orientation.matrix;
  return {
    width,
    height,
    matrix: [
      (cos * a - sin * c) * stretch,
      (cos * b - sin * d) * stretch,
      (sin * a + cos * c) / stretch,
      (sin * b + cos * d) / stretch,
    ],
    from: [fromX, fromY],
    at: orientation.at,
    zoom,
  };
}

/** In logarithms the mean of two even draws, so that scales in the middle of the range are seen most. */
function drawZoom(scale: AugmentOptions["scale"], state: RandomState): number {
  if (scale === undefined) return 1;
  const [low, high] = scale;
  const share = (draw(state) + draw(state)) / 2;
  return low * (high / low) ** share;
}

/** A pixel on a vessel, all equally likely; undefined where there is none. */
function drawVessel({ vessels }: LabelledImage, state: RandomState): number | undefined {
  return vessels[Math.floor(draw(state) * vessels.length)];
}

/**
 * A place of the photograph along one axis and the position within the crop that shows it. The place is `wanted`, or
 * the middle of the crop. The crop stays in the picture, or the picture in the crop where that is larger.
 */
function drawSpan(
  size: number,
  crop: number,
  zoom: number,
  wanted: number | undefined,
  state: RandomState,
): readonly [place: number, position: number] {
  const extent = zoom === 1 ? crop : Math.max(1, Math.round(crop / zoom));
  let [low, high] = [Math.min(0, size - extent), Math.max(0, size - extent)];
  if (wanted !== undefined) [low, high] = [Math.max(low, wanted - extent + 1), Math.min(high, wanted)];
  const start = low + Math.floor(draw(state) * (high - low + 1));
  const place = wanted ?? start + Math.floor((extent - 1) / 2);
  return [place, Math.min(crop - 1, Math.floor((place - start + 0.5) * zoom))];
}

/** Mirrors left and right, then turns by quarters: the matrix, and where the pixel `(column, row)` ends up. */
function orient(column: number, row: number, width: number, height: number, flip: boolean, quarters: number) {
  let matrix: [number, number, number, number] = flip ? [-1, 0, 0, 1] : [1, 0, 0, 1];
  let at: [number, number] = flip ? [width - 1 - column, row] : [column, row];
  for (let turn = 0; turn < quarters; turn++) {
    const [a, b, c, d] = matrix;
    matrix = [-b, a, -d, c];
    at = [(turn % 2 === 0 ? height : width) - 1 - at[1], at[0]];
  }
  return { matrix, at };
}

/** Cuts a crop out of a photograph, everything interpolated between the four pixels around a place. */
export function cut(
  { levels, classes }: LabelledImage,
  { width, height, matrix, from, at, zoom }: Geometry,
): Crop {
  // The level whose pixels come nearest to the crop's: between 0.7 and 1.4 of theirs, so little is skipped.
  const number = Math.min(levels.length - 1, Math.max(0, Math.round(-Math.log2(zoom))));
  const level = levels[number];
  const image = new Float32Array(width * height * 3);
  const kinds = classes - 1;
  const labels = new Float32Array(width * height * kinds);
  const vessels = kinds === 1 ? labels : new Float32Array(width * height);
  const fieldOfView = new Float32Array(width * height);
  const [a, b, c, d] = matrix;
  const pixelSize = 2 ** number;
  const place = new Float64Array(bytesPerPixel(classes));
  for (let row = 0, pixel = 0; row < height; row++)
    for (let column = 0; column < width; column++, pixel++) {
      const [right, down] = [column - at[0], row - at[1]];
      const x = (from[0] + a * right + b * down + 0.5) / pixelSize - 0.5;
      const y = (from[1] + c * right + d * down + 0.5) / pixelSize - 0.5;
      if (!(x >= -0.5 && y >= -0.5 && x < level.width - 0.5 && y < level.height - 0.5)) continue;
      interpolate(level, x, y, place);
      for (let channel = 0; channel < 3; channel++) image[pixel * 3 + channel] = place[channel] / 255;
      for (let kind = 0; kind < kinds; kind++) labels[pixel * kinds + kind] = place[3 + kind] / 255;
      if (kinds > 1) vessels[pixel] = shareOfAll(labels, pixel * kinds, kinds);
      fieldOfView[pixel] = place[3 + kinds] / 255;
    }
  return { width, height, image, vessels, labels, fieldOfView };
}

/** Shares of several classes together; halved levels round each of them, so that their sum may pass 1. */
function shareOfAll(labels: Float32Array, first: number, count: number): number {
  let sum = 0;
  for (let i = first; i < first + count; i++) sum += labels[i];
  return Math.min(1, sum);
}

/** All values at a place between four pixels; the picture's edge pixels stand for those beyond it. */
function interpolate({ width, height, pixels }: Level, x: number, y: number, out: Float64Array): void {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const [u, v] = [x - left, y - top];
  const bytes = out.length;
  const x0 = Math.max(left, 0) * bytes;
  const x1 = Math.min(left + 1, width - 1) * bytes;
  const y0 = Math.max(top, 0) * width * bytes;
  const y1 = Math.min(top + 1, height - 1) * width * bytes;
  for (let c = 0; c < bytes; c++) {
    const above = pixels[y0 + x0 + c] * (1 - u) + pixels[y0 + x1 + c] * u;
    const below = pixels[y1 + x0 + c] * (1 - u) + pixels[y1 + x1 + c] * u;
    out[c] = above * (1 - v) + below * v;
  }
}

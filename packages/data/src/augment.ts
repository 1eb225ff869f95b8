// Random variations of labelled photographs for training.
//
// All geometry is one affine map from a pixel of the result to a place in the source, so a crop, a flip, a turn and a
// change of scale cost one pass over the result together. What is not asked for stays off, and a map made of
// whole pixels copies them exactly.

import { draw, expectBetween, expectInteger, type RandomState } from "@saunet/core";
import { expectSameSize, floatsOf, type Mask, type Photograph } from "./image.ts";

/** A photograph as numbers with its labels, all of one size. */
export interface LabelledImage {
  readonly width: number;
  readonly height: number;
  /** `[height, width, 3]`, from 0 to 1. */
  readonly image: Float32Array;
  /** `[height, width]`, 1 on vessels. */
  readonly vessels: Uint8Array;
  /** `[height, width]`, 1 where the photograph shows the eye. */
  readonly fieldOfView: Uint8Array;
}

/** What may vary. Sizes of a change are shares: 0.2 multiplies by anything from 1 / 1.2 to 1.2. */
export interface AugmentOptions {
  /** Size of the crop; the picture's own when left out. A larger one is filled up with black. */
  readonly width?: number;
  readonly height?: number;
  /** Whether the crop must show a vessel, as long as the picture has one. */
  readonly holdsVessel?: boolean;
  /** Flips and quarter turns, all equally likely; quarter turns only of square crops. */
  readonly orientations?: boolean;
  /** Turns by up to so many degrees either way. */
  readonly rotation?: number;
  /** Zooms in or out. */
  readonly scale?: number;
  /** Scales all channels together. */
  readonly brightness?: number;
  /** Scales the distance from each channel's mean. */
  readonly contrast?: number;
  /** Raises to a power. */
  readonly gamma?: number;
  /** Scales each channel on its own. */
  readonly colour?: number;
}

/**
 * Puts a photograph and its labels together.
 *
 * @throws ShapeError where the sizes differ
 */
export function labelledImage(photograph: Photograph, vessels: Mask, fieldOfView: Mask): LabelledImage {
  expectSameSize("labelledImage", "vessels", vessels, "the photograph", photograph);
  expectSameSize("labelledImage", "fieldOfView", fieldOfView, "the photograph", photograph);
  const { width, height } = photograph;
  return { width, height, image: floatsOf(photograph), vessels: vessels.data, fieldOfView: fieldOfView.data };
}

/**
 * Varies a labelled photograph at random. Image values are interpolated between pixels, labels taken from the nearest
 * one; what comes from outside the picture is black and outside the field of view.
 *
 * @param state moved on by the draws; equal states give equal results
 * @throws RangeError on a size that is no count or a share below 0
 * @example
 * const { image, vessels, fieldOfView } = syntheticFundus({ seed: 1, width: 64, height: 64 });
 * const labelled = labelledImage(image, vessels, fieldOfView);
 * const crop = augment(labelled, { width: 32, height: 32, holdsVessel: true, rotation: 10 }, randomState(1));
 * console.log(crop.image.length, crop.vessels.includes(1)); // 3072 true
 */
export function augment(labelled: LabelledImage, options: AugmentOptions, state: RandomState): LabelledImage {
  for (const name of ["rotation", "scale", "brightness", "contrast", "gamma", "colour"] as const) {
    expectBetween("augment", name, options[name] ?? 0, 0, Number.MAX_VALUE);
  }
  const moved = resample(labelled, drawGeometry(labelled, options, state));
  recolour(moved, drawTones(options, state));
  return moved;
}

/** Pixel `(column, row)` of the result shows the place `from + matrix · ((column, row) - at)` of the source. */
interface Geometry {
  readonly width: number;
  readonly height: number;
  readonly matrix: readonly [number, number, number, number];
  readonly from: readonly [column: number, row: number];
  readonly at: readonly [column: number, row: number];
}

function drawGeometry(labelled: LabelledImage, options: AugmentOptions, state: RandomState): Geometry {
  const { width = labelled.width, height = labelled.height, orientations = false } = options;
  expectInteger("augment", "width", width, 1);
  expectInteger("augment", "height", height, 1);
  // The crop turns about one of its pixels, `from`, so that a vessel there stays in it.
  const vessel = options.holdsVessel ? randomVesselPixel(labelled, state) : undefined;
  const [left, column] = drawSpan(labelled.width, width, vessel && vessel % labelled.width, state);
  const [top, row] = drawSpan(labelled.height, height, vessel && Math.floor(vessel / labelled.width), state);
  const flip = orientations && draw(state) < 0.5;
  const quarters = orientations ? Math.floor(draw(state) * (width === height ? 4 : 2)) : 0;
  const orientation = orient(column, row, width, height, flip, width === height ? quarters : 2 * quarters);
  const angle = (options.rotation ?? 0) * (Math.PI / 180) * (2 * draw(state) - 1);
  const zoom = factor(options.scale, state);
  const [cos, sin] = [Math.cos(angle) / zoom, Math.sin(angle) / zoom];
  const [a, b, c, d] = orientation.matrix;
  return {
    width,
    height,
    matrix: [cos * a - sin * c, cos * b - sin * d, sin * a + cos * c, sin * b + cos * d],
    from: [left + column, top + row],
    at: orientation.at,
  };
}

/** A whole vessel pixel, all equally likely; undefined where there is none. */
function randomVesselPixel({ vessels }: LabelledImage, state: RandomState): number | undefined {
  let count = 0;
  for (const vessel of vessels) count += vessel;
  let left = Math.floor(draw(state) * count);
  for (let pixel = 0; pixel < vessels.length; pixel++) if (vessels[pixel] === 1 && left-- === 0) return pixel;
  return undefined;
}

/**
 * Where a crop begins along one axis, and a position within it: that of `wanted`, or the middle. The crop stays in the
 * picture, or the picture in the crop where that is larger.
 */
function drawSpan(
  size: number,
  crop: number,
  wanted: number | undefined,
  state: RandomState,
): readonly [start: number, position: number] {
  let [low, high] = [Math.min(0, size - crop), Math.max(0, size - crop)];
  if (wanted !== undefined) [low, high] = [Math.max(low, wanted - crop + 1), Math.min(high, wanted)];
  const start = low + Math.floor(draw(state) * (high - low + 1));
  return [start, wanted === undefined ? Math.floor((crop - 1) / 2) : wanted - start];
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

function resample(labelled: LabelledImage, { width, height, matrix, from, at }: Geometry): LabelledImage {
  const image = new Float32Array(width * height * 3);
  const vessels = new Uint8Array(width * height);
  const fieldOfView = new Uint8Array(width * height);
  const [a, b, c, d] = matrix;
  for (let row = 0, pixel = 0; row < height; row++)
    for (let column = 0; column < width; column++, pixel++) {
      const x = from[0] + a * (column - at[0]) + b * (row - at[1]);
      const y = from[1] + c * (column - at[0]) + d * (row - at[1]);
      const [nearX, nearY] = [Math.round(x), Math.round(y)];
      if (nearX < 0 || nearY < 0 || nearX >= labelled.width || nearY >= labelled.height) continue;
      const nearest = nearY * labelled.width + nearX;
      vessels[pixel] = labelled.vessels[nearest];
      fieldOfView[pixel] = labelled.fieldOfView[nearest];
      interpolate(labelled, x, y, image, pixel * 3);
    }
  return { width, height, image, vessels, fieldOfView };
}

/** Writes the three channels at a place between four pixels; the picture's edge pixels stand for those beyond it. */
function interpolate(
  { width, height, image }: LabelledImage,
  x: number,
  y: number,
  out: Float32Array,
  offset: number,
): void {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const [u, v] = [x - left, y - top];
  const x0 = Math.max(left, 0) * 3;
  const x1 = Math.min(left + 1, width - 1) * 3;
  const y0 = Math.max(top, 0) * width * 3;
  const y1 = Math.min(top + 1, height - 1) * width * 3;
  for (let c = 0; c < 3; c++) {
    const above = image[y0 + x0 + c] * (1 - u) + image[y0 + x1 + c] * u;
    const below = image[y1 + x0 + c] * (1 - u) + image[y1 + x1 + c] * u;
    out[offset + c] = above * (1 - v) + below * v;
  }
}

interface Tones {
  readonly gamma: number;
  readonly contrast: number;
  readonly gains: readonly [number, number, number];
}

function drawTones({ gamma, contrast, brightness, colour }: AugmentOptions, state: RandomState): Tones {
  const gain = factor(brightness, state);
  return {
    gamma: factor(gamma, state),
    contrast: factor(contrast, state),
    gains: [gain * factor(colour, state), gain * factor(colour, state), gain * factor(colour, state)],
  };
}

/** Changes the tones of the field of view in place; the surround stays as dark as it is. */
function recolour({ image, fieldOfView }: LabelledImage, { gamma, contrast, gains }: Tones): void {
  for (let c = 0; c < 3; c++) {
    let [sum, count] = [0, 0];
    for (let pixel = 0; pixel < fieldOfView.length; pixel++) {
      if (fieldOfView[pixel] === 0) continue;
      sum += image[pixel * 3 + c] **= gamma;
      count++;
    }
    const shift = (1 - contrast) * (sum / count);
    for (let pixel = 0; pixel < fieldOfView.length; pixel++) {
      if (fieldOfView[pixel] === 0) continue;
      const value = gains[c] * (shift + contrast * image[pixel * 3 + c]);
      image[pixel * 3 + c] = Math.min(1, Math.max(0, value));
    }
  }
}

/** A factor from `1 / (1 + share)` to `1 + share`, as likely above 1 as below. */
function factor(share: number | undefined, state: RandomState): number {
  return (1 + (share ?? 0)) ** (2 * draw(state) - 1);
}

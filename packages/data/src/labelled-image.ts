// A photograph with its labels as bytes, halved again and again: from this random crops are cut.
//
// One pixel of one level is five bytes side by side (red, green, blue, vessel, field of view), so that a crop reads
// everything about a place at once; where vessels are of several classes, a byte for each stands in place of the one. Each level is the one before at half the size, every pixel the mean of the four
// beneath it (the labels too: half a vessel is 127). A crop that zooms out reads a smaller level and skips nothing, and
// all levels together take 4/3 of the first.

import { expectInteger } from "@saunet/core/kernels";
import { type ClassMap, channelsOf, expectSameSize, type Mask, type Photograph } from "./image.ts";

/**
 * Bytes of one pixel: red, green, blue, each class but the background, field of view.
 *
 * @param classes how many there are, the background included; 2 where vessels are of one kind
 * @example
 * console.log(bytesPerPixel()); // 5
 */
export const bytesPerPixel = (classes = 2): number => 3 + classes;

/** One size of a labelled photograph. */
export interface Level {
  readonly width: number;
  readonly height: number;
  /** `[height, width, bytesPerPixel]` */
  readonly pixels: Uint8Array;
}

/** A photograph with its labels, ready for {@link augment}. Its arrays are shared memory where the host has it. */
export interface LabelledImage {
  readonly width: number;
  readonly height: number;
  /** The photograph itself, then smaller and smaller ones. */
  readonly levels: readonly Level[];
  /** How many classes pixels are of, the background included. */
  readonly classes: number;
  /** Where vessels are: numbers of pixels, row by row from the top left. */
  readonly vessels: Uint32Array;
}

/** The shorter side below which no further level is made: a crop hardly ever shows so much of a picture. */
const SMALLEST_SIDE = 32;

/**
 * Puts a photograph and its labels together.
 *
 * @param vessels a mask, or a map of `classes` classes
 * @param options.halvings how often the picture is halved before it is kept; what is finer is thrown away
 * @param options.classes how many classes there are, the background included; default 2
 * @throws ShapeError where the sizes differ; RangeError on an invalid number of halvings, fewer than 2 classes, or a
 *   pixel of another class
 * @example
 * const { image, vessels, fieldOfView } = syntheticFundus({ seed: 1, width: 64, height: 96 });
 * const { levels } = labelledImage(image, vessels, fieldOfView);
 * console.log(levels.map(({ width, height }) => `${width} x ${height}`)); // [ '64 x 96', '32 x 48' ]
 */
export function labelledImage(
  photograph: Photograph,
  vessels: Mask | ClassMap,
  fieldOfView: Mask,
  { halvings = 0, classes = 2 }: { readonly halvings?: number; readonly classes?: number } = {},
): LabelledImage {
  expectSameSize("labelledImage", "vessels", vessels, "the photograph", photograph);
  expectSameSize("labelledImage", "fieldOfView", fieldOfView, "the photograph", photograph);
  expectInteger("labelledImage", "classes", classes, 2);
  let level = interleave(photograph, vessels, fieldOfView, classes);
  for (let i = 0; i < halvings; i++) level = halve(level);
  const levels = [level];
  while (Math.min(level.width, level.height) >= 2 * SMALLEST_SIDE) {
    level = halve(level);
    levels.push(level);
  }
  const { width, height } = levels[0];
  return { width, height, levels, classes, vessels: vesselPixels(levels[0]) };
}

/** Shared memory, so that other threads read the same bytes; browsers have it on isolated pages only. */
function allocate(bytes: number): ArrayBuffer {
  const Buffer = typeof SharedArrayBuffer === "undefined" ? ArrayBuffer : SharedArrayBuffer;
  return new Buffer(bytes) as ArrayBuffer;
}

function interleave(
  photograph: Photograph,
  vessels: Mask | ClassMap,
  fieldOfView: Mask,
  classes: number,
): Level {
  const channels = channelsOf("labelledImage", photograph);
  const { width, height, data } = photograph;
  const pixels = new Uint8Array(allocate(width * height * bytesPerPixel(classes)));
  for (let pixel = 0, i = 0; pixel < width * height; pixel++, i += bytesPerPixel(classes)) {
    const alpha = channels === 4 ? data[pixel * 4 + 3] / 255 : 1;
    for (let c = 0; c < 3; c++) pixels[i + c] = Math.round(data[pixel * channels + c] * alpha);
    const own = vessels.data[pixel];
    if (own >= classes) {
      throw new RangeError(
        `labelledImage: vessels must hold classes from 0 to ${classes - 1} but is ${own} at pixel ${pixel}`,
      );
    }
    if (own > 0) pixels[i + 2 + own] = 255;
    pixels[i + 2 + classes] = 255 * fieldOfView.data[pixel];
  }
  return { width, height, pixels };
}

/** Half the size, rounded down; a last odd row or column is left out. */
function halve({ width, height, pixels }: Level): Level {
  const [W, H] = [Math.floor(width / 2), Math.floor(height / 2)];
  const bytes = pixels.length / (width * height);
  const half = new Uint8Array(allocate(W * H * bytes));
  const row = width * bytes;
  for (let y = 0, o = 0; y < H; y++)
    for (let x = 0; x < W; x++)
      for (let c = 0, i = 2 * (y * row + x * bytes); c < bytes; c++, i++, o++) {
        half[o] = (pixels[i] + pixels[i + bytes] + pixels[i + row] + pixels[i + row + bytes] + 2) >> 2;
      }
  return { width: W, height: H, pixels: half };
}

/** Pixels that are mostly vessel. */
function vesselPixels({ width, height, pixels }: Level): Uint32Array {
  const count = width * height;
  const bytes = pixels.length / count;
  const isVessel = (pixel: number) => {
    let share = 0;
    for (let i = pixel * bytes + 3; i < (pixel + 1) * bytes - 1; i++) share += pixels[i];
    return share > 127;
  };
  let marked = 0;
  for (let pixel = 0; pixel < count; pixel++) if (isVessel(pixel)) marked++;
  const places = new Uint32Array(allocate(4 * marked));
  for (let pixel = 0, next = 0; pixel < count; pixel++) if (isVessel(pixel)) places[next++] = pixel;
  return places;
}

// The two kinds of picture that everything here speaks of: the photograph and the mask. Both are a flat array,
// row by row from the top left. A browser's ImageData is a photograph as it stands.

import { ShapeError } from "@saunet/core";
import { expectInteger } from "@saunet/core/kernels";
import { rowReader } from "./row-reader.ts";

/**
 * A Uint8Array that is no Node `Buffer`, whose `slice` is a view instead of a copy. The compiler refuses a Buffer where
 * this is wanted; `new Uint8Array(buffer)` copies one.
 */
export interface PlainBytes extends Uint8Array {
  /** A method that every Buffer has. */
  readonly readUInt8?: never;
}

/** A colour photograph, 8 bits per channel: three bytes per pixel (RGB) or four (RGBA), told apart by the length. */
export interface Photograph {
  readonly width: number;
  readonly height: number;
  readonly data: PlainBytes | Uint8ClampedArray;
}

/** One byte a pixel: 1 where something is (a vessel, the field of view), 0 elsewhere. */
export interface Mask {
  readonly width: number;
  readonly height: number;
  readonly data: PlainBytes;
}

/** One byte a pixel: the number of its class, 0 for the background. A mask is one of two classes. */
export interface ClassMap {
  readonly width: number;
  readonly height: number;
  readonly data: PlainBytes;
}

/**
 * Checks that the array fills the picture and tells how many channels a pixel has.
 *
 * @throws ShapeError where it does not; RangeError where a side is no count
 * @example
 * console.log(channelsOf("segment", { width: 2, height: 1, data: new Uint8Array(6) })); // 3
 */
export function channelsOf(op: string, photograph: Photograph): 3 | 4 {
  const { width, height, data } = photograph;
  expectInteger(op, "width", width, 1);
  expectInteger(op, "height", height, 1);
  const channels = data.length / (width * height);
  if (channels === 3 || channels === 4) return channels;
  throw new ShapeError(
    `${op}: a photograph of ${width} x ${height} wants ${width * height * 3} bytes (RGB) or ` +
      `${width * height * 4} (RGBA) but has ${data.length}`,
  );
}

/**
 * Throws, naming both sizes, unless the two pictures are equally large.
 *
 * @throws ShapeError otherwise
 * @example
 * try { expectSameSize("overlay", "mask", { width: 2, height: 1 }, "photograph", { width: 2, height: 2 }); }
 * catch (error) { console.log(error.message); } // overlay: mask is 2 x 1 but photograph is 2 x 2
 */
export function expectSameSize(
  op: string,
  name: string,
  picture: { readonly width: number; readonly height: number },
  otherName: string,
  other: { readonly width: number; readonly height: number },
): void {
  if (picture.width === other.width && picture.height === other.height) return;
  throw new ShapeError(
    `${op}: ${name} is ${picture.width} x ${picture.height} but ${otherName} is ${other.width} x ${other.height}`,
  );
}

/**
 * The photograph as a network reads it: `[height, width, 3]`, from 0 to 1. Where a pixel is see-through, black
 * shines through.
 *
 * @throws ShapeError where the array does not fill the picture
 * @example
 * const photograph = { width: 1, height: 1, data: new Uint8Array([255, 51, 0]) };
 * console.log(floatsOf(photograph)); // Float32Array(3) [ 1, 0.20000000298023224, 0 ]
 */
export function floatsOf(photograph: Photograph): Float32Array {
  const readRow = rowReader(photograph, channelsOf("floatsOf", photograph));
  const { width, height } = photograph;
  const floats = new Float32Array(width * height * 3);
  for (let y = 0; y < height; y++) readRow(y, floats.subarray(y * width * 3, (y + 1) * width * 3));
  return floats;
}

/**
 * Back from `[height, width, 3]` to 8 bits, rounded, with what lies outside 0 to 1 clamped.
 *
 * @throws ShapeError where the array does not fill the picture
 * @example
 * console.log(photographOf(new Float32Array([1, 0.2, -3]), 1, 1).data); // Uint8ClampedArray(3) [ 255, 51, 0 ]
 */
export function photographOf(floats: Float32Array, width: number, height: number): Photograph {
  const data = new Uint8ClampedArray(floats.length);
  for (let i = 0; i < floats.length; i++) data[i] = floats[i] * 255;
  const photograph = { width, height, data };
  if (channelsOf("photographOf", photograph) !== 3) {
    throw new ShapeError(
      `photographOf: floats must be [${height},${width},3] but has ${floats.length} numbers`,
    );
  }
  return photograph;
}

/**
 * The share of pixels that a mask marks, within another mask or in the whole picture.
 *
 * @throws ShapeError where the masks differ in size
 * @example
 * console.log(coverage({ width: 2, height: 2, data: Uint8Array.of(1, 0, 0, 0) })); // 0.25
 */
export function coverage(mask: Mask, within?: Mask): number {
  if (within !== undefined) expectSameSize("coverage", "mask", mask, "within", within);
  let marked = 0;
  let all = 0;
  for (let pixel = 0; pixel < mask.data.length; pixel++) {
    if (within !== undefined && within.data[pixel] === 0) continue;
    all++;
    marked += mask.data[pixel];
  }
  return all === 0 ? 0 : marked / all;
}

/** A rectangle of whole pixels. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * The smallest rectangle around all that a mask marks; undefined where it marks nothing.
 *
 * @example
 * const mask = { width: 3, height: 2, data: Uint8Array.of(0, 0, 0, 0, 1, 1) };
 * console.log(boundingBox(mask)); // { left: 1, top: 1, width: 2, height: 1 }
 */
export function boundingBox({ width, height, data }: Mask): Box | undefined {
  let [left, right, top, bottom] = [width, -1, height, -1];
  for (let y = 0; y < height; y++) {
    const row = data.subarray(y * width, (y + 1) * width);
    const first = row.indexOf(1);
    if (first < 0) continue;
    if (top === height) top = y;
    bottom = y;
    left = Math.min(left, first);
    right = Math.max(right, row.lastIndexOf(1));
  }
  if (bottom < 0) return undefined;
  return { left, top, width: right - left + 1, height: bottom - top + 1 };
}

// Layers over a photograph, one RGBA pixel each. How strongly a layer covers is left to whoever draws it.

import type { Mask, Photograph } from "@saunet/data";
import { type Colour, RAMP_COLOURS } from "./ramp.ts";

/** What lies over the photograph. */
export type Layer = "mask" | "probability" | "errors";

/** A green that no fundus has. */
const VESSEL: Colour = [0, 255, 140];
/** Three colours that stay apart for the colour-blind. */
export const ERROR_COLOURS: Readonly<Record<"hit" | "missed" | "falseAlarm", Colour>> = {
  hit: [255, 255, 255],
  missed: [64, 150, 255],
  falseAlarm: [255, 214, 0],
};

/** What a layer is painted from; one element a pixel. */
export interface Painted {
  readonly width: number;
  readonly height: number;
  readonly probability: Float32Array;
  readonly field: Uint8Array;
  readonly truth?: Uint8Array | undefined;
}

/** A colour as one word of an RGBA picture on a little-endian machine, which is every one that runs WebAssembly. */
const word = ([red, green, blue]: Colour): number =>
  ((255 << 24) | (Math.round(blue) << 16) | (Math.round(green) << 8) | Math.round(red)) >>> 0;
const RAMP_WORDS = Uint32Array.from(RAMP_COLOURS, word);

/** Paints a layer; pixels that it does not mark stay clear. */
export function paint(picture: Painted, layer: Layer, threshold: number, fieldOnly: boolean): ImageData {
  const { width, height, probability, field, truth } = picture;
  const image = new ImageData(width, height);
  const words = new Uint32Array(image.data.buffer);
  const vessel = word(VESSEL);
  const [hit, missed, falseAlarm] = [ERROR_COLOURS.hit, ERROR_COLOURS.missed, ERROR_COLOURS.falseAlarm].map(
    (colour) => word(colour),
  );
  for (let i = 0; i < words.length; i++) {
    if (fieldOnly && field[i] === 0) continue;
    const p = probability[i];
    const called = p >= threshold;
    if (layer === "probability") words[i] = RAMP_WORDS[Math.round(255 * p)];
    else if (layer === "mask" || truth === undefined) words[i] = called ? vessel : 0;
    else if (truth[i] === 1) words[i] = called ? hit : missed;
    else words[i] = called ? falseAlarm : 0;
  }
  return image;
}

/** Paints a part of a mask as {@link paint} paints vessels. */
export function paintMask(
  { width: rowLength, data }: Mask,
  part: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
): ImageData {
  const image = new ImageData(part.width, part.height);
  const words = new Uint32Array(image.data.buffer);
  const vessel = word(VESSEL);
  for (let y = 0, i = 0; y < part.height; y++)
    for (let x = 0; x < part.width; x++, i++)
      words[i] = data[(part.y + y) * rowLength + part.x + x] === 1 ? vessel : 0;
  return image;
}

/** A photograph as it is; what it says of transparency does not count. */
export function opaque({ width, height, data }: Photograph): ImageData {
  const channels = data.length / (width * height);
  const image = new ImageData(width, height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let c = 0; c < 3; c++) image.data[4 * pixel + c] = data[channels * pixel + c];
    image.data[4 * pixel + 3] = 255;
  }
  return image;
}

/** A grey picture of values from 0 to 1. */
export function grey(width: number, height: number, value: (pixel: number) => number): ImageData {
  const image = new ImageData(width, height);
  const words = new Uint32Array(image.data.buffer);
  for (let i = 0; i < words.length; i++) {
    const level = Math.round(255 * value(i));
    words[i] = word([level, level, level]);
  }
  return image;
}

// Whether a picture is a photograph or a mask, and of what. People drop a photograph together with its masks; what is
// black and white alone is a mask, and vessels cover less of it than the eye does.

import type { Mask } from "@saunet/data";

/** What a picture shows. */
export type PictureKind = "photograph" | "vessels" | "field";

/** Channels further apart than this show a colour; levels between these are neither black nor white. */
const COLOUR_SPREAD = 24;
const DARK = 48;
const LIGHT = 207;
/** Shares of such pixels that interpolated edges and JPEG make. */
const MOST_COLOURED = 0.01;
const MOST_GREY = 0.05;
/** In the public sets vessels cover 5 to 16 % of the picture, fields of view more than 60 %. */
const LEAST_FIELD = 0.4;

/** Tells what a picture shows. */
export function kindOf({ data }: ImageData): PictureKind {
  const pixels = data.length / 4;
  let [coloured, grey, light] = [0, 0, 0];
  for (let i = 0; i < data.length; i += 4) {
    const high = Math.max(data[i], data[i + 1], data[i + 2]);
    const low = Math.min(data[i], data[i + 1], data[i + 2]);
    if (high - low > COLOUR_SPREAD) coloured++;
    if (high >= DARK && low <= LIGHT) grey++;
    if (low > LIGHT) light++;
  }
  if (light === 0 || coloured > MOST_COLOURED * pixels || grey > MOST_GREY * pixels) return "photograph";
  return light / pixels < LEAST_FIELD ? "vessels" : "field";
}

/** What is brighter than 127 of 255. */
export function maskOf({ width, height, data }: ImageData): Mask {
  const mask = new Uint8Array(width * height);
  for (let pixel = 0; pixel < mask.length; pixel++) mask[pixel] = data[4 * pixel + 1] > 127 ? 1 : 0;
  return { width, height, data: mask };
}

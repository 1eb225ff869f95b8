// Whether a picture is a photograph or a mask, and of what. People drop a photograph together with its masks; what has
// two levels is a mask, as it is to the command, and vessels cover less of it than the eye does.

import { coverage, ImageFileError, type Mask, maskFrom } from "@saunet/data";

/** What a picture shows. */
export type PictureKind = "photograph" | "vessels" | "field";

/** In the public sets vessels cover 5 to 16 % of the picture, fields of view more than 60 %. */
const LEAST_FIELD = 0.4;

/** The mask that a picture is; undefined where it is a photograph, or marks nothing. */
export function maskOf({ width, height, data }: ImageData): Mask | undefined {
  const samples = { width, height, data: new Uint8Array(data.buffer, data.byteOffset, data.length) };
  try {
    const mask = maskFrom("", { ...samples, stride: 4, colours: 3, type: "bytes", white: 255 });
    return coverage(mask) > 0 ? mask : undefined;
  } catch (error) {
    if (error instanceof ImageFileError) return undefined;
    throw error;
  }
}

/** Tells whether a mask marks vessels or a field of view. */
export const kindOfMask = (mask: Mask): "vessels" | "field" =>
  coverage(mask) < LEAST_FIELD ? "vessels" : "field";

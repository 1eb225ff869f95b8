// A picture whose header has been read: its size is judged before anything is decoded.

import { ImageFileError } from "./errors.ts";
import type { Samples } from "./samples.ts";

/** How to read a picture. */
export interface ReadOptions {
  /** More pixels than this are refused before anything is decoded; default: 100 million. */
  readonly maxPixels?: number;
}

/** A picture whose header has been read. */
export interface OpenPicture {
  readonly width: number;
  readonly height: number;
  /** Samples per pixel and bytes per sample, which with the size tell what decoding takes. */
  readonly bytesPerPixel: number;
  readonly decode: () => Promise<Samples>;
}

const MAX_PIXELS = 100_000_000;
/** RGB and alpha of 16 bits. A picture that needs more for each pixel that is allowed is refused, too. */
const MAX_BYTES_PER_PIXEL = 8;

/**
 * Gives the picture back.
 *
 * @param path names the picture in errors
 * @throws ImageFileError where decoding it would take more than is allowed
 */
export function expectFits(
  path: string,
  picture: OpenPicture,
  { maxPixels = MAX_PIXELS }: ReadOptions,
): OpenPicture {
  const { width, height, bytesPerPixel } = picture;
  const pixels = `has ${width} x ${height} = ${width * height} pixels`;
  if (width * height > maxPixels) throw new ImageFileError(path, `${pixels}; the limit is ${maxPixels}`);
  if (width * height * bytesPerPixel > maxPixels * MAX_BYTES_PER_PIXEL) {
    throw new ImageFileError(
      path,
      `${pixels} of ${bytesPerPixel} bytes, which is more than ${maxPixels} pixels take`,
    );
  }
  return picture;
}

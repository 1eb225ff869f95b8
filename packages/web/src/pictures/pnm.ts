// Netpbm, in which STARE comes and which browsers do not decode.

import { decodeNetpbm, netpbmHeader, type Photograph } from "@saunet/data";

/**
 * The picture as RGBA bytes.
 *
 * @throws Error where it is neither binary PPM nor PGM, or cut short
 */
export function decodePnm(bytes: Uint8Array): Photograph {
  const header = netpbmHeader(bytes);
  const decoded = header && decodeNetpbm(bytes, header);
  if (decoded === undefined) throw new Error("decodePnm: no whole binary PPM or PGM");
  const { width, height } = decoded;
  const data = new Uint8ClampedArray(4 * width * height).fill(255);
  for (let pixel = 0; pixel < width * height; pixel++)
    data.set(decoded.data.subarray(3 * pixel, 3 * pixel + 3), 4 * pixel);
  return { width, height, data };
}

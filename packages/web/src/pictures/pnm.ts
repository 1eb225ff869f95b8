// Netpbm, in which STARE comes and which browsers do not decode.

import {
  decodeNetpbm,
  ImageFileError,
  type NetpbmHeader,
  type Photograph,
  photographFrom,
} from "@saunet/data";

/**
 * The picture as RGBA bytes.
 *
 * @throws ImageFileError where it is cut short, or its samples cannot be scaled without a guess
 */
export async function decodePnm(bytes: Uint8Array, header: NetpbmHeader): Promise<Photograph> {
  const { width, height, channels, maximum } = header;
  const samples = await decodeNetpbm(header, whole(bytes));
  if (typeof samples === "string") throw new ImageFileError("", `is damaged or cut short (${samples})`);
  const type = `unsigned integers up to ${maximum}`;
  const { data } = photographFrom("", {
    width,
    height,
    data: samples,
    stride: channels,
    colours: channels,
    type,
    white: maximum,
  });
  const rgba = new Uint8ClampedArray(4 * width * height).fill(255);
  for (let pixel = 0; pixel < width * height; pixel++)
    rgba.set(data.subarray(3 * pixel, 3 * pixel + 3), 4 * pixel);
  return { width, height, data: rgba };
}

async function* whole(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

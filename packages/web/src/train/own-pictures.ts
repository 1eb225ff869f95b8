// Photographs of one's own to learn from, as a worker reads them.

import { fieldOfView, labelledImage, type Mask, type Photograph, resizeValues } from "@saunet/data";
import { autoScale } from "@saunet/model";
import { decodePicture, pixelsOf } from "../pictures/decode.ts";
import type { ScaledImage } from "./training-pictures.ts";

/** A photograph with its vessels, as the first tab holds them. Blobs pass from thread to thread without being copied. */
export interface OwnPicture {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly file: Blob;
  /** A byte a pixel, 0 or 1. */
  readonly vessels: Blob;
  /** The field of view likewise; default: found in the photograph. */
  readonly field?: Blob | undefined;
}

/** A photograph with its labels. */
export interface LabelledPhotograph {
  readonly image: Photograph;
  readonly vessels: Mask;
  readonly fieldOfView: Mask;
}

async function read({ file, vessels, field, width, height }: OwnPicture): Promise<LabelledPhotograph> {
  const bitmap = await decodePicture(file);
  const image = pixelsOf(bitmap);
  bitmap.close();
  const maskOf = async (blob: Blob): Promise<Mask> => ({
    width,
    height,
    data: new Uint8Array(await blob.arrayBuffer()),
  });
  const [own, surround] = [await maskOf(vessels), field && (await maskOf(field))];
  return { image, vessels: own, fieldOfView: surround ?? fieldOfView(image) };
}

/** A photograph to cut crops from. What is finer than the network sees it is thrown away. */
export async function readForTraining(picture: OwnPicture): Promise<ScaledImage> {
  const { image, vessels, fieldOfView } = await read(picture);
  const scale = autoScale(image);
  const halvings = Math.max(0, Math.floor(-Math.log2(scale)));
  const labelled = labelledImage(image, vessels, fieldOfView, { halvings });
  return { labelled, scale: scale * 2 ** halvings };
}

/** A photograph at the scale of the network, to be segmented again and again. */
export async function readForTesting(picture: OwnPicture): Promise<LabelledPhotograph> {
  const { image, vessels, fieldOfView } = await read(picture);
  const scale = autoScale(image);
  const { width, height } = image;
  const size = { width: Math.round(width * scale), height: Math.round(height * scale) };
  const mask = ({ data }: Mask): Mask => {
    const shares = resizeValues(data, { width, height }, size);
    return { ...size, data: Uint8Array.from(shares, (share) => (share >= 0.5 ? 1 : 0)) };
  };
  // Clamped bytes round.
  const data = new Uint8ClampedArray(resizeValues(image.data, { width, height, channels: 4 }, size));
  return { image: { ...size, data }, vessels: mask(vessels), fieldOfView: mask(fieldOfView) };
}

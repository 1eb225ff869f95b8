// The pictures of an evaluated image, small enough that dozens of them fit one file.

import sharp from "sharp";
import type { EvaluatedImage } from "../evaluation.ts";

/** Pictures as `data:` addresses, all of one size. */
export interface ReportPictures {
  readonly width: number;
  readonly height: number;
  readonly photograph: string;
  readonly truth: string;
  readonly prediction: string;
  /** Hits, misses and false alarms. */
  readonly errors: string;
}

/** Colours that people with any kind of colour vision can tell apart, also on a dark background. */
export const ERROR_COLOURS = {
  hit: [232, 232, 232],
  miss: [64, 156, 255],
  falseAlarm: [255, 150, 40],
} as const;

/** Where the field of view has no vessel, and what surrounds it. */
const BACKGROUND = 30;

/** A report of that many bytes still opens at once, and passes by mail. */
const PICTURE_BYTES = 7_000_000;
/** Four pictures an image, at 0.12 bytes per pixel (WebP; measured on CHASE_DB1 and HRF), a third more in base64. */
const BYTES_PER_PIXEL = 4 * 0.12 * (4 / 3);
const [NARROWEST, WIDEST] = [280, 900];

/** How wide the pictures of so many images may be. */
export function pictureWidth(images: number): number {
  const width = Math.floor(Math.sqrt(PICTURE_BYTES / images / BYTES_PER_PIXEL));
  return Math.min(WIDEST, Math.max(NARROWEST, width));
}

/** Draws the pictures of an image, at most so wide; a prediction is vessel from the threshold on. */
export async function drawPictures(
  { photograph, truth, fieldOfView, segmentation }: EvaluatedImage,
  threshold: number,
  widest: number,
): Promise<ReportPictures> {
  const { width, height, probability } = segmentation;
  const levels = (value: (pixel: number) => number) =>
    Uint8Array.from(probability, (_, pixel) => 255 * value(pixel));
  const errors = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < probability.length; pixel++) {
    const background = fieldOfView.data[pixel] === 0 ? 0 : BACKGROUND;
    const kind = kindOf(truth.data[pixel] === 1, probability[pixel] >= threshold);
    errors.set(kind === undefined ? [background, background, background] : ERROR_COLOURS[kind], pixel * 3);
  }
  const encode = async (data: Uint8Array | Uint8ClampedArray) => {
    const channels = (data.length / (width * height)) as 1 | 3 | 4;
    const { data: bytes, info } = await sharp(data, { raw: { width, height, channels } })
      .resize({ width: widest, withoutEnlargement: true })
      .webp({ quality: 75 })
      .toBuffer({ resolveWithObject: true });
    return { info, address: `data:image/webp;base64,${bytes.toString("base64")}` };
  };
  const { info, address } = await encode(photograph.data);
  return {
    width: info.width,
    height: info.height,
    photograph: address,
    truth: (await encode(levels((pixel) => truth.data[pixel]))).address,
    prediction: (await encode(levels((pixel) => probability[pixel]))).address,
    errors: (await encode(errors)).address,
  };
}

function kindOf(isVessel: boolean, isPredicted: boolean): keyof typeof ERROR_COLOURS | undefined {
  if (isVessel) return isPredicted ? "hit" : "miss";
  return isPredicted ? "falseAlarm" : undefined;
}

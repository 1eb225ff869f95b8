// Reading pictures in a worker. The browser decodes what it knows; TIFF, in which some of the public data sets come,
// is decoded by a library that is fetched when the first one arrives.
//
// As in Node (@saunet/data/files): upright, sRGB, 8 bits, see-through pixels over black, size checked before decoding.

import { imageSize } from "image-size";

/** A file that is not what was asked for; the message says why, for a person. */
export class PictureError extends Error {
  override readonly name = "PictureError";
}

/** Kinds that cameras and data sets use and browsers, or we, can read. */
const KINDS = ["jpg", "png", "tiff", "webp", "gif", "bmp", "avif"];
/** More pixels than this are refused before anything is decoded, as in Node. */
const MAX_PIXELS = 100_000_000;
/** The size stands near the start of every kind but TIFF, behind at most some profiles and previews. */
const HEADER_BYTES = 2 ** 20;

/** Decodes a picture. The bitmap is the caller's to close. */
export async function decodePicture(file: Blob): Promise<ImageBitmap> {
  const kind = await checkHeader(file);
  try {
    return kind === "tiff" ? await readTiff(file) : await createImageBitmap(file);
  } catch (error) {
    if (error instanceof PictureError) throw error;
    throw new PictureError("is damaged or cut short");
  }
}

async function checkHeader(file: Blob): Promise<string> {
  if (file.size === 0) throw new PictureError("is empty");
  const start = new Uint8Array(await file.slice(0, HEADER_BYTES).arrayBuffer());
  const isTiff = /^(II\*\0|MM\0\*)/.test(String.fromCharCode(...start.subarray(0, 4)));
  const header = isTiff ? new Uint8Array(await file.arrayBuffer()) : start;
  let found: ReturnType<typeof imageSize> | undefined;
  try {
    found = imageSize(header);
  } catch {
    // What is no picture, and what is too damaged to tell, are one case: there is nothing to decode.
  }
  if (found === undefined || !KINDS.includes(found.type ?? "")) {
    throw new PictureError(
      "is not a picture of a kind that is read here (JPEG, PNG, TIFF, WebP, GIF, BMP, AVIF)",
    );
  }
  const { width, height, type } = found;
  if (width * height > MAX_PIXELS) {
    const millions = (width * height) / 1e6;
    throw new PictureError(
      `has ${width} × ${height} pixels, ${millions.toFixed(0)} million; the limit is ${MAX_PIXELS / 1e6} million`,
    );
  }
  return type!;
}

async function readTiff(file: Blob): Promise<ImageBitmap> {
  const { decodeTiff } = await import("./tiff.ts");
  const { width, height, data } = decodeTiff(new Uint8Array(await file.arrayBuffer()));
  return createImageBitmap(new ImageData(data as Uint8ClampedArray<ArrayBuffer>, width, height));
}

/** The bitmap's pixels, over black. */
export function pixelsOf(bitmap: ImageBitmap): ImageData {
  const { width, height } = bitmap;
  const context = opaqueContext(width, height);
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, width, height);
}

/** A smaller copy, its longer side at most `side`. */
export async function shrink(bitmap: ImageBitmap, side: number): Promise<ImageBitmap> {
  const factor = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
  return createImageBitmap(bitmap, {
    resizeWidth: Math.max(1, Math.round(bitmap.width * factor)),
    resizeHeight: Math.max(1, Math.round(bitmap.height * factor)),
    resizeQuality: "high",
  });
}

/** A canvas to read pixels from; black where nothing is drawn. */
function opaqueContext(width: number, height: number): OffscreenCanvasRenderingContext2D {
  const context = new OffscreenCanvas(width, height).getContext("2d", {
    alpha: false,
    willReadFrequently: true,
  });
  if (context === null) throw new PictureError(`is too large for this browser (${width} × ${height} pixels)`);
  return context;
}

/** A photograph as a PNG file. */
export async function pngOf(pixels: ImageData): Promise<Blob> {
  const canvas = new OffscreenCanvas(pixels.width, pixels.height);
  canvas.getContext("2d")!.putImageData(pixels, 0, 0);
  return canvas.convertToBlob({ type: "image/png" });
}

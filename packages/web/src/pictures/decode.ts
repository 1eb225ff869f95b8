// Reading pictures in a worker. The browser decodes what it knows, once the file is seen to be whole; TIFF and Netpbm, in
// which some of the public data sets come, and DICOM are decoded here, by code that is fetched when the first one arrives.
//
// As in Node (@saunet/data/files): upright, sRGB, 8 bits, see-through pixels over black, size checked before decoding.

import { ImageFileError, isDicom, type NetpbmHeader, netpbmHeader, type Photograph } from "@saunet/data";
import { imageSize } from "image-size";
import { isGzip, unpack } from "./gzip.ts";
import { INKS, isCmykJpeg, isWhole } from "./whole.ts";

/** A file that is not what was asked for; the message says why, for a person. */
export class PictureError extends Error {
  override readonly name = "PictureError";
}

/** Kinds that cameras and data sets use and browsers, or we, can read. */
const KINDS = ["jpg", "png", "tiff", "webp", "gif", "bmp", "avif"];
/** More pixels than this are refused before anything is decoded, as in Node. */
const MAX_PIXELS = 100_000_000;

/** Decodes a picture. The bitmap is the caller's to close. */
export async function decodePicture(file: Blob): Promise<ImageBitmap> {
  if (file.size === 0) throw new PictureError("is empty");
  const packed = new Uint8Array(await file.arrayBuffer());
  const bytes = isGzip(packed) ? await unpacked(file) : packed;
  const header = netpbmHeader(bytes);
  const kind = header !== undefined ? "pnm" : isDicom(bytes) ? "dicom" : kindOfFile(bytes);
  if (header !== undefined) expectFewPixels(header);
  try {
    if (!isWhole(kind, bytes)) throw new PictureError(CUT_SHORT);
    if (kind === "jpg" && isCmykJpeg(bytes)) throw new PictureError(INKS);
    const decoded = await decodeHere(kind, bytes, header);
    if (decoded === undefined) return await createImageBitmap(new Blob([bytes]));
    const { width, height, data } = decoded;
    return await createImageBitmap(new ImageData(data as Uint8ClampedArray<ArrayBuffer>, width, height));
  } catch (error) {
    if (error instanceof PictureError) throw error;
    throw new PictureError(error instanceof ImageFileError ? error.reason : CUT_SHORT);
  }
}

async function unpacked(file: Blob): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await unpack(file).catch(() => {
    throw new PictureError(CUT_SHORT);
  });
  if (bytes === undefined) throw new PictureError("unpacks to more than 512 MB; unpack it before");
  return bytes;
}

const CUT_SHORT = "is damaged or cut short";
const NOT_FETCHED = "is a DICOM file, and what reads those is fetched with the first one, which failed";

/** What browsers do not read, as RGBA; undefined for what they read. */
async function decodeHere(
  kind: string,
  bytes: Uint8Array<ArrayBuffer>,
  header: NetpbmHeader | undefined,
): Promise<Photograph | undefined> {
  if (header !== undefined) return (await import("./pnm.ts")).decodePnm(bytes, header);
  if (kind === "dicom") {
    const { decodeDicomFile } = await import("./dicom.ts").catch(() => {
      throw new PictureError(NOT_FETCHED);
    });
    return decodeDicomFile(bytes);
  }
  return kind === "tiff" ? (await import("./tiff.ts")).decodeTiff(bytes) : undefined;
}

/** The kind of picture that a file holds, if it is read here and not too large. */
function kindOfFile(bytes: Uint8Array): string {
  let found: ReturnType<typeof imageSize> | undefined;
  try {
    found = imageSize(bytes);
  } catch {
    // What is no picture, and what is too damaged to tell, are one case: there is nothing to decode.
  }
  if (found === undefined || !KINDS.includes(found.type ?? "")) {
    throw new PictureError(
      "is not a picture of a kind that is read here (JPEG, PNG, TIFF, WebP, GIF, BMP, AVIF, PPM, PGM, PBM, DICOM)",
    );
  }
  expectFewPixels(found);
  return found.type!;
}

function expectFewPixels({ width, height }: { readonly width: number; readonly height: number }): void {
  if (width * height <= MAX_PIXELS) return;
  const millions = (width * height) / 1e6;
  throw new PictureError(
    `has ${width} × ${height} pixels, ${millions.toFixed(0)} million; the limit is ${MAX_PIXELS / 1e6} million`,
  );
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

// Reading pictures from files by way of sharp. Whatever the file holds (grey, palette, 16 bits, CMYK, an alpha
// channel, a camera held sideways), what comes out is upright RGB of 8 bits.

import { open, readFile, stat } from "node:fs/promises";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import sharp, { type Metadata } from "sharp";
import type { Mask, Photograph } from "../image.ts";
import { firstLine, ImageFileError, systemReason } from "./errors.ts";
import { decodeNetpbm, netpbmHeader } from "./netpbm.ts";

/** How to read a picture. */
export interface ReadOptions {
  /** More pixels than this are refused before anything is decoded; 100 million when left out. */
  readonly maxPixels?: number;
}

const MAX_PIXELS = 100_000_000;

/** Kinds that cameras and data sets use; sharp would also draw SVG and run through the pages of a PDF. */
const FORMATS = ["jpeg", "png", "tiff", "webp", "gif"];

/** What a file must be. */
export const NOT_A_PICTURE = "is not a picture of a kind that is read (JPEG, PNG, TIFF, WebP, GIF, PPM, PGM)";

/**
 * Reads a photograph: JPEG, PNG, TIFF, WebP or GIF, the first page or frame of many, or a binary PPM or PGM; each of
 * them also gzipped. See-through pixels lie over black; colour profiles are converted to sRGB, 16 bits to 8; the EXIF
 * orientation is applied.
 *
 * @throws ImageFileError where the file is missing, empty, damaged, no picture or larger than `maxPixels`
 */
export async function readPhotograph(path: string, options: ReadOptions = {}): Promise<Photograph> {
  const picture = await openPicture(path, options);
  return picture.decode();
}

/**
 * Reads a mask: what is brighter than 127 of 255 is 1, the rest 0.
 *
 * @throws ImageFileError where the file cannot be read, and where it holds a photograph or levels no mask has
 */
export async function readMask(path: string, options: ReadOptions = {}): Promise<Mask> {
  const { width, height, data } = await readPhotograph(path, options);
  const mask = { width, height, data: new Uint8Array(width * height) };
  let [coloured, grey, brightest] = [0, 0, 0];
  for (let pixel = 0, i = 0; pixel < mask.data.length; pixel++, i += 3) {
    const high = Math.max(data[i], data[i + 1], data[i + 2]);
    const low = Math.min(data[i], data[i + 1], data[i + 2]);
    if (high - low > COLOUR_SPREAD) coloured++;
    if (high >= DARK && low <= LIGHT) grey++;
    brightest = Math.max(brightest, high);
    mask.data[pixel] = data[i + 1] > 127 ? 1 : 0;
  }
  const refuse = (what: string): never => {
    throw new ImageFileError(path, `is no mask (black and white): ${what}`);
  };
  const percent = (count: number): string =>
    `${((100 * count) / mask.data.length).toFixed(1)} % of its pixels`;
  if (coloured > MOST_COLOURED * mask.data.length) refuse(`${percent(coloured)} are coloured`);
  if (grey > MOST_GREY * mask.data.length) refuse(`${percent(grey)} are neither black nor white`);
  if (brightest > 0 && brightest <= 127) refuse(`its brightest level is ${brightest} of 255`);
  return mask;
}

/** Channels that lie further apart than this show a colour; the palette of DRIVE's masks is 2 levels off grey. */
const COLOUR_SPREAD = 24;
/** Levels between these are neither black nor white. */
const DARK = 48;
const LIGHT = 207;
/** Interpolated edges and JPEG make a few such pixels; a photograph consists of them. */
const MOST_COLOURED = 0.01;
const MOST_GREY = 0.05;

/**
 * Size of the upright picture in a file, from its header.
 *
 * @throws ImageFileError where the file is missing, empty, no picture or larger than `maxPixels`
 */
export async function readSize(
  path: string,
  options: ReadOptions = {},
): Promise<{ readonly width: number; readonly height: number }> {
  const { width, height } = await openPicture(path, options);
  return { width, height };
}

/** A picture whose header has been read. */
interface OpenPicture {
  readonly width: number;
  readonly height: number;
  readonly decode: () => Promise<Photograph>;
}

async function openPicture(path: string, { maxPixels = MAX_PIXELS }: ReadOptions): Promise<OpenPicture> {
  const content = await contentOf(path, maxPixels);
  const picture = netpbmPicture(path, content) ?? (await sharpPicture(path, content));
  const { width, height } = picture;
  if (width * height > maxPixels) {
    throw new ImageFileError(
      path,
      `has ${width} x ${height} = ${width * height} pixels; the limit is ${maxPixels}`,
    );
  }
  return picture;
}

/** A file by its path, or by its bytes where sharp cannot read it by itself: unpacked, or Netpbm. */
type Content = string | Buffer;

/** Six bytes a pixel are RGB of 16 bits; the rest is for headers, profiles and thumbnails. */
const unpackedLimit = (maxPixels: number): number => 6 * maxPixels + 2 ** 20;

async function contentOf(path: string, maxPixels: number): Promise<Content> {
  const [first, second] = await firstBytes(path);
  const isNetpbm = first === 0x50 && (second === 0x35 || second === 0x36);
  const isGzip = first === 0x1f && second === 0x8b;
  if (!isNetpbm && !isGzip) return path;
  const bytes = await readFile(path);
  if (isNetpbm) return bytes;
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: unpackedLimit(maxPixels) });
  } catch (error) {
    const tooLarge = (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE";
    const reason = tooLarge
      ? `unpacks to more than ${maxPixels} pixels can take`
      : damaged((error as Error).message);
    throw new ImageFileError(path, reason, { cause: error });
  }
}

async function firstBytes(path: string): Promise<Uint8Array> {
  const refuse = (error: unknown): never => {
    throw new ImageFileError(path, systemReason(error), { cause: error });
  };
  const status = await stat(path).catch(refuse);
  if (status.isDirectory()) throw new ImageFileError(path, "is a folder, not a picture");
  if (!status.isFile()) throw new ImageFileError(path, "is not an ordinary file");
  if (status.size === 0) throw new ImageFileError(path, "is empty");
  const file = await open(path).catch(refuse);
  try {
    const { buffer } = await file.read(new Uint8Array(2), 0, 2, 0);
    return buffer;
  } finally {
    await file.close();
  }
}

function netpbmPicture(path: string, content: Content): OpenPicture | undefined {
  if (typeof content === "string") return undefined;
  const header = netpbmHeader(content);
  if (header === undefined) return undefined;
  const { width, height } = header;
  const decode = async () => {
    const photograph = decodeNetpbm(content, header);
    if (photograph === undefined) throw new ImageFileError(path, damaged("too few samples"));
    return photograph;
  };
  return { width, height, decode };
}

async function sharpPicture(path: string, content: Content): Promise<OpenPicture> {
  const { format, autoOrient } = await readMetadata(path, content);
  if (!FORMATS.includes(format)) throw new ImageFileError(path, `${NOT_A_PICTURE} (it is ${format})`);
  const { width, height } = autoOrient;
  return { width, height, decode: () => decode(path, content) };
}

async function readMetadata(path: string, content: Content): Promise<Metadata> {
  try {
    return await sharp(content, { limitInputPixels: false }).metadata();
  } catch (error) {
    const { message } = error as Error;
    const unknown = /unsupported image format/.test(message);
    throw new ImageFileError(path, unknown ? NOT_A_PICTURE : damaged(message), { cause: error });
  }
}

async function decode(path: string, content: Content): Promise<Photograph> {
  try {
    const { data, info } = await sharp(content, { limitInputPixels: false, failOn: "error" })
      .autoOrient()
      .flatten({ background: "black" })
      .toColourspace("srgb")
      .raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, data };
  } catch (error) {
    throw new ImageFileError(path, damaged((error as Error).message), { cause: error });
  }
}

function damaged(message: string): string {
  return `is damaged or cut short (${firstLine(message)})`;
}

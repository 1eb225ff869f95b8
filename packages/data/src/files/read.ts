// Reading pictures from files. Whatever the file holds (grey, palette, 16 bits, CMYK, an alpha channel, a camera held
// sideways), what comes out is upright: RGB of 8 bits, or a mask of 0 and 1.

import type { Mask, Photograph } from "../image.ts";
import { type Content, contentOf, openContent, readWhole, unpackWhole } from "./content.ts";
import { NOT_A_PICTURE, openWithSharp } from "./decode.ts";
import type { DicomFacts } from "./dicom/facts.ts";
import { factsOf, openDicom } from "./dicom/file.ts";
import { isDicom } from "./dicom/head.ts";
import { dicomPicture } from "./dicom/picture.ts";
import { damaged, ImageFileError } from "./errors.ts";
import { maskFrom } from "./mask.ts";
import { decodeNetpbm, leastBytes, type NetpbmHeader, netpbmHeader } from "./netpbm.ts";
import { expectFits, type OpenPicture, type ReadOptions } from "./open-picture.ts";
import { photographFrom } from "./photograph.ts";
import type { Samples } from "./samples.ts";

/**
 * Reads a photograph: JPEG, PNG, TIFF, WebP or GIF, the first page or frame of many (of a TIFF the one that is no
 * thumbnail), or a PPM, PGM or PBM; each of them also gzipped; or DICOM's photographs (docs/data.md). See-through pixels lie over black; colour profiles are
 * converted to sRGB; the EXIF orientation is applied. More than 8 bits are scaled so that the type's white, or the
 * largest value that a Netpbm header states, becomes 255; of floating-point numbers white is 1. docs/data.md has a
 * table of what is read and what is refused.
 *
 * @returns bytes of its own, never a `Buffer`
 * @throws ImageFileError where the file is missing, empty, damaged, no picture or larger than `maxPixels`, and where
 *   its samples cannot be scaled without a guess
 * @example
 * await writePng("eye.png", syntheticFundus({ seed: 1, width: 48, height: 40 }).image);
 * const { width, height, data } = await readPhotograph("eye.png");
 * console.log(width, height, data.length); // 48 40 5760
 */
export async function readPhotograph(path: string, options: ReadOptions = {}): Promise<Photograph> {
  const picture = await openPicture(await openContent(path), options);
  return photographFrom(path, await picture.decode());
}

/**
 * Decodes a photograph from the bytes of a file, as {@link readPhotograph} does from a path.
 *
 * @param bytes the whole file; they are not changed
 * @param options `name` stands for the path in errors: default `photograph`
 * @returns bytes of its own, never a `Buffer`
 * @throws ImageFileError as {@link readPhotograph} does
 * @example
 * const png = await encodePng(syntheticFundus({ seed: 1, width: 48, height: 40 }).image);
 * const { width, height } = await decodePhotograph(png);
 * console.log(width, height); // 48 40
 */
export async function decodePhotograph(
  bytes: Uint8Array,
  { name = "photograph", ...options }: ReadOptions & { readonly name?: string } = {},
): Promise<Photograph> {
  const picture = await openPicture(await contentOf(bytes, name), options);
  return photographFrom(name, await picture.decode());
}

/**
 * Reads a mask of any type that {@link readPhotograph} reads, and of signed integers. It is judged by its own levels:
 * it must have two, or nearly, whatever they are; what lies above the middle between them is 1, the rest 0.
 *
 * @throws ImageFileError where the file cannot be read, and where it holds a photograph or levels no mask has
 * @example
 * await writePng("vessels.png", { width: 2, height: 1, data: Uint8Array.of(0, 1) });
 * console.log((await readMask("vessels.png")).data); // Uint8Array(2) [ 0, 1 ]
 */
export async function readMask(path: string, options: ReadOptions = {}): Promise<Mask> {
  const picture = await openPicture(await openContent(path), options);
  return maskFrom(path, await picture.decode());
}

/**
 * Size of the upright picture in a file, from its header.
 *
 * @throws ImageFileError where the file is missing, empty, no picture or larger than `maxPixels`
 * @example
 * await writePng("size.png", { width: 2, height: 1, data: Uint8Array.of(0, 1) });
 * console.log(await readSize("size.png")); // { width: 2, height: 1 }
 */
export async function readSize(
  path: string,
  options: ReadOptions = {},
): Promise<{ readonly width: number; readonly height: number }> {
  const { width, height } = await openPicture(await openContent(path), options);
  return { width, height };
}

async function openPicture(content: Content, options: ReadOptions): Promise<OpenPicture> {
  return expectFits(content.path, await headerOf(content), options);
}

async function headerOf(content: Content): Promise<OpenPicture> {
  const { path, head, isGzip } = content;
  if (isDicom(head)) return dicomPicture(await openDicom(path, await wholeOf(content)));
  const netpbm = netpbmHeader(head);
  if (netpbm !== undefined) return netpbmPicture(content, netpbm);
  // An archive is unpacked only for what may be a picture.
  if (isGzip && !SIGNATURES.some((signature) => signature.every((byte, i) => byte === head[i]))) {
    throw new ImageFileError(path, NOT_A_PICTURE);
  }
  return openWithSharp(content);
}

/** @throws ImageFileError where it is packed and unpacks to too much */
function wholeOf(content: Content): Promise<Uint8Array> {
  const { source, isGzip, path } = content;
  if (isGzip) return unpackWhole(content);
  return typeof source === "string" ? readWhole(path) : Promise.resolve(source);
}

/**
 * What a DICOM file says of the eye beside its pixels; undefined of a picture of another kind.
 *
 * @throws ImageFileError where the file is missing, damaged, or a DICOM file of something else than a photograph
 * @example
 * await writePng("no-dicom.png", { width: 2, height: 1, data: Uint8Array.of(0, 1) });
 * console.log(await readDicomFacts("no-dicom.png")); // undefined
 */
export async function readDicomFacts(path: string): Promise<DicomFacts | undefined> {
  const content = await openContent(path);
  if (!isDicom(content.head)) return undefined;
  return factsOf((await openDicom(path, await wholeOf(content))).dataset);
}

const ascii = (text: string): number[] => Array.from(text, (character) => character.charCodeAt(0));

/** How JPEG, PNG, TIFF (either order of bytes), WebP and GIF begin. */
const SIGNATURES: readonly (readonly number[])[] = [
  [0xff, 0xd8, 0xff],
  [0x89, ...ascii("PNG")],
  ascii("II"),
  ascii("MM"),
  ascii("RIFF"),
  ascii("GIF8"),
];

function netpbmPicture(content: Content, header: NetpbmHeader): OpenPicture {
  const { path, mostBytes } = content;
  const { width, height, channels, maximum } = header;
  const isWide = maximum > 255;
  const decode = async (): Promise<Samples> => {
    if (leastBytes(header) > mostBytes) throw new ImageFileError(path, damaged("too few samples"));
    const data = await decodeNetpbm(header, content.chunks());
    if (typeof data === "string") throw new ImageFileError(path, damaged(data));
    const type = `unsigned integers up to ${maximum}`;
    return { width, height, data, stride: channels, colours: channels, type, white: maximum };
  };
  return { width, height, bytesPerPixel: channels * (isWide ? 2 : 1), decode };
}

// Decoding by way of sharp. Where a type of sample is more than 8 bits the samples come out as the file holds them:
// libvips would take floats for linear light and integers of 32 bits for those of 8.

import { readFile } from "node:fs/promises";
import { fromHalf } from "@saunet/core/kernels";
import sharp, { type Metadata, type Sharp } from "sharp";
import { type Content, readerIn, unpackWhole } from "./content.ts";
import { damaged, firstLine, ImageFileError } from "./errors.ts";
import type { OpenPicture } from "./open-picture.ts";
import type { SampleArray, Samples } from "./samples.ts";
import { calledUnsigned, coloursOf, mainPage, type TiffPage, tiffPages } from "./tiff.ts";

/** Kinds that cameras and data sets use; sharp would also draw SVG and run through the pages of a PDF. */
const FORMATS = ["jpeg", "png", "tiff", "webp", "gif"];

/** What a file must be. */
export const NOT_A_PICTURE =
  "is not a picture of a kind that is read (JPEG, PNG, TIFF, WebP, GIF, PPM, PGM, PBM, DICOM)";

/** What sharp reads: a path, or bytes that are in memory; and the page of a TIFF. */
interface Source {
  readonly path: string;
  readonly input: string | Uint8Array;
  readonly page: number;
  readonly tiff: TiffPage | undefined;
}

/**
 * Reads the header of a picture.
 *
 * @throws ImageFileError where it is no picture, or one of a kind that is not read
 */
export async function openWithSharp(content: Content): Promise<OpenPicture> {
  const { path } = content;
  const unpacked = content.isGzip ? await unpackWhole(content) : undefined;
  const input = unpacked ?? content.source;
  const pages = await tiffPages(unpacked === undefined ? content.readAt : readerIn(unpacked));
  const page = pages === undefined ? 0 : mainPage(pages);
  if (page === undefined) throw new ImageFileError(path, "holds nothing but a thumbnail");
  const tiff = pages?.[page];
  const reason = tiff && unreadTiff(tiff);
  if (reason !== undefined) throw new ImageFileError(path, reason);
  const source = { path, input, page, tiff };
  const metadata = await readMetadata(source);
  if (!FORMATS.includes(metadata.format)) {
    throw new ImageFileError(path, `${NOT_A_PICTURE} (it is ${metadata.format})`);
  }
  if (metadata.space === "cmyk" && metadata.hasProfile !== true) {
    const why = "without a profile that says which colours they give";
    throw new ImageFileError(path, `holds amounts of inks (CMYK) ${why}; save it as RGB`);
  }
  const type = TYPES[metadata.depth ?? ""];
  if (type === undefined)
    throw new ImageFileError(path, `holds samples of a type that is not read (${metadata.depth})`);
  const { width, height } = metadata.autoOrient;
  const bytesPerPixel = Math.max(3, metadata.channels ?? 3) * type.array.BYTES_PER_ELEMENT;
  return { width, height, bytesPerPixel, decode: () => decode(source, metadata, type) };
}

/** Compressions that libvips is built with here, by their numbers in TIFF. */
const COMPRESSIONS = [1, 2, 3, 4, 5, 6, 7, 8, 32773, 32946, 50001];
const NAMES: Readonly<Record<number, string>> = {
  34661: "JBIG",
  34712: "JPEG 2000",
  33003: "JPEG 2000",
  33005: "JPEG 2000",
  34887: "LERC",
  34892: "JPEG of a raw camera",
  34925: "LZMA",
  34933: "PNG",
  34934: "JPEG XR",
  50000: "Zstandard",
  50002: "JPEG XL",
};

/** Photometric interpretation of luma and two chroma differences. */
const YCBCR = 6;

/** Why a TIFF is not read although it may be whole; undefined where it is read. */
function unreadTiff(tiff: TiffPage): string | undefined {
  const { compression, photometric, samples, bits, formats, extras } = tiff;
  if (!COMPRESSIONS.includes(compression)) {
    return `is compressed in a way that is not read (${NAMES[compression] ?? `number ${compression}`}); save it with LZW or Deflate`;
  }
  if (coloursOf(tiff) === undefined) {
    const name = photometric >= 8 && photometric <= 10 ? "Lab" : `photometric interpretation ${photometric}`;
    return `holds colours of a kind that is not read (${name}); save it as RGB`;
  }
  // libvips asks the JPEG decoder for RGB; other samples it hands out as if they were red, green and blue.
  if (photometric === YCBCR && compression !== 6 && compression !== 7)
    return "holds YCbCr colours outside of JPEG, which are not read; save it as RGB";
  const [size, format] = [bits[0], formats[0]];
  if (bits.some((other) => other !== size) || formats.some((other) => other !== format)) {
    return `holds samples of several types (${bits.join(", ")} bits), which is not read`;
  }
  if (![1, 2, 4, 8, 16, 32].includes(size))
    return `holds samples of ${size} bits, which are not read; save it with 8 or 16`;
  if (photometric <= 1 && extras.length >= 2 && extras.every((extra) => extra === 0)) {
    return `holds ${samples} samples a pixel and calls one of them grey and none a colour or alpha; save it as RGB or grey`;
  }
  if (photometric === 0 && (format !== 1 || size > 16)) {
    return `holds samples of ${size} bits of which 0 is white, which are not read; save it with 0 as black`;
  }
  // libvips divides the colours by the last sample.
  if (extras.length > 1 && extras.includes(1))
    return "holds premultiplied alpha among others, which is not read";
  return undefined;
}

/** A type of samples. */
interface SampleType extends Pick<Samples, "type" | "white"> {
  readonly array: {
    new (buffer: ArrayBufferLike, offset: number, length: number): SampleArray;
    readonly BYTES_PER_ELEMENT: number;
  };
}

/** The types of samples by what sharp calls them. */
const TYPES: Readonly<Record<string, SampleType>> = {
  uchar: { type: "unsigned integers of 8 bits", array: Uint8Array, white: 2 ** 8 - 1 },
  ushort: { type: "unsigned integers of 16 bits", array: Uint16Array, white: 2 ** 16 - 1 },
  uint: { type: "unsigned integers of 32 bits", array: Uint32Array, white: 2 ** 32 - 1 },
  char: { type: "signed integers of 8 bits", array: Int8Array, white: undefined },
  short: { type: "signed integers of 16 bits", array: Int16Array, white: undefined },
  int: { type: "signed integers of 32 bits", array: Int32Array, white: undefined },
  float: { type: "floating-point numbers", array: Float32Array, white: 1 },
};

async function readMetadata({ path, input, page }: Source): Promise<Metadata> {
  try {
    return await sharp(input, { limitInputPixels: false, page }).metadata();
  } catch (error) {
    const { message } = error as Error;
    const isUnknown = /unsupported image format/.test(message);
    throw new ImageFileError(path, isUnknown ? NOT_A_PICTURE : failure(message), { cause: error });
  }
}

async function decode(
  source: Source,
  metadata: Metadata,
  { type, array, white }: SampleType,
): Promise<Samples> {
  const { path, input, page, tiff } = source;
  const { depth = "uchar", space = "srgb", hasProfile } = metadata;
  // Eight and sixteen bits are brought to RGB, whatever they are; others stay in the space that libvips takes them for.
  const isUsual = depth === "uchar" || depth === "ushort";
  const alpha = alphaOf(metadata, tiff);
  if (!isUsual && alpha !== undefined) {
    throw new ImageFileError(path, `holds ${type} with alpha, which is not read; save it with 8 or 16 bits`);
  }
  if (tiff !== undefined && space === "grey16" && !isUsual)
    return decodeGrey16(source, tiff, { type, array, white });
  const picture = sharp(input, { ...HOW, page, ignoreIcc: !isUsual })
    .autoOrient()
    .toColourspace(depth === "uchar" ? "srgb" : depth === "ushort" ? "rgb16" : space);
  // Colours of 16 bits are brought to Display P3 where they have a profile, and have to be brought to sRGB from there.
  if (depth === "ushort" && hasProfile) picture.withIccProfile("srgb");
  const { width, height, stride, bytes } = await rawOf(path, picture.raw({ depth }));
  const data = new array(bytes.buffer, 0, bytes.length / array.BYTES_PER_ELEMENT);
  return { width, height, data, stride, colours: stride >= 3 ? 3 : 1, alpha, type, white };
}

/** Grey pictures of 16 bits that are signed or floating point: decoded as unsigned, then taken for what they are. */
async function decodeGrey16(
  { path, input, page }: Source,
  tiff: TiffPage,
  { type, white }: SampleType,
): Promise<Samples> {
  const file = typeof input === "string" ? await readFile(input) : input;
  const picture = sharp(calledUnsigned(file, tiff), { ...HOW, page, ignoreIcc: true })
    .autoOrient()
    .toColourspace("grey16")
    .raw({ depth: "ushort" });
  const { width, height, stride, bytes } = await rawOf(path, picture);
  const bits = new Uint16Array(bytes.buffer);
  const isFloat = tiff.formats[0] === 3;
  const data = isFloat ? Float32Array.from(bits, fromHalf) : new Int16Array(bytes.buffer);
  return { width, height, data, stride, colours: 1, type, white };
}

const HOW = { limitInputPixels: false, failOn: "error" } as const;

async function rawOf(path: string, picture: Sharp) {
  try {
    const { data, info } = await picture.toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, stride: info.channels, bytes: ownBytes(data) };
  } catch (error) {
    throw new ImageFileError(path, failure((error as Error).message), { cause: error });
  }
}

/** Which sample is alpha once the colours are RGB. In a TIFF only what the file calls alpha is. */
function alphaOf({ hasAlpha }: Metadata, tiff: TiffPage | undefined): number | undefined {
  if (tiff === undefined) return hasAlpha ? 3 : undefined;
  const index = tiff.extras.findIndex((extra) => extra === 1 || extra === 2);
  return index < 0 ? undefined : 3 + index;
}

/** Bytes that belong to nobody else: a Buffer's `slice` is a view, and so would be copies of it. */
function ownBytes(buffer: Buffer): Uint8Array {
  const isWhole = buffer.byteLength === buffer.buffer.byteLength;
  return isWhole ? new Uint8Array(buffer.buffer) : Uint8Array.from(buffer);
}

/** What libvips complains of: a file that is not whole, or one of a kind that it does not know. */
function failure(message: string): string {
  return /unsupported|not supported|not implemented|not configured|out of range$|not a whole number/i.test(
    message,
  )
    ? `is of a kind that is not read (${firstLine(message)})`
    : damaged(message);
}

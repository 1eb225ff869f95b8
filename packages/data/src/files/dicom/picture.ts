// The pixels of a DICOM photograph. dcmjs-codecs unpacks them; what they mean is said by a dozen attributes (DICOM PS3.3,
// section C.7.6.3).

import { damaged, ImageFileError } from "../errors.ts";
import type { OpenPicture } from "../open-picture.ts";
import type { Samples } from "../samples.ts";
import { type Dataset, type DicomFile, dicomLibraries, messageOf, numberOf } from "./file.ts";

const EXPLICIT = "1.2.840.10008.1.2.1";

/** Transfer syntaxes that are read, and whether their pixels are as they are. */
const SYNTAXES: Readonly<Record<string, boolean>> = {
  "1.2.840.10008.1.2": true,
  [EXPLICIT]: true,
  "1.2.840.10008.1.2.4.50": false,
  "1.2.840.10008.1.2.4.70": false,
  "1.2.840.10008.1.2.4.80": false,
  "1.2.840.10008.1.2.4.81": false,
  "1.2.840.10008.1.2.4.90": false,
  "1.2.840.10008.1.2.4.91": false,
  "1.2.840.10008.1.2.5": false,
};

/** How many samples a pixel has, by what they mean. JPEG and JPEG 2000 become RGB while they are unpacked. */
const COLOURS: Readonly<Record<string, 1 | 3>> = {
  MONOCHROME1: 1,
  MONOCHROME2: 1,
  RGB: 3,
  YBR_FULL: 3,
  YBR_FULL_422: 3,
  YBR_ICT: 3,
  YBR_RCT: 3,
};

/**
 * The picture of a DICOM file.
 *
 * @throws ImageFileError where it holds no picture, several, or one of a kind that is not read
 */
export function dicomPicture(file: DicomFile): OpenPicture {
  const { path, dataset, transferSyntax } = file;
  const refuse = (reason: string): never => {
    throw new ImageFileError(path, `is a DICOM file that ${reason}`);
  };
  const { PhotometricInterpretation: photometric } = dataset;
  const [width = 0, height = 0] = [numberOf(dataset, "Columns"), numberOf(dataset, "Rows")];
  const [allocated = 0, frames = 1] = [
    numberOf(dataset, "BitsAllocated"),
    numberOf(dataset, "NumberOfFrames"),
  ];
  const colours = COLOURS[String(photometric)];
  const stored = numberOf(dataset, "BitsStored") ?? allocated;
  if (dataset.PixelData === undefined) refuse("holds no pixels");
  if (!Object.hasOwn(SYNTAXES, transferSyntax)) {
    refuse(`is packed in a way that is not read (transfer syntax ${transferSyntax.slice(0, 64)})`);
  }
  if (frames !== 1) refuse(`holds ${frames} frames; save each by itself`);
  if (colours === undefined)
    refuse(`holds colours of a kind that is not read (${String(photometric).slice(0, 40)})`);
  if (numberOf(dataset, "SamplesPerPixel") !== colours) refuse("contradicts itself about its colours");
  if (numberOf(dataset, "PixelRepresentation") === 1) {
    refuse("holds signed integers, for which nobody has agreed on black and white");
  }
  if (!(width > 0 && height > 0 && Number.isInteger(width) && Number.isInteger(height)))
    refuse("has no size");
  if ((allocated !== 8 && allocated !== 16) || !(stored > 1 && stored <= allocated)) {
    refuse(`holds samples of ${stored} in ${allocated} bits, which are not read`);
  }
  const bytesPerPixel = (colours * allocated) / 8;
  return {
    width,
    height,
    bytesPerPixel,
    decode: () => decode(file, { width, height, colours, allocated, stored }),
  };
}

interface Layout {
  readonly width: number;
  readonly height: number;
  readonly colours: 1 | 3;
  readonly allocated: number;
  readonly stored: number;
}

async function decode(file: DicomFile, layout: Layout): Promise<Samples> {
  const { path } = file;
  const { width, height, colours, allocated, stored } = layout;
  const dataset = await unpacked(file);
  const bytes = bytesOf(dataset.PixelData);
  const count = width * height * colours;
  const isHalved = dataset.PhotometricInterpretation === "YBR_FULL_422";
  if (isHalved) {
    throw new ImageFileError(
      path,
      "is a DICOM file with colours at half size outside of JPEG, which are not read",
    );
  }
  if (bytes === undefined || bytes.length < (count * allocated) / 8) {
    throw new ImageFileError(path, damaged("too few samples"));
  }
  const words = allocated === 8 ? bytes : new Uint16Array(bytes.slice(0, 2 * count).buffer);
  const white = 2 ** stored - 1;
  const shift = (numberOf(dataset, "HighBit") ?? stored - 1) + 1 - stored;
  // Uninvolved bits once held overlays.
  const own = words.subarray(0, count).map((word) => (word >> Math.max(0, shift)) & white);
  const data = numberOf(dataset, "PlanarConfiguration") === 1 && colours === 3 ? interleaved(own) : own;
  if (dataset.PhotometricInterpretation === "MONOCHROME1") {
    for (let i = 0; i < data.length; i++) data[i] = white - data[i];
  }
  if (dataset.PhotometricInterpretation === "YBR_FULL") toRgb(data, white);
  const type = `unsigned integers of ${stored} bits`;
  return { width, height, data, stride: colours, colours, type, white };
}

/** The attributes with pixels that are as they are. */
async function unpacked({ path, dataset, transferSyntax, buffer }: DicomFile): Promise<Dataset> {
  if (SYNTAXES[transferSyntax]) return dataset;
  const { codecs } = await dicomLibraries(path);
  await codecs.NativeCodecs.initializeAsync().catch((error: unknown) => {
    const why = `the codecs of dcmjs-codecs fail (${messageOf(error)})`;
    throw new ImageFileError(path, `is a DICOM file with packed pixels, and ${why}`, { cause: error });
  });
  try {
    const transcoder = new codecs.Transcoder(buffer);
    transcoder.transcode(EXPLICIT);
    return transcoder.getElements();
  } catch (error) {
    throw new ImageFileError(path, damaged(messageOf(error)), { cause: error });
  }
}

/** Pixel data comes as a buffer, a view, or a list of one of them. */
function bytesOf(value: unknown): Uint8Array | undefined {
  const [first] = Array.isArray(value) ? value : [value];
  if (first instanceof ArrayBuffer) return new Uint8Array(first);
  return ArrayBuffer.isView(first)
    ? new Uint8Array(first.buffer, first.byteOffset, first.byteLength)
    : undefined;
}

/** From plane after plane to pixel after pixel. */
function interleaved<T extends Uint8Array | Uint16Array>(planes: T): T {
  const pixels = planes.slice() as T;
  const count = planes.length / 3;
  for (let pixel = 0; pixel < count; pixel++)
    for (let c = 0; c < 3; c++) pixels[3 * pixel + c] = planes[c * count + pixel];
  return pixels;
}

/** From luma and two chroma differences (ITU-R BT.601, full range; DICOM PS3.3, section C.7.6.3.1.2), in place. */
function toRgb(data: Uint8Array | Uint16Array, white: number): void {
  const middle = (white + 1) / 2;
  const whole = (value: number) => Math.min(white, Math.max(0, Math.round(value)));
  for (let i = 0; i < data.length; i += 3) {
    const [y, blue, red] = [data[i], data[i + 1] - middle, data[i + 2] - middle];
    data[i] = whole(y + 1.402 * red);
    data[i + 1] = whole(y - 0.344136 * blue - 0.714136 * red);
    data[i + 2] = whole(y + 1.772 * blue);
  }
}

// Pictures as PNG.

import sharp from "sharp";
import { channelsOf, type Mask, type Photograph } from "../image.ts";
import { writeWhole } from "./write-whole.ts";

/** Levels of grey, one byte a pixel. */
export interface GreyPicture {
  readonly width: number;
  readonly height: number;
  readonly levels: Uint8Array | Uint8ClampedArray;
}

/**
 * How PNG is compressed. Of a photograph with its overlay of 999 x 960 pixels level 3 with filters made 851 kB in 64 ms, level
 * 6 820 kB in 118 ms; maps of probabilities and masks are smallest, and fastest, without filters (123 and 15 kB, 11 and 8 ms).
 */
const GREY = { compressionLevel: 6, adaptiveFiltering: false } as const;
const COLOUR = { compressionLevel: 3, adaptiveFiltering: true } as const;

/**
 * Writes a photograph, a mask (as black and white) or levels of grey as PNG. The file is written under another name
 * beside the target and then renamed: where that fails, what was there before is still there.
 *
 * @throws ImageFileError naming the path where it cannot be written
 * @throws RangeError where the array does not fill the picture, or a mask holds anything but 0 and 1
 * @example
 * await writePng("grey.png", { width: 2, height: 1, levels: Uint8Array.of(0, 128) });
 * console.log(await readSize("grey.png")); // { width: 2, height: 1 }
 */
export async function writePng(path: string, picture: Photograph | Mask | GreyPicture): Promise<void> {
  await writeWhole(path, await encodePng(picture));
}

/**
 * A photograph, a mask (as black and white) or levels of grey as the bytes of a PNG.
 *
 * @throws RangeError where the array does not fill the picture, or a mask holds anything but 0 and 1
 * @example
 * const png = await encodePng({ width: 2, height: 1, data: Uint8Array.of(0, 1) });
 * console.log(String.fromCharCode(...png.subarray(1, 4))); // PNG
 */
export async function encodePng(picture: Photograph | Mask | GreyPicture): Promise<Uint8Array> {
  const { width, height } = picture;
  const { data, channels } = bytesOf(picture);
  const raw = sharp(data, { raw: { width, height, channels }, limitInputPixels: false });
  const png = channels === 1 ? raw.toColourspace("b-w").png(GREY) : raw.toColourspace("srgb").png(COLOUR);
  return new Uint8Array(await png.toBuffer());
}

function bytesOf(picture: Photograph | Mask | GreyPicture) {
  const { width, height } = picture;
  if ("levels" in picture) {
    if (picture.levels.length !== width * height) {
      throw new RangeError(
        `writePng: ${width} x ${height} wants ${width * height} levels but has ${picture.levels.length}`,
      );
    }
    return { data: picture.levels, channels: 1 as const };
  }
  if (picture.data.length !== width * height)
    return { data: picture.data, channels: channelsOf("writePng", picture) };
  const data = new Uint8Array(picture.data.length);
  for (let pixel = 0; pixel < data.length; pixel++) {
    const value = picture.data[pixel];
    if (value > 1)
      throw new RangeError(`writePng: a mask must hold 0 and 1 but holds ${value}; grey goes in \`levels\``);
    data[pixel] = 255 * value;
  }
  return { data, channels: 1 as const };
}

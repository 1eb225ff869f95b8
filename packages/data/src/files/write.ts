// Pictures as PNG.

import { PNG } from "pngjs";
import { channelsOf, type Mask, type Photograph } from "../image.ts";
import { writeWhole } from "./write-whole.ts";

/** Levels of grey, one byte a pixel. */
export interface GreyPicture {
  readonly width: number;
  readonly height: number;
  readonly levels: Uint8Array | Uint8ClampedArray;
}

/** PNG's numbers for grey, RGB and RGBA. */
const COLOUR_TYPES = { 1: 0, 3: 2, 4: 6 } as const;

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
export function encodePng(picture: Photograph | Mask | GreyPicture): Promise<Uint8Array> {
  const { width, height } = picture;
  const { data, channels } = bytesOf(picture);
  const colorType = COLOUR_TYPES[channels];
  const png = new PNG({ width, height, colorType, inputColorType: colorType, inputHasAlpha: channels === 4 });
  png.data = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    png.on("data", (part: Buffer) => parts.push(part));
    png.on("end", () => resolve(new Uint8Array(Buffer.concat(parts))));
    png.on("error", reject);
    png.pack();
  });
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

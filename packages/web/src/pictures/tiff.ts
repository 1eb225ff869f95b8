// TIFF, in which some of the public data sets come and which most browsers do not decode.

import { ImageFileError, type Photograph } from "@saunet/data";
import { decode, decodeImage, type IFD, toRGBA8 } from "utif2";
import { INKS } from "./whole.ts";

/** Inks, among the photometric interpretations (tag 262). */
const SEPARATED = 5;

/**
 * The first page as RGBA bytes, see-through pixels over black.
 *
 * @throws Error where it cannot be decoded
 */
export function decodeTiff(bytes: Uint8Array<ArrayBuffer>): Photograph {
  const [page] = decode(bytes.buffer);
  expectWhole(page, bytes.length);
  if ((page.t262 as number[] | undefined)?.[0] === SEPARATED) throw new ImageFileError("the file", INKS);
  decodeImage(bytes.buffer, page);
  const { width, height } = page;
  const data = new Uint8ClampedArray(toRGBA8(page));
  for (let i = 0; i < data.length; i += 4) {
    const opacity = data[i + 3] / 255;
    for (let c = 0; c < 3; c++) data[i + c] *= opacity;
    data[i + 3] = 255;
  }
  return { width, height, data };
}

/** The library reads what is missing as black; so it is looked at first whether all strips or tiles are there. */
function expectWhole(page: IFD, length: number): void {
  const numbers = (...tags: string[]) => tags.flatMap((tag) => (page[tag] as number[] | undefined) ?? []);
  const [starts, sizes] = [numbers("t273", "t324"), numbers("t279", "t325")];
  if (starts.length === 0 || starts.some((start, i) => start + (sizes[i] ?? 0) > length)) {
    throw new Error("decodeTiff: the file is cut short");
  }
}

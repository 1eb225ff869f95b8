// Binary Netpbm pictures, P5 (grey) and P6 (colour): what STARE is made of, and what sharp does not read. The libraries
// on npm that do stop at a comment between the sizes or at a header on one line, which STARE has both.
//
// Source: the ppm and pgm pages of the Netpbm manual. A header is four words (kind, width, height, largest value) in
// any white space; a `#` begins a comment that ends with its line; one white space character parts it from the samples.

import type { Photograph } from "../image.ts";

/** What a header says. */
export interface NetpbmHeader {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  /** The sample that stands for full brightness, 1 … 65535; above 255 a sample takes two bytes. */
  readonly maximum: number;
  /** Where the samples begin. */
  readonly start: number;
}

const SPACE = /\s/;

/**
 * Reads the header of a binary Netpbm picture (P5 or P6).
 *
 * @returns undefined where the bytes are something else
 * @example
 * const bytes = new TextEncoder().encode("P5 2 1 255 ab");
 * console.log(netpbmHeader(bytes)); // { width: 2, height: 1, channels: 1, maximum: 255, start: 11 }
 */
export function netpbmHeader(bytes: Uint8Array): NetpbmHeader | undefined {
  const words: string[] = [];
  let at = 0;
  let comment = false;
  let word = "";
  for (; at < bytes.length && words.length < 4; at++) {
    const character = String.fromCharCode(bytes[at]);
    if (comment) comment = character !== "\n" && character !== "\r";
    else if (character === "#") comment = true;
    else if (!SPACE.test(character)) word += character;
    if ((comment || SPACE.test(character)) && word !== "") {
      words.push(word);
      word = "";
      if (words.length === 1 && words[0] !== "P5" && words[0] !== "P6") return undefined;
    }
  }
  const [kind, ...sizes] = words;
  const [width, height, maximum] = sizes.map((size) => (/^\d+$/.test(size) ? Number(size) : 0));
  if (sizes.length < 3 || width < 1 || height < 1 || maximum < 1 || maximum > 65535) return undefined;
  return { width, height, channels: kind === "P5" ? 1 : 3, maximum, start: at };
}

/**
 * Decodes the samples that follow a header: to RGB of 8 bits, grey on all three channels.
 *
 * @returns undefined where there are too few
 * @example
 * const bytes = new TextEncoder().encode("P5 2 1 255 ab");
 * const { data } = decodeNetpbm(bytes, netpbmHeader(bytes)!)!;
 * console.log(data.length, data[0], data[5]); // 6 97 98
 */
export function decodeNetpbm(bytes: Uint8Array, header: NetpbmHeader): Photograph | undefined {
  const { width, height, channels, maximum, start } = header;
  const wide = maximum > 255;
  const samples = width * height * channels;
  if (bytes.length - start < samples * (wide ? 2 : 1)) return undefined;
  const sample = (i: number) =>
    wide ? 256 * bytes[start + 2 * i] + bytes[start + 2 * i + 1] : bytes[start + i];
  // Assignment to clamped bytes rounds.
  const data = new Uint8ClampedArray(width * height * 3);
  for (let i = 0; i < data.length; i++) {
    data[i] = (sample(channels === 1 ? Math.floor(i / 3) : i) * 255) / maximum;
  }
  return { width, height, data };
}

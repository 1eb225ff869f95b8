// What the directories of a TIFF say, which libvips keeps to itself: how many of the samples are colours, whether the
// others are alpha, what kind of numbers they are, and which page is only a thumbnail of another.
//
// Source: TIFF 6.0 and the BigTIFF proposal. Only numbers of these few tags are read; pixels are left to sharp, so
// there is no need for a library that would read them too.

/** Reads bytes of a file; fewer than wanted at its end. */
export type ReadAt = (offset: number, length: number) => Promise<Uint8Array>;

/** One page of a TIFF. Numbers are those of the specification. */
export interface TiffPage {
  readonly width: number;
  readonly height: number;
  readonly compression: number;
  /** 0 and 1 grey, 2 RGB, 3 palette, 5 CMYK, 6 YCbCr, 8 Lab */
  readonly photometric: number;
  /** Samples per pixel. */
  readonly samples: number;
  /** Bits of each sample. */
  readonly bits: readonly number[];
  /** Of each sample: 1 unsigned, 2 signed, 3 floating point. */
  readonly formats: readonly number[];
  /** Where the file says so: the place of each number, and which of its two bytes comes first. */
  readonly formatsAt: { readonly offset: number; readonly isLittle: boolean } | undefined;
  /** Of each sample beyond the colours: 1 premultiplied alpha, 2 alpha, 0 anything else. */
  readonly extras: readonly number[];
  /** The file calls it a smaller version of another page. */
  readonly isReduced: boolean;
}

const TAGS = {
  subfile: 254,
  oldSubfile: 255,
  width: 256,
  height: 257,
  bits: 258,
  compression: 259,
  photometric: 262,
  samples: 277,
  extras: 338,
  formats: 339,
} as const;

/** Bytes of one number, by the specification's number for its type: BYTE, SHORT, LONG, LONG8. */
const SIZES: Readonly<Record<number, number>> = { 1: 1, 3: 2, 4: 4, 16: 8 };

/** Pages beyond this many are not looked at: a stack of slices, not a photograph. */
const MOST_PAGES = 64;
/** No entry of interest has more numbers than a pixel has samples. */
const MOST_NUMBERS = 64;

/**
 * Reads the directories of a TIFF.
 *
 * @returns undefined where the file is no TIFF or its first directory cannot be read
 */
export async function tiffPages(read: ReadAt): Promise<readonly TiffPage[] | undefined> {
  const layout = layoutOf(await read(0, 16));
  if (layout === undefined) return undefined;
  const pages: TiffPage[] = [];
  const seen = new Set<number>();
  let offset = layout.first;
  while (offset > 0 && !seen.has(offset) && pages.length < MOST_PAGES) {
    seen.add(offset);
    const directory = await readDirectory(read, layout, offset);
    if (directory === undefined) break;
    pages.push(pageOf(directory.numbers, directory.formatsAt));
    offset = directory.next;
  }
  return pages.length === 0 ? undefined : pages;
}

/** How a file writes its numbers. */
interface Layout {
  readonly isLittle: boolean;
  readonly isBig: boolean;
  /** Where the first directory is. */
  readonly first: number;
}

function layoutOf(head: Uint8Array): Layout | undefined {
  if (head.length < 16) return undefined;
  const isLittle = head[0] === 0x49 && head[1] === 0x49;
  if (!isLittle && !(head[0] === 0x4d && head[1] === 0x4d)) return undefined;
  const version = numberAt(head, 2, 2, isLittle);
  if (version === 42) return { isLittle, isBig: false, first: numberAt(head, 4, 4, isLittle) };
  if (version === 43) return { isLittle, isBig: true, first: numberAt(head, 8, 8, isLittle) };
  return undefined;
}

function numberAt(bytes: Uint8Array, at: number, size: number, isLittle: boolean): number {
  let value = 0;
  for (let i = 0; i < size; i++) value = 256 * value + bytes[isLittle ? at + size - 1 - i : at + i];
  return value;
}

/** The numbers of each tag of interest, and where the next directory is. */
async function readDirectory(read: ReadAt, { isLittle, isBig }: Layout, offset: number) {
  const word = isBig ? 8 : 4;
  const [countSize, entrySize] = isBig ? [8, 20] : [2, 12];
  const count = await readNumber(read, offset, countSize, isLittle);
  // Directories of cameras have some hundred entries; a count beyond is damage.
  if (count === undefined || count > 4096) return undefined;
  const entries = await read(offset + countSize, count * entrySize + word);
  if (entries.length < count * entrySize + word) return undefined;
  const numbers = new Map<number, number[]>();
  const wanted: readonly number[] = Object.values(TAGS);
  let formatsAt: TiffPage["formatsAt"];
  for (let at = 0; at < count * entrySize; at += entrySize) {
    const tag = numberAt(entries, at, 2, isLittle);
    const size = SIZES[numberAt(entries, at + 2, 2, isLittle)];
    const length = numberAt(entries, at + 4, word, isLittle);
    if (!wanted.includes(tag) || size === undefined || length > MOST_NUMBERS) continue;
    const place = at + 4 + word;
    const isInside = size * length <= word;
    const start = isInside ? offset + countSize + place : numberAt(entries, place, word, isLittle);
    const bytes = await read(start, size * length);
    if (bytes.length < size * length) continue;
    if (tag === TAGS.formats && size === 2) formatsAt = { offset: start, isLittle };
    numbers.set(
      tag,
      Array.from({ length }, (_, i) => numberAt(bytes, i * size, size, isLittle)),
    );
  }
  return { numbers, formatsAt, next: numberAt(entries, count * entrySize, word, isLittle) };
}

async function readNumber(read: ReadAt, offset: number, size: number, isLittle: boolean) {
  const bytes = await read(offset, size);
  return bytes.length < size ? undefined : numberAt(bytes, 0, size, isLittle);
}

/**
 * The file with a page whose samples are called unsigned integers. libvips takes every grey picture of 16 bits for one
 * of those, and would cut off what is below zero or between whole numbers.
 */
export function calledUnsigned(file: Uint8Array, { formats, formatsAt }: TiffPage): Uint8Array {
  if (formatsAt === undefined) return file;
  const copy = Uint8Array.from(file);
  const [low, high] = formatsAt.isLittle ? [0, 1] : [1, 0];
  formats.forEach((_, i) => {
    copy[formatsAt.offset + 2 * i + low] = 1;
    copy[formatsAt.offset + 2 * i + high] = 0;
  });
  return copy;
}

/** Colours by the number of the photometric interpretation. */
const COLOURS: Readonly<Record<number, number>> = { 0: 1, 1: 1, 2: 3, 3: 1, 5: 4, 6: 3, 8: 3 };

/** How many of a page's samples are colours; undefined where its photometric interpretation is not read. */
export const coloursOf = ({ photometric }: TiffPage): number | undefined => COLOURS[photometric];

function pageOf(numbers: ReadonlyMap<number, readonly number[]>, formatsAt: TiffPage["formatsAt"]): TiffPage {
  const one = (tag: number, otherwise: number) => numbers.get(tag)?.[0] ?? otherwise;
  const samples = one(TAGS.samples, 1);
  const photometric = one(TAGS.photometric, 1);
  const colours = COLOURS[photometric] ?? samples;
  const beyond = Math.max(0, Math.min(MOST_NUMBERS, samples - colours));
  const extras = numbers.get(TAGS.extras) ?? [];
  return {
    width: one(TAGS.width, 0),
    height: one(TAGS.height, 0),
    compression: one(TAGS.compression, 1),
    photometric,
    samples,
    bits: numbers.get(TAGS.bits) ?? [1],
    formats: numbers.get(TAGS.formats) ?? [1],
    formatsAt,
    extras: Array.from({ length: beyond }, (_, i) => extras[i] ?? 0),
    isReduced: one(TAGS.subfile, 0) % 2 === 1 || one(TAGS.oldSubfile, 1) === 2,
  };
}

/**
 * The page that holds the picture: the first, unless that is a thumbnail. It is one where the file says so, or where
 * a larger page has its proportions.
 *
 * @returns its number; undefined where the file holds nothing but thumbnails
 */
export function mainPage(pages: readonly TiffPage[]): number | undefined {
  const [first] = pages;
  const candidates = pages
    .map((page, number) => ({ page, number }))
    .filter(({ page }) => !page.isReduced && (first.isReduced || isEnlarged(page, first)));
  if (candidates.length === 0) return first.isReduced ? undefined : 0;
  const area = ({ width, height }: TiffPage) => width * height;
  return candidates.reduce((best, next) => (area(next.page) > area(best.page) ? next : best)).number;
}

/** Whether a page is larger than another and of the same proportions, to the rounding of the smaller one's sides. */
function isEnlarged(page: TiffPage, small: TiffPage): boolean {
  const factor = page.width / small.width;
  return factor > 1 && Math.abs(page.height / factor - small.height) <= 1;
}

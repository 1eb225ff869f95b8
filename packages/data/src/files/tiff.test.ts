// Directories of TIFF files written in each way that the specification allows, and read back.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { calledUnsigned, coloursOf, mainPage, type ReadAt, type TiffPage, tiffPages } from "./tiff.ts";

/** Entries of a directory: the numbers of each tag, and the bytes that each of them takes. */
interface Entry {
  readonly tag: number;
  readonly size: 1 | 2 | 4 | 8;
  readonly values: readonly number[];
}

const TYPES = { 1: 1, 2: 3, 4: 4, 8: 16 } as const;

/** Writes a file of directories one after the other, each page's numbers before its directory. */
function written(pages: readonly (readonly Entry[])[], isLittle: boolean, isBig: boolean): Uint8Array {
  const bytes: number[] = [];
  const word = isBig ? 8 : 4;
  const put = (value: number, size: number, at = bytes.length) => {
    for (let i = 0; i < size; i++)
      bytes[at + (isLittle ? i : size - 1 - i)] = Math.floor(value / 256 ** i) % 256;
  };
  bytes.push(...(isLittle ? [0x49, 0x49] : [0x4d, 0x4d]));
  put(isBig ? 43 : 42, 2);
  if (isBig) {
    put(8, 2);
    put(0, 2);
  }
  let link = bytes.length;
  put(0, word);
  for (const entries of pages) {
    const places = entries.map(({ size, values }) => {
      if (size * values.length <= word) return undefined;
      const at = bytes.length;
      for (const value of values) put(value, size);
      return at;
    });
    put(bytes.length, word, link);
    put(entries.length, isBig ? 8 : 2);
    entries.forEach(({ tag, size, values }, i) => {
      put(tag, 2);
      put(TYPES[size], 2);
      put(values.length, word);
      const field = bytes.length;
      put(places[i] ?? 0, word);
      if (places[i] === undefined)
        for (const [n, value] of values.entries()) put(value, size, field + n * size);
    });
    link = bytes.length;
    put(0, word);
  }
  while (bytes.length < 16) bytes.push(0);
  return Uint8Array.from(bytes);
}

const readerOf =
  (bytes: Uint8Array): ReadAt =>
  async (offset, length) =>
    bytes.subarray(offset, offset + length);

const sizes = fc.record({
  width: fc.integer({ min: 1, max: 60_000 }),
  height: fc.integer({ min: 1, max: 60_000 }),
});
const page = fc.record({
  ...{ size: sizes, photometric: fc.constantFrom(0, 1, 2, 3, 5, 6), compression: fc.constantFrom(1, 5, 7) },
  ...{
    extras: fc.array(fc.constantFrom(0, 1, 2), { maxLength: 3 }),
    bits: fc.constantFrom(1, 8, 16),
    format: fc.constantFrom(1, 2, 3),
  },
  reduced: fc.constantFrom(0, 1, 2, 3),
  wide: fc.constantFrom(2, 4, 8),
});
const COLOURS: Readonly<Record<number, number>> = { 0: 1, 1: 1, 2: 3, 3: 1, 5: 4, 6: 3 };

it("are read, whichever byte comes first, with numbers inside of their entries or elsewhere", async () => {
  const asWritten = fc.asyncProperty(
    fc.array(page, { minLength: 1, maxLength: 3 }),
    fc.boolean(),
    fc.boolean(),
    async (pages, isLittle, isBig) => {
      const wanted = pages.map(({ size, photometric, compression, extras, bits, format, reduced }) => {
        const samples = COLOURS[photometric] + extras.length;
        return {
          ...{ ...size, compression, photometric, samples, extras, isReduced: reduced % 2 === 1 },
          ...{ bits: Array(samples).fill(bits), formats: Array(samples).fill(format) },
        };
      });
      const entries = pages.map(({ reduced, wide }, i): Entry[] => {
        const of = (tag: number, values: readonly number[], size: number = 2): Entry => ({
          tag,
          size: size as 2,
          values,
        });
        const own = wanted[i];
        const size = isBig ? wide : Math.min(4, wide);
        return [
          of(254, [reduced], 4),
          of(256, [own.width], size),
          of(257, [own.height], size),
          of(258, own.bits),
          of(259, [own.compression]),
          of(262, [own.photometric]),
          // Something else that cameras write, longer than anything of interest.
          of(700, Array(70).fill(7), 1),
          of(277, [own.samples]),
          ...(own.extras.length > 0 ? [of(338, own.extras)] : []),
          of(339, own.formats),
        ];
      });
      const bytes = written(entries, isLittle, isBig);
      const found = await tiffPages(readerOf(bytes));
      expect(found).toMatchObject(wanted);
      for (const [i, own] of found!.entries()) {
        expect(own.formatsAt?.isLittle).toBe(isLittle);
        // Where the numbers stand: written over, they are read as unsigned, and nothing else is another.
        const changed = await tiffPages(readerOf(calledUnsigned(bytes, own)));
        expect(changed).toEqual(
          found!.map((other, n) => (n === i ? { ...other, formats: other.formats.map(() => 1) } : other)),
        );
      }
    },
  );
  await fc.assert(asWritten, { numRuns: 200 });
});

const one = (tag: number, value: number): Entry => ({ tag, size: 2, values: [value] });

it("have defaults for what they do not say", async () => {
  const [found] = (await tiffPages(readerOf(written([[one(256, 5), one(257, 4)]], true, false))))!;
  expect(found).toEqual({
    ...{ width: 5, height: 4, compression: 1, photometric: 1, samples: 1, bits: [1], formats: [1] },
    ...{ formatsAt: undefined, extras: [], isReduced: false },
  });
  const bytes = written([[one(256, 5)]], true, false);
  expect(calledUnsigned(bytes, found)).toBe(bytes);
  const [old] = (await tiffPages(
    readerOf(written([[one(255, 2), one(262, 32803), one(277, 3)]], true, false)),
  ))!;
  expect([old.isReduced, old.extras, coloursOf(old)]).toEqual([true, [], undefined]);
  const [grey] = (await tiffPages(readerOf(written([[one(255, 1), one(277, 3)]], true, false))))!;
  expect([grey.isReduced, grey.extras, coloursOf(grey)]).toEqual([false, [0, 0], 1]);
});

it("leave out entries of a type that holds no counts, and of more numbers than a pixel has samples", async () => {
  const bits = (length: number): Entry => ({ tag: 258, size: 2, values: new Array(length).fill(8) });
  const bitsOf = async (bytes: Uint8Array) => (await tiffPages(readerOf(bytes)))?.[0].bits;
  expect(await bitsOf(written([[bits(64)]], true, false))).toHaveLength(64);
  expect(await bitsOf(written([[bits(65)]], true, false))).toEqual([1]);
  const undefinedType = written([[bits(1)]], true, false);
  expect([...undefinedType.subarray(10, 14)]).toEqual([2, 1, 3, 0]);
  undefinedType[12] = 7;
  expect(await bitsOf(undefinedType)).toEqual([1]);
});

it("end at 64 pages, at one that was seen, and where they are damaged", async () => {
  const count = async (bytes: Uint8Array) => (await tiffPages(readerOf(bytes)))?.length;
  const pages = (n: number) => Array.from({ length: n }, () => [one(256, 5)]);
  expect(await count(written(pages(64), true, false))).toBe(64);
  expect(await count(written(pages(65), true, false))).toBe(64);
  const round = written(pages(1), true, false);
  // The link of the only page leads back to it.
  round[round.length - 2 - 2] = 8;
  expect(await count(round)).toBe(1);
  const whole = written(pages(2), false, false);
  expect(await count(whole.subarray(0, whole.length - 1))).toBe(1);
  expect(await count(whole.subarray(0, 20))).toBeUndefined();
  for (const head of [[], [0x49, 0x4d, 42, 0], [0x49, 0x49, 41, 0], [0x4d, 0x4d, 42, 0], [1, 2, 3, 4]]) {
    const bytes = new Uint8Array(16);
    bytes.set(head);
    expect(await count(bytes)).toBeUndefined();
  }
  // A link beyond the end of the file, and a directory of more entries than any camera writes, each of them whole.
  const lost = written(pages(2), true, false);
  lost[22] = 200;
  expect(await count(lost)).toBe(1);
  const entries = Array.from({ length: 4097 }, () => one(60000, 1));
  expect(await count(written([entries.slice(1)], true, false))).toBe(1);
  expect(await count(written([entries], true, false))).toBeUndefined();
  const crowded = written([[one(256, 5)]], true, false);
  crowded[9] = 0x10;
  expect(await count(crowded)).toBeUndefined();
});

describe("the page that holds the picture", () => {
  const of = (width: number, height: number, isReduced = false) => ({ width, height, isReduced }) as TiffPage;
  it.each<[string, readonly TiffPage[], number | undefined]>([
    ["is the first", [of(50, 40), of(30, 30)], 0],
    ["is the first, though another is larger and of another shape", [of(50, 40), of(200, 100)], 0],
    ["is a larger one of the same shape", [of(50, 40), of(100, 80), of(500, 400), of(250, 200)], 2],
    ["is one of the same shape to the rounding of the thumbnail's sides", [of(16, 11), of(1600, 1130)], 1],
    ["is the first where another is of another shape by more than that", [of(16, 11), of(1600, 1210)], 0],
    ["is one that the file does not call reduced", [of(50, 40, true), of(10, 80)], 1],
    ["is no reduced one, however large", [of(50, 40), of(100, 80, true)], 0],
    ["is none where all are reduced", [of(50, 40, true), of(100, 80, true)], undefined],
    ["is the first of two of one size", [of(50, 40), of(50, 40)], 0],
  ])("%s", (_, pages, wanted) => {
    expect(mainPage(pages)).toBe(wanted);
  });
});

it("leave out numbers that lie beyond the end of the file, of which it has the first ones too", async () => {
  const bits: Entry = { tag: 258, size: 2, values: [16, 16, 16] };
  const bytes = written([[bits, one(277, 3)]], true, false);
  const view = new DataView(bytes.buffer);
  const entry = view.getUint32(4, true) + 2;
  for (const before of [5, 4, 1]) {
    view.setUint32(entry + 8, bytes.length - before, true);
    expect((await tiffPages(readerOf(bytes)))?.[0].bits).toEqual([1]);
  }
});

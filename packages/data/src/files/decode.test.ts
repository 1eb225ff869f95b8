// TIFF files written by hand: what libvips would take for something else, and why it is refused.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readMask, readPhotograph } from "./read.ts";

const [width, height] = [3, 2];

let path: string;
beforeAll(async () => {
  path = join(await mkdtemp(join(tmpdir(), "saunet-decode-")), "written.tif");
});
afterAll(() => rm(join(path, ".."), { recursive: true }));

/** What stands in an entry of a directory. */
type Tag = readonly [tag: number, type: number, value: number, count?: number];

interface Written {
  readonly compression?: number;
  readonly photometric?: number;
  /** 1 unsigned, 2 signed, 3 floating point. */
  readonly format?: number;
  /** What a second sample of each pixel is: 1 premultiplied alpha. */
  readonly extra?: number;
  /** Formats of two samples. */
  readonly formats?: readonly [number, number];
  /** Whether a page of one pixel stands before the picture. */
  readonly thumbnail?: boolean;
  readonly samples: Uint16Array | Int16Array | Uint32Array | Float32Array;
}

/** Writes a grey TIFF of one strip, the lowest byte first; returns its path. */
async function tiffOf(written: Written): Promise<string> {
  const {
    compression = 1,
    photometric = 1,
    format = 1,
    extra,
    samples,
    formats = [format, format],
    thumbnail = false,
  } = written;
  const channels = extra === undefined ? 1 : 2;
  const bits = 8 * samples.BYTES_PER_ELEMENT;
  /** One number of 16 bits for each channel. */
  const each = ([first, second]: readonly [number, number]) =>
    channels === 2 ? first + second * 2 ** 16 : first;
  const tags: Tag[] = [
    [256, 4, width],
    [257, 4, height],
    [258, 3, each([bits, bits]), channels],
    [259, 3, compression],
    [262, 3, photometric],
    [273, 4, 0],
    [277, 3, channels],
    [278, 4, height],
    [279, 4, samples.byteLength],
    ...(extra === undefined ? [] : [[338, 3, extra] as const]),
    [339, 3, each(formats), channels],
  ];
  const pages = [...(thumbnail ? [thumbnailTags] : []), tags];
  const bytesOf = (page: readonly Tag[]) => 2 + 12 * page.length + 4;
  const start = 8 + pages.reduce((sum, page) => sum + bytesOf(page), 0);
  const bytes = new Uint8Array(start + samples.byteLength);
  const view = new DataView(bytes.buffer);
  bytes.set([0x49, 0x49, 42, 0, 8]);
  let directory = 8;
  for (const [number, page] of pages.entries()) {
    view.setUint16(directory, page.length, true);
    page.forEach(([tag, type, value, count = 1], i) => {
      const at = directory + 2 + 12 * i;
      view.setUint16(at, tag, true);
      view.setUint16(at + 2, type, true);
      view.setUint32(at + 4, count, true);
      view.setUint32(at + 8, tag === 273 ? start : value, true);
    });
    directory += bytesOf(page);
    if (number + 1 < pages.length) view.setUint32(directory - 4, directory, true);
  }
  bytes.set(new Uint8Array(samples.buffer), start);
  await writeFile(path, bytes);
  return path;
}

/** A page of one pixel that calls itself a smaller version of another. */
const thumbnailTags: readonly Tag[] = [
  [254, 4, 1],
  [256, 4, 1],
  [257, 4, 1],
  [258, 3, 16],
  [259, 3, 1],
  [262, 3, 1],
  [273, 4, 0],
  [277, 3, 1],
  [278, 4, 1],
  [279, 4, 2],
];

const grey = Uint16Array.of(0, 257, 257 * 100, 65535, 257 * 7, 257 * 254);

describe("samples of which 0 is white", () => {
  it("are read where they are unsigned and of up to 16 bits", async () => {
    const { data } = await readPhotograph(await tiffOf({ photometric: 0, samples: grey }));
    expect(Array.from(data).filter((_, i) => i % 3 === 0)).toEqual([255, 254, 155, 0, 248, 1]);
  });

  it.each<[string, Written, number]>([
    ["signed", { format: 2, samples: Int16Array.from(grey) }, 16],
    ["of 32 bits", { samples: Uint32Array.from(grey) }, 32],
    ["floating point", { format: 3, samples: Float32Array.from(grey) }, 32],
  ])("are refused where they are %s", async (_, written, bits) => {
    await expect(readPhotograph(await tiffOf({ ...written, photometric: 0 }))).rejects.toThrow(
      `holds samples of ${bits} bits of which 0 is white, which are not read; save it with 0 as black`,
    );
  });
});

it.each([
  ["16", Uint16Array, 2 ** 16 - 1],
  ["32", Uint32Array, 2 ** 32 - 1],
])(
  "a mask of %s bits is full where all of it is white, and no other level says so",
  async (_, Type, white) => {
    const of = async (level: number) =>
      readMask(await tiffOf({ samples: new Type(width * height).fill(level) }));
    expect((await of(white)).data).toEqual(new Uint8Array(width * height).fill(1));
    expect((await of(0)).data).toEqual(new Uint8Array(width * height));
    await expect(of(white - 2)).rejects.toThrow("all of its pixels are");
  },
);

it.each([
  [34661, "JBIG"],
  [34712, "JPEG 2000"],
  [33003, "JPEG 2000"],
  [33005, "JPEG 2000"],
  [34887, "LERC"],
  [34892, "JPEG of a raw camera"],
  [34925, "LZMA"],
  [34933, "PNG"],
  [34934, "JPEG XR"],
  [50000, "Zstandard"],
  [50002, "JPEG XL"],
  [12345, "number 12345"],
])("compression %i is refused as %s", async (compression, name) => {
  await expect(readPhotograph(await tiffOf({ compression, samples: grey }))).rejects.toThrow(
    `is compressed in a way that is not read (${name}); save it with LZW or Deflate`,
  );
});

it("premultiplied alpha is read where it is the only sample beside the colours", async () => {
  const samples = Uint16Array.from(Array.from(grey).flatMap((level) => [level, 65535]));
  const { data } = await readPhotograph(await tiffOf({ extra: 1, samples }));
  expect(Array.from(data).filter((_, i) => i % 3 === 0)).toEqual([0, 1, 100, 255, 7, 254]);
});

it("samples of two types are refused", async () => {
  const samples = Uint16Array.from({ length: 2 * width * height }, (_, i) => 257 * i);
  await expect(readPhotograph(await tiffOf({ extra: 2, formats: [1, 2], samples }))).rejects.toThrow(
    "holds samples of several types (16, 16 bits), which is not read",
  );
});

it("a thumbnail before the picture is not what is read", async () => {
  const { width: columns, data } = await readPhotograph(await tiffOf({ thumbnail: true, samples: grey }));
  expect(columns).toBe(width);
  expect(Array.from(data).filter((_, i) => i % 3 === 0)).toEqual([0, 1, 100, 255, 7, 254]);
});

it("floating point of 16 bits is read as what it says", async () => {
  const halves = Uint16Array.of(0x3c00, 0x3800, 0, 0x3400, 0x3a00, 0x2c00);
  const { data } = await readPhotograph(await tiffOf({ format: 3, samples: halves }));
  expect(Array.from(data).filter((_, i) => i % 3 === 0)).toEqual([255, 128, 0, 64, 191, 16]);
});

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import sharp, { type Sharp } from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ImageFileError } from "./errors.ts";
import { readMask, readPhotograph, readSize } from "./read.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "saunet-read-"));
});
afterAll(() => rm(folder, { recursive: true }));

const [WIDTH, HEIGHT] = [40, 24];

/** Left half dark red, right half light green-blue: smooth enough for JPEG. */
const LEFT = [120, 40, 20];
const RIGHT = [60, 180, 200];
function halves(channels: 3 | 4 = 3, alpha = 255): Sharp {
  const data = new Uint8Array(WIDTH * HEIGHT * channels);
  for (let pixel = 0; pixel < WIDTH * HEIGHT; pixel++) {
    data.set([...(pixel % WIDTH < WIDTH / 2 ? LEFT : RIGHT), alpha].slice(0, channels), pixel * channels);
  }
  return sharp(data, { raw: { width: WIDTH, height: HEIGHT, channels } });
}

async function save(name: string, content: Sharp | Uint8Array | string): Promise<string> {
  const path = join(folder, name);
  if (typeof content === "string" || content instanceof Uint8Array) await writeFile(path, content);
  else await content.toFile(path);
  return path;
}

/** The colours in the middle of both halves. */
async function coloursOf(path: string): Promise<number[][]> {
  const { width, height, data } = await readPhotograph(path);
  expect(data.length).toBe(width * height * 3);
  const at = (x: number): number[] => {
    const pixel = Math.floor(height / 2) * width + Math.floor(x * width);
    return [...data.subarray(pixel * 3, pixel * 3 + 3)];
  };
  return [at(0.25), at(0.75)];
}

function expectNear(colours: number[][], wanted: number[][], tolerance: number): void {
  colours.flat().forEach((value, i) => {
    expect(Math.abs(value - wanted.flat()[i]), `${colours} is not ${wanted}`).toBeLessThanOrEqual(tolerance);
  });
}

/** The message of what a promise is rejected with, which must be an ImageFileError in one line. */
async function refusal(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => expect.fail("was not refused"),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ImageFileError);
  const { message, path } = error as ImageFileError;
  expect(message.startsWith(`${path}: `)).toBe(true);
  expect(message).not.toContain("\n");
  return message.slice(path.length + 2);
}

/** How a picture is written that is cut off. */
interface Truncated {
  readonly compression?: "lzw" | "none";
  readonly bitdepth?: 8 | 16;
}

describe("readPhotograph", () => {
  it.each([
    ["jpg", 3],
    ["png", 0],
    ["tif", 0],
    ["webp", 8],
    ["gif", 3],
  ])("reads %s", async (ending, tolerance) => {
    const tiff = { compression: "lzw" } as const;
    const picture = ending === "tif" ? halves().tiff(tiff) : halves();
    expectNear(await coloursOf(await save(`kind.${ending}`, picture)), [LEFT, RIGHT], tolerance);
  });

  it("goes by the content, not by the name", async () => {
    expectNear(await coloursOf(await save("a-png.jpg", await halves().png().toBuffer())), [LEFT, RIGHT], 0);
  });

  it.each(["png", "tiff"] as const)("brings 16 bits of %s to 8", async (format) => {
    const data = new Uint16Array(WIDTH * HEIGHT * 3);
    for (let i = 0; i < data.length; i++)
      data[i] = (i % (WIDTH * 3) < WIDTH * 1.5 ? LEFT : RIGHT)[i % 3] * 257;
    const deep = sharp(data, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } }).toColourspace("rgb16");
    const path = await save(`deep.${format}`, deep.toFormat(format, { compression: "lzw" }));
    expect((await sharp(path).metadata()).depth).toBe("ushort");
    expectNear(await coloursOf(path), [LEFT, RIGHT], 0);
  });

  it("spreads grey of 8 and of 16 bits over three channels", async () => {
    const grey = await halves().greyscale().toColourspace("b-w").png().toBuffer();
    const path = await save("grey.png", grey);
    expect((await sharp(path).metadata()).channels).toBe(1);
    const [left, right] = await coloursOf(path);
    expect(new Set(left).size).toBe(1);
    expect(right[0]).toBeGreaterThan(left[0] + 50);
    const deep = await save("grey16.png", sharp(grey).toColourspace("grey16").png());
    expect(await sharp(deep).metadata()).toMatchObject({ depth: "ushort", channels: 1 });
    expectNear(await coloursOf(deep), [left, right], 1);
  });

  it("lays see-through pixels over black", async () => {
    const dim = (colour: number[]): number[] => colour.map((value) => value / 2);
    const path = await save("alpha.png", halves(4, 128));
    expectNear(await coloursOf(path), [dim(LEFT), dim(RIGHT)], 2);
  });

  it("reads a palette", async () => {
    const path = await save("palette.png", halves().png({ palette: true }));
    expect((await sharp(path).metadata()).isPalette).toBe(true);
    expectNear(await coloursOf(path), [LEFT, RIGHT], 1);
  });

  it.each(["jpeg", "tiff"] as const)(
    "converts CMYK of %s by its profile, and by no other",
    async (format) => {
      const inks = () => halves().toColourspace("cmyk");
      const path = await save(`cmyk.${format}`, inks().withIccProfile("cmyk").toFormat(format));
      expect(await sharp(path).metadata()).toMatchObject({ space: "cmyk", hasProfile: true });
      // Light blue-green lies at the edge of what print can show.
      expectNear(await coloursOf(path), [LEFT, RIGHT], 30);
      const bare = await save(`bare.${format}`, inks().toFormat(format));
      expect(await refusal(readPhotograph(bare))).toMatch(
        /^holds amounts of inks \(CMYK\) without a profile/,
      );
    },
  );

  it("turns a picture upright", async () => {
    const path = await save("sideways.jpg", halves().withMetadata({ orientation: 6 }).jpeg());
    expect(await readSize(path)).toEqual({ width: HEIGHT, height: WIDTH });
    const { width, height, data } = await readPhotograph(path);
    expect([width, height]).toEqual([HEIGHT, WIDTH]);
    // Orientation 6: what is stored on the left belongs on top.
    expectNear([[...data.subarray(0, 3)], [...data.subarray(-3)]], [LEFT, RIGHT], 4);
  });

  it.each(["gif", "tiff", "webp"] as const)("reads the first of several pages of %s", async (format) => {
    const pages = await Promise.all([halves(), halves().negate()].map((page) => page.png().toBuffer()));
    const path = await save(`pages.${format}`, sharp(pages, { join: { animated: true } }).toFormat(format));
    expect((await sharp(path).metadata()).pages).toBe(2);
    expect(await readSize(path)).toEqual({ width: WIDTH, height: HEIGHT });
    expectNear(await coloursOf(path), [LEFT, RIGHT], 10);
  });

  it("refuses what is not there, no file, or empty", async () => {
    expect(await refusal(readPhotograph(join(folder, "nowhere.png")))).toBe("no such file or folder");
    expect(await refusal(readPhotograph(folder))).toBe("is a folder, not a picture");
    expect(await refusal(readPhotograph(await save("empty.png", "")))).toBe("is empty");
    expect(await refusal(readPhotograph("/dev/null"))).toBe("is not an ordinary file");
    expect(await refusal(readPhotograph(join(await save("text.txt", "hello"), "a.png")))).toMatch(
      /part of the path/,
    );
  });

  it("takes for an archive what begins as gzip does, with both bytes", async () => {
    const path = join(folder, "half-gzip");
    await writeFile(path, Uint8Array.of(0x1f, 0x8c, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2));
    await expect(readPhotograph(path)).rejects.toThrow("is not a picture of a kind that is read");
  });

  it("refuses what is no picture, or none of a kind that cameras make", async () => {
    expect(await refusal(readPhotograph(await save("text.png", "no pixels here\n".repeat(20))))).toMatch(
      /^is not a picture/,
    );
    const drawing = `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>`;
    expect(await refusal(readPhotograph(await save("drawing.svg", drawing)))).toMatch(/\(it is svg\)$/);
  });

  it.each([
    ["jpeg", {}],
    ["png", {}],
    ["tiff", { compression: "lzw" }],
    ["tiff", { compression: "none" }],
    ["webp", {}],
    ["gif", {}],
    ["png", { bitdepth: 16 }],
    ["tiff", { compression: "lzw", bitdepth: 16 }],
    ["tiff", { compression: "none", bitdepth: 16 }],
  ] as const)("refuses a truncated %s %s", async (format, { bitdepth = 8, ...options }: Truncated) => {
    const noise = { type: "gaussian", mean: 128, sigma: 40 } as const;
    const picture = sharp({ create: { width: 200, height: 200, channels: 3, background: "#000", noise } });
    if (bitdepth === 16) picture.toColourspace("rgb16");
    const whole = await picture.toFormat(format, options).toBuffer();
    expect((await sharp(whole).metadata()).depth).toBe(bitdepth === 16 ? "ushort" : "uchar");
    for (const share of [0.01, 0.3, 0.7, 0.98]) {
      const path = await save(`half.${format}`, whole.subarray(0, Math.floor(whole.length * share)));
      expect(await refusal(readPhotograph(path))).toMatch(/^is damaged or cut short|^is not a picture/);
    }
  });

  it("refuses more pixels than allowed, before decoding", async () => {
    const path = await save("large.png", halves());
    expect(await refusal(readPhotograph(path, { maxPixels: 959 }))).toBe(
      "has 40 x 24 = 960 pixels; the limit is 959",
    );
    expect((await readPhotograph(path, { maxPixels: 960 })).width).toBe(40);
    const huge = await save("huge.png", plainPng(20_000, 6_000, 8, new Uint8Array(9)));
    expect(await refusal(readPhotograph(huge))).toBe(
      "has 20000 x 6000 = 120000000 pixels; the limit is 100000000",
    );
  });
});

describe("readMask", () => {
  const bits = [1, 0, 0, 1, 1, 1, 0, 1, 0, 0, 1, 0];
  const square = 12;
  const wanted = Uint8Array.from({ length: square * square }, (_, pixel) => bits[pixel % square]);
  const black = (levels: ArrayLike<number>, size = square): Sharp =>
    sharp(Uint8Array.from(levels), {
      raw: { width: size, height: levels.length / size, channels: 1 },
    }).toColourspace("b-w");
  const levels = Array.from(wanted, (bit) => 255 * bit);

  it("takes what is brighter than the middle as 1", async () => {
    expect(await readMask(await save("mask.png", black(levels)))).toEqual({
      width: square,
      height: square,
      data: wanted,
    });
    const edges = Array.from({ length: 10_000 }, (_, i) => (i < 2 ? 127 + i : 255 * (i % 2)));
    const { data } = await readMask(await save("edges.png", black(edges, 100)));
    expect([...data.subarray(0, 4)]).toEqual([0, 1, 0, 1]);
  });

  it("reads one bit a pixel", async () => {
    const packed = new Uint8Array(square * 3);
    for (let row = 0; row < square; row++) packed.set([0, 0b10011101, 0b00100000], row * 3);
    const path = await save("one-bit.png", plainPng(square, square, 1, packed));
    expect((await sharp(path).metadata()).bitsPerSample).toBe(1);
    expect((await readMask(path)).data).toEqual(wanted);
    const tiff = black(levels).tiff({ bitdepth: 1, compression: "ccittfax4" });
    expect((await readMask(await save("one-bit.tif", tiff))).data).toEqual(wanted);
  });

  it("reads a palette that is a little off grey", async () => {
    const data = Array.from(wanted).flatMap((bit) => (bit === 1 ? [252, 254, 252] : [4, 2, 4]));
    const picture = sharp(Uint8Array.from(data), { raw: { width: square, height: square, channels: 3 } });
    expect((await readMask(await save("palette.gif", picture.gif()))).data).toEqual(wanted);
  });

  it("bears the grey edges of an enlarged mask and of JPEG", async () => {
    const disc = Array.from({ length: 2500 }, (_, i) =>
      Math.hypot((i % 50) - 25, i / 50 - 25) < 15 ? 255 : 0,
    );
    const large = black(disc, 50).resize(400, 400, { kernel: "linear" }).jpeg({ quality: 80 });
    const { data } = await readMask(await save("edges.jpg", large));
    expect(data.reduce((sum, bit) => sum + bit, 0) / data.length).toBeCloseTo((Math.PI * 15 ** 2) / 2500, 2);
  });

  it("reads an empty mask and a full one", async () => {
    expect((await readMask(await save("none.png", black(levels.map(() => 0))))).data).not.toContain(1);
    expect((await readMask(await save("all.png", black(levels.map(() => 255))))).data).not.toContain(0);
  });

  it("refuses a photograph, coloured or grey", async () => {
    expect(await refusal(readMask(await save("colour.png", halves())))).toBe(
      "is no mask (black and white): 100.0 % of its pixels are coloured",
    );
    const grey = sharp(
      Uint8Array.from({ length: WIDTH * HEIGHT }, (_, pixel) => 40 + 5 * (pixel % WIDTH)),
      { raw: { width: WIDTH, height: HEIGHT, channels: 1 } },
    );
    expect(await refusal(readMask(await save("grey.png", grey)))).toMatch(
      /% of its pixels are neither black nor white$/,
    );
  });
});

/** A grey PNG of any size in its header, around whatever rows it is given. */
function plainPng(width: number, height: number, bitDepth: number, rows: Uint8Array): Uint8Array {
  const chunk = (type: string, body: Uint8Array): Uint8Array => {
    const out = Buffer.alloc(body.length + 12);
    out.writeUInt32BE(body.length, 0);
    out.write(type, 4, "latin1");
    out.set(body, 8);
    out.writeUInt32BE(crc32(out.subarray(4, body.length + 8)), body.length + 8);
    return out;
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = bitDepth;
  const signature = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", new Uint8Array()),
  ]);
}

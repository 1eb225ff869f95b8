// What is refused before a browser decodes anything, in words for a person, and what is decoded here.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { decodePicture, PictureError, shrink } from "./decode.ts";
import { Picture } from "./testing.ts";

const fixture = (name: string) =>
  readFile(fileURLToPath(new URL(`../../../../fixtures/pictures/${name}`, import.meta.url)));
const decode = (bytes: Uint8Array) => decodePicture(new Blob([bytes as Uint8Array<ArrayBuffer>]));
const textOf = (text: string) => new TextEncoder().encode(text);
const pnm = textOf("P2 2 1 3\n0 3\n");

beforeAll(() => {
  vi.stubGlobal("ImageData", Picture);
  vi.stubGlobal("createImageBitmap", async (source: unknown, options?: unknown) => ({ source, options }));
});
afterAll(() => vi.unstubAllGlobals());

describe("decodePicture", () => {
  it("leaves to the browser what that reads, packed or not", async () => {
    const bytes = await fixture("photograph.png");
    for (const own of [bytes, gzipSync(bytes)]) {
      const { source } = (await decode(own)) as unknown as { readonly source: Blob };
      expect(new Uint8Array(await source.arrayBuffer())).toEqual(Uint8Array.from(bytes));
    }
  });

  it("decodes Netpbm and TIFF here, every pixel opaque", async () => {
    const of = async (bytes: Uint8Array) => ((await decode(bytes)) as unknown as { source: Picture }).source;
    expect(await of(pnm)).toMatchObject({ width: 2, height: 1 });
    expect([...(await of(pnm)).data]).toEqual([0, 0, 0, 255, 255, 255, 255, 255]);
    const bits = textOf("P1 2 1\n1 0\n");
    expect([...(await of(bits)).data]).toEqual([0, 0, 0, 255, 255, 255, 255, 255]);
    const colours = Uint8Array.of(...textOf("P6 1 2 255\n"), 1, 2, 3, 4, 5, 6);
    expect([...(await of(colours)).data]).toEqual([1, 2, 3, 255, 4, 5, 6, 255]);
    const tiff = await of(
      await sharp(await fixture("photograph.png"))
        .tiff({ compression: "lzw" })
        .toBuffer(),
    );
    const { data, info } = await sharp(await fixture("photograph.png"))
      .removeAlpha()
      .raw()
      .toBuffer({
        resolveWithObject: true,
      });
    expect([tiff.width, tiff.height]).toEqual([info.width, info.height]);
    const wanted = Array.from(data.keys(), (i) => tiff.data[4 * Math.floor(i / 3) + (i % 3)]);
    expect(wanted).toEqual([...data]);
  });

  const inks = () =>
    sharp({ create: { width: 8, height: 8, channels: 3, background: "red" } }).toColourspace("cmyk");
  it.each<[string, string | RegExp, () => Uint8Array | Promise<Uint8Array>]>([
    ["nothing", "is empty", () => new Uint8Array()],
    [
      "a text",
      /^is not a picture of a kind that is read here \(JPEG, PNG/,
      () => textOf("hello, this is no picture"),
    ],
    [
      "a drawing",
      /^is not a picture of a kind/,
      () => textOf('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
    ],
    [
      "a picture cut short",
      "is damaged or cut short",
      async () => (await fixture("photograph.png")).subarray(0, 2000),
    ],
    ["amounts of inks", /^holds amounts of inks/, () => inks().jpeg().toBuffer()],
    ["a packed file cut short", "is damaged or cut short", () => gzipSync(pnm).subarray(0, 20)],
    ["Netpbm cut short", /^is damaged or cut short/, () => textOf("P2 2 2 3\n0 3\n")],
    [
      "too many pixels of Netpbm",
      "has 20000 × 5001 pixels, 100 million; the limit is 100 million",
      () => textOf("P5 20000 5001 255\n"),
    ],
    [
      "too many pixels",
      "has 30000 × 4000 pixels, 120 million; the limit is 100 million",
      async () => {
        const bytes = Uint8Array.from(await fixture("photograph.png"));
        new DataView(bytes.buffer).setUint32(16, 30_000);
        new DataView(bytes.buffer).setUint32(20, 4000);
        return bytes;
      },
    ],
  ])("refuses %s", async (_, message, make) => {
    const refused = decode(await make());
    await expect(refused).rejects.toThrow(PictureError);
    await expect(refused).rejects.toThrow(message);
  });

  it("takes as many pixels as the limit says", async () => {
    // Its header is accepted; its pixels are missing.
    await expect(decode(textOf("P5 20000 5000 255\n"))).rejects.toThrow(/^is damaged or cut short/);
  });
});

it("shrinks to a longest side, keeping the shape, and enlarges nothing", async () => {
  const sizeOf = async (width: number, height: number) => {
    const small = (await shrink({ width, height } as ImageBitmap, 100)) as unknown as { options: object };
    return small.options;
  };
  expect(await sizeOf(400, 200)).toEqual({ resizeWidth: 100, resizeHeight: 50, resizeQuality: "high" });
  expect(await sizeOf(30, 1000)).toMatchObject({ resizeWidth: 3, resizeHeight: 100 });
  expect(await sizeOf(1, 1000)).toMatchObject({ resizeWidth: 1, resizeHeight: 100 });
  expect(await sizeOf(40, 20)).toMatchObject({ resizeWidth: 40, resizeHeight: 20 });
});

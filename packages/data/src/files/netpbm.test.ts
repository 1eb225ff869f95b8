import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { draw, randomState } from "@saunet/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eye, fixture } from "./datasets/testing.ts";
import { netpbmHeader } from "./netpbm.ts";
import { readMask, readPhotograph, readSize } from "./read.ts";
import { writePng } from "./write.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "saunet-netpbm-"));
});
afterAll(() => rm(folder, { recursive: true }));

const bytes = (header: string, ...samples: readonly number[]) =>
  Buffer.concat([Buffer.from(header, "latin1"), Buffer.from(samples)]);

async function save(name: string, content: Buffer): Promise<string> {
  await writeFile(join(folder, name), content);
  return join(folder, name);
}

describe("netpbmHeader", () => {
  it.each([
    ["on one line", "P6 3 2 255\n", 11],
    ["a word a line", "P6\n3\n2\n255\n", 11],
    ["with a comment before the sizes", "P6\n# by hand\n3 2\n255\n", 21],
    ["with comments in between and at the end of a line", "P6#a\n3 # b 9 9\n2\n#c\n255\n", 24],
    ["with a carriage return", "P6\r\n3 2\r\n255\n", 13],
  ])("reads one %s", (_, text, start) => {
    // A sample that looks like white space belongs to the picture.
    const header = netpbmHeader(bytes(text, 10, 32, 35, 9, 0, 1));
    expect(header).toEqual({ kind: "P6", width: 3, height: 2, channels: 3, maximum: 255, start });
  });

  it.each([
    "P7 3 2 255\n",
    "P6 3 2",
    "P6 3 2 255",
    "P6 0 2 255\n",
    "P6 3 -2 255\n",
    "P6 3 2 65536\n",
    "P6 3 2 0\n",
    "P6x3 2 255\n",
    "PNG",
    "",
  ])("refuses %j", (text) => {
    expect(netpbmHeader(bytes(text))).toBeUndefined();
  });
});

describe("readPhotograph", () => {
  it.each(["stare.ppm", "stare-commented.ppm", "stare.ppm.gz"])("reads %s", async (name) => {
    const { width, height, data } = await readPhotograph(fixture(name));
    expect([width, height]).toEqual([48, 40]);
    expect(data).toEqual(Uint8Array.from(eye.image.data));
    expect(await readSize(fixture(name))).toEqual({ width, height });
  });

  it.each(["stare-vessels.ppm", "stare-vessels.ppm.gz"])("reads the mask %s", async (name) => {
    expect(await readMask(fixture(name))).toEqual(eye.vessels);
  });

  it("brings any largest sample to 255, also where samples take two bytes", async () => {
    const narrow = await save("narrow.pgm", bytes("P5 3 1 15\n", 0, 5, 15));
    expect([...(await readPhotograph(narrow)).data]).toEqual([0, 0, 0, 85, 85, 85, 255, 255, 255]);
    const wide = await save("wide.ppm", bytes("P6 1 1 65535\n", 0, 0, 128, 0, 255, 255));
    expect([...(await readPhotograph(wide)).data]).toEqual([0, 128, 255]);
  });

  it("reads other kinds gzipped too", async () => {
    const packed = await save("photograph.png.gz", gzipSync(await readFile(fixture("photograph.png"))));
    expect(Uint8Array.from((await readPhotograph(packed)).data)).toEqual(Uint8Array.from(eye.image.data));
  });

  // Archives are unpacked in pieces of some 16 kB.
  it("puts a gzipped picture of other kinds together from many pieces", async () => {
    const state = randomState(3);
    const noise = Uint8Array.from({ length: 3 * 120 * 100 }, () => Math.floor(256 * draw(state)));
    const path = join(folder, "noise.png");
    await writePng(path, { width: 120, height: 100, data: noise });
    const packed = await save("noise.png.gz", gzipSync(await readFile(path)));
    expect(Uint8Array.from((await readPhotograph(packed)).data)).toEqual(noise);
  });

  it("refuses what is cut short, damaged, or larger than the limit before it is unpacked", async () => {
    const short = await save("short.ppm", bytes("P6 2 2 255\n", 1, 2, 3));
    await expect(readPhotograph(short)).rejects.toThrow(
      /short.ppm: is damaged or cut short \(too few samples\)$/,
    );
    const header = await save("header.ppm", bytes("P6 2\n"));
    await expect(readPhotograph(header)).rejects.toThrow(
      /header.ppm: is not a picture of a kind that is read/,
    );
    const packed = gzipSync(bytes("P5 2 1 255\n", 0, 255));
    const damaged = await save("damaged.ppm.gz", packed.subarray(0, packed.length - 6));
    await expect(readPhotograph(damaged)).rejects.toThrow(/damaged.ppm.gz: is damaged or cut short/);
    await expect(readPhotograph(fixture("stare.ppm"), { maxPixels: 1900 })).rejects.toThrow(
      /has 48 x 40 = 1920 pixels; the limit is 1900$/,
    );
  });
});

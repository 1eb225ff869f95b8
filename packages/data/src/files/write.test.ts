import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ImageFileError } from "./errors.ts";
import { readMask, readPhotograph } from "./read.ts";
import { writePng } from "./write.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "saunet-write-"));
});
afterAll(() => rm(folder, { recursive: true }));

const [width, height] = [37, 23];
const bytes = (channels: number): Uint8Array =>
  Uint8Array.from({ length: width * height * channels }, (_, i) => (i * 31 + (i >> 5)) % 256);

describe("writePng", () => {
  it("writes what readPhotograph reads", async () => {
    const path = join(folder, "photograph.png");
    await writePng(path, { width, height, data: bytes(3) });
    const { data, ...size } = await readPhotograph(path);
    expect(size).toEqual({ width, height });
    expect(Uint8Array.from(data)).toEqual(bytes(3));
  });

  it("keeps the alpha channel of RGBA", async () => {
    const path = join(folder, "alpha.png");
    await writePng(path, { width, height, data: bytes(4) });
    expect(Uint8Array.from(await sharp(path).raw().toBuffer())).toEqual(bytes(4));
  });

  it("writes part of a larger buffer", async () => {
    const path = join(folder, "part.png");
    const all = new Uint8ClampedArray(width * height * 3 + 100);
    all.set(bytes(3), 50);
    await writePng(path, { width, height, data: all.subarray(50, 50 + width * height * 3) });
    expect(Uint8Array.from((await readPhotograph(path)).data)).toEqual(bytes(3));
  });

  it("writes masks as black and white and levels as they are, one channel each", async () => {
    const mask = { width, height, data: bytes(1).map((value) => value % 2) };
    await writePng(join(folder, "mask.png"), mask);
    expect(await readMask(join(folder, "mask.png"))).toEqual(mask);
    const path = join(folder, "levels.png");
    await writePng(path, { width, height, levels: bytes(1) });
    expect((await sharp(path).metadata()).channels).toBe(1);
    expect(Uint8Array.from(await sharp(path).raw().toColourspace("b-w").toBuffer())).toEqual(bytes(1));
  });

  it("refuses arrays that are no picture", async () => {
    const path = join(folder, "never.png");
    await expect(writePng(path, { width, height, data: bytes(1) })).rejects.toThrow(
      /^writePng: a mask must hold 0 and 1 but holds 31/,
    );
    await expect(writePng(path, { width, height, data: bytes(2) })).rejects.toThrow(
      /^writePng: a photograph of 37 x 23/,
    );
    await expect(writePng(path, { width, height, levels: bytes(3) })).rejects.toThrow(
      /^writePng: 37 x 23 wants 851 levels/,
    );
    expect(await readdir(folder)).not.toContain("never.png");
  });

  it("replaces a file, and leaves no other behind", async () => {
    const inner = join(folder, "replaced");
    await mkdir(inner);
    await writeFile(join(inner, "a.png"), "old");
    await writePng(join(inner, "a.png"), { width, height, data: bytes(3) });
    expect(await readdir(inner)).toEqual(["a.png"]);
    expect((await readFile(join(inner, "a.png"))).subarray(1, 4).toString()).toBe("PNG");
  });

  it("names the path that it cannot write, and leaves nothing half done", async () => {
    const inner = join(folder, "blocked");
    await mkdir(join(inner, "a.png"), { recursive: true });
    const picture = { width, height, data: bytes(3) };
    const refused = async (path: string): Promise<string> => {
      const error = await writePng(path, picture).then(
        () => expect.fail("was written"),
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(ImageFileError);
      return (error as Error).message;
    };
    const path = join(inner, "a.png");
    expect(await refused(path)).toBe(`${path}: cannot be written: is a folder, not a file`);
    expect(await readdir(inner)).toEqual(["a.png"]);
    const missing = join(folder, "no", "such", "a.png");
    expect(await refused(missing)).toBe(`${missing}: cannot be written: no such file or folder`);
    await writeFile(join(folder, "file"), "");
    const below = join(folder, "file", "a.png");
    expect(await refused(below)).toBe(
      `${below}: cannot be written: a part of the path is a file, not a folder`,
    );
  });
});

// Files that are much larger than they look, or than they are worth: refused or read in little memory.

import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readMask, readPhotograph } from "./read.ts";

let folder: string;
/** 32 MB of zeros as a member of an archive; 64 of them are 2 GB in 2 MB. */
const member = gzipSync(Buffer.alloc(2 ** 25), { level: 9 });
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "saunet-large-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function archive(name: string, beginning: Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, Buffer.concat([gzipSync(beginning), ...Array<Buffer>(64).fill(member)]));
  return path;
}

/** A file of that many bytes, all zero after its beginning, which takes no room on most disks. */
async function sparse(name: string, beginning: string, bytes: number): Promise<string> {
  const path = join(folder, name);
  const file = await open(path, "w");
  await file.write(beginning);
  await file.truncate(bytes);
  await file.close();
  return path;
}

const PNG = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** The most memory this process ever took, in bytes. */
const peak = () => 1024 * process.resourceUsage().maxRSS;
const ALLOWED = 300e6;

describe("large files", () => {
  it.each<[string, () => Promise<string>, RegExp]>([
    [
      "an archive of 2 GB that is no picture",
      () => archive("zeros.ppm.gz", PNG.subarray(0, 1)),
      /is not a picture/,
    ],
    ["one that begins like a PNG", () => archive("png.png.gz", PNG), /unpacks to more than 64 MB/],
    [
      "one with a header above the limit",
      () => archive("wide.ppm.gz", Buffer.from("P6 20000 20000 255\n")),
      /has 20000 x 20000 = 400000000 pixels; the limit is 100000000$/,
    ],
    ["200 MB without white space behind P6", () => sparse("p6.ppm", "P6", 200e6), /is not a picture/],
    ["2 GB of zeros", () => sparse("zeros.png", "", 2e9), /is not a picture/],
    [
      "a header of 100 million pixels and nothing behind it",
      () => sparse("promise.ppm", "P6 10000 10000 255\n", 100),
      /is damaged or cut short \(too few samples\)$/,
    ],
    [
      "a plain header of 100 million pixels and 1 GB of nothing behind it",
      () => sparse("promise.pgm", "P2 10000 10000 255\n", 1e9),
      /is damaged or cut short \(a sample that is no number\)$/,
    ],
  ])("%s is refused in little memory", async (_, make, reason) => {
    const path = await make();
    const before = peak();
    await expect(readPhotograph(path)).rejects.toThrow(reason);
    await expect(readMask(path)).rejects.toThrow(reason);
    expect(peak() - before).toBeLessThan(ALLOWED);
  });

  it("a small picture with 2 GB behind it is read", async () => {
    const path = await archive("behind.ppm.gz", Buffer.from("P6 1 1 255\n\u0001\u0002\u0003"));
    const before = peak();
    expect([...(await readPhotograph(path)).data]).toEqual([1, 2, 3]);
    expect(peak() - before).toBeLessThan(ALLOWED);
  });
});

import { existsSync, readdirSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pooledRocAuc, rankPixels } from "@saunet/model";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openRankedStore } from "./ranked-store.ts";

let folder: string;
const before = process.env.TMPDIR;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "saunet-store-"));
});
afterAll(async () => {
  if (before === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = before;
  await rm(folder, { recursive: true });
});

const pictures = [7, 1, 40].map((size, picture) =>
  rankPixels({
    probability: Float32Array.from({ length: size }, (_, i) => ((i * 7 + picture) % 11) / 10.5),
    truth: Array.from({ length: size }, (_, i) => ((i * 5 + picture) % 3) % 2),
  }),
);

describe("a store of ranked pixels", () => {
  it("gives back what was kept, any part of it, and leaves nothing behind", async () => {
    process.env.TMPDIR = join(folder, "here");
    await mkdir(process.env.TMPDIR);
    const store = openRankedStore();
    const kept = pictures.map((picture) => store.keep(picture));
    for (const [i, { starts, read }] of pictures.entries()) {
      const end = starts[starts.length - 1];
      expect(kept[i].starts).toBe(starts);
      for (const [from, to] of [
        [0, end],
        [Math.floor(end / 3), end],
        [end, end],
      ]) {
        expect(kept[i].read(from, to)).toEqual(read(from, to));
      }
    }
    expect(pooledRocAuc(kept)).toEqual(pooledRocAuc(pictures));
    // A killed process leaves nothing behind either.
    if (process.platform !== "win32") expect(readdirSync(process.env.TMPDIR)).toEqual([]);
    store.close();
    expect(readdirSync(process.env.TMPDIR)).toEqual([]);
  });

  it("says where it wanted to write", () => {
    process.env.TMPDIR = join(folder, "nowhere");
    expect(existsSync(process.env.TMPDIR)).toBe(false);
    expect(openRankedStore).toThrow(
      /nowhere: temporary files cannot be written there: no such file or folder \(another place can be named in TMPDIR\)$/,
    );
  });
});

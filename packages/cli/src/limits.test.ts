// Files that are much larger than they look, or than they are worth, given to the command in a process of its own: each is
// refused in one line, in little more memory than a file that is not there takes.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { constants, deflateRawSync, gzipSync } from "node:zlib";
import { Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from "@zip.js/zip.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { build, claiming, command, start, writeFolder, writeFreshWeights, writeSparse } from "./testing.ts";

let here: string;
/** The most memory that a run with a file that is not there takes, in bytes. */
let base: number;
const at = (...names: string[]) => join(here, ...names);

/** What the process takes at most beyond the base, in bytes. */
const ALLOWED = 300e6;
const TELL = "process.on('exit', () => console.error('peak ' + 1024 * process.resourceUsage().maxRSS))";

/** Runs the command in a process of its own; how it ended, and the most memory that it took. */
async function saunet(...argv: string[]) {
  const hook = `data:text/javascript,${encodeURIComponent(TELL)}`;
  const { code, out, err } = await start(here, process.execPath, ["--import", hook, command, ...argv]).ended;
  const [, text, peak] = /^(.*\n)peak (\d+)\n$/s.exec(err) ?? ["", err, "0"];
  return { code, out, err: text, peak: Number(peak) };
}

async function sparse(name: string, beginning: string | Uint8Array, bytes: number): Promise<string> {
  await writeSparse(at(name), beginning, bytes);
  return name;
}

/** How an HDF5 file begins. */
const HDF5 = Uint8Array.of(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a);
/** How a PNG begins. */
const PNG = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
/** 32 MB of zeros; 64 of them are 2 GB in 2 MB. */
const ZEROS = new Uint8Array(2 ** 25);

/** A `.keras` file whose weights unpack to 2 GB that begin like HDF5, and claim to unpack to so many bytes. */
async function archive(name: string, claim: number): Promise<string> {
  const flush = { level: 9, finishFlush: constants.Z_FULL_FLUSH };
  const beginning = deflateRawSync(HDF5, flush);
  const middle = deflateRawSync(ZEROS, flush);
  const packed = Buffer.concat([
    beginning,
    ...Array<Buffer>(64).fill(middle),
    deflateRawSync(new Uint8Array()),
  ]);
  const writer = new ZipWriter(new Uint8ArrayWriter(), { useWebWorkers: false });
  await writer.add("config.json", new Uint8ArrayReader(Buffer.from("{}")));
  const options = { passThrough: true, compressionMethod: 8, uncompressedSize: claim, signature: 0 } as const;
  await writer.add("model.weights.h5", new Uint8ArrayReader(packed), options);
  await writeFile(at(name), await writer.close());
  return name;
}

beforeAll(async () => {
  await build();
  here = await mkdtemp(join(tmpdir(), "saunet-limits-"));
  await writeFreshWeights(at("tiny.safetensors"));
  await writeFolder(at("set"), ["a", "b", "c"]);
  const nothing = await saunet("segment", "nowhere.png", "--weights", "tiny.safetensors");
  expect(nothing.code).toBe(1);
  expect(nothing.peak).toBeGreaterThan(1e7);
  base = nothing.peak;
});
afterAll(() => rm(here, { recursive: true, force: true }));

describe("large files given to the command", () => {
  const segment = (photograph: string) => ["segment", photograph, "--weights", "tiny.safetensors"];
  const use = (weights: string) => ["segment", "set/images/a.png", "--weights", weights];
  const take = (file: string) => ["import", file, "-o", "out.safetensors"];

  it.each<[string, () => Promise<readonly string[]>, RegExp]>([
    ["weights without end", async () => use("/dev/zero"), /weights: not a safetensors file/],
    [
      "weights of 1.9 GB",
      async () => use(await sparse("w", "", 1.9e9)),
      /weights: the file has 1900000000 b/,
    ],
    ["HDF5 of 1.9 GB", async () => take(await sparse("w.h5", HDF5, 1.9e9)), /1900000000 bytes/],
    ["2 GB of zeros", async () => segment(await sparse("zeros.png", "", 2e9)), /is not a picture/],
    [
      "200 MB without white space after P6",
      async () => segment(await sparse("p6.ppm", "P6", 200e6)),
      /is not a picture/,
    ],
    [
      "a picture of 2 MB that unpacks to 2 GB",
      async () => {
        const member = gzipSync(ZEROS, { level: 9 });
        const head = gzipSync(PNG);
        await writeFile(at("png.png.gz"), Buffer.concat([head, ...Array<Buffer>(64).fill(member)]));
        return segment("png.png.gz");
      },
      /unpacks to more than 64 MB|is not a picture/,
    ],
    [
      "an archive of 2 MB that says that it unpacks to 2 GB",
      async () => take(await archive("honest.keras", 2 ** 31)),
      /unpacks to 2147483648 bytes; up to \d+ are read/,
    ],
    [
      "one that says 100 MB",
      async () => take(await archive("lying.keras", 100e6)),
      /(unpacks to more than the 100000000 bytes that it claims|Invalid uncompressed size)\n/,
    ],
    [
      "a data set with two pictures of 10,000 x 10,000",
      async () => {
        await writeFolder(at("huge"), ["a", "b", "c"]);
        const header = claiming(await readFile(at("huge", "images", "a.png")), 10_000, 10_000);
        for (const id of ["b", "c"])
          for (const kind of ["images", "masks"]) await writeFile(at("huge", kind, `${id}.png`), header);
        return [
          "train",
          "--dataset",
          "folder",
          "--data",
          "huge",
          "--weights",
          "tiny.safetensors",
          "-o",
          "run",
        ];
      },
      /b has 10000 x 10000 pixels/,
    ],
  ])("%s: refused in one line, in little memory", async (_, make, reason) => {
    const { code, out, err, peak } = await saunet(...(await make()));
    expect([code, out]).toEqual([1, ""]);
    expect(err).toMatch(reason);
    expect(err).toMatch(/^saunet: [^\n]+\n$/);
    expect((peak - base) / 1e6).toBeLessThan(ALLOWED / 1e6);
  });
});

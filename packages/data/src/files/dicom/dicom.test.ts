// DICOM files as pydicom writes them, read to the pixels that it and its decoders find in them (fixtures/generate/dicom.py).

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ImageFileError } from "../errors.ts";
import { decodePhotograph, readDicomFacts, readPhotograph, readSize } from "../read.ts";

const folder = fileURLToPath(new URL("../../../../../fixtures/dicom/", import.meta.url));
const fileOf = (name: string) => join(folder, `${name}.dcm`);

/** What pydicom says of a file. */
interface Case {
  readonly name: string;
  readonly picture: number;
  readonly tolerance: number;
  readonly laterality: string | null;
  readonly spacing: number[] | null;
}

const { cases, pictures, width, height } = JSON.parse(await readFile(join(folder, "dicom.json"), "utf8")) as {
  cases: (Case | { readonly name: string; readonly refused: string })[];
  pictures: string[];
  width: number;
  height: number;
};
const read = cases.filter((each): each is Case => !("refused" in each));
const refused = cases.filter((each) => "refused" in each);

let here: string;
beforeAll(async () => {
  here = await mkdtemp(join(tmpdir(), "saunet-dicom-"));
});
afterAll(() => rm(here, { recursive: true }));

describe("a DICOM photograph", () => {
  it.each(read)("$name has the pixels, size, laterality and spacing that pydicom finds", async (each) => {
    const photograph = await readPhotograph(fileOf(each.name));
    expect([photograph.width, photograph.height]).toEqual([width, height]);
    const wanted = Buffer.from(pictures[each.picture], "base64");
    const furthest = wanted.reduce(
      (most, value, i) => Math.max(most, Math.abs(value - photograph.data[i])),
      0,
    );
    expect(photograph.data).toHaveLength(wanted.length);
    expect(furthest).toBeLessThanOrEqual(each.tolerance);
    expect(await readSize(fileOf(each.name))).toEqual({ width, height });
    expect(await readDicomFacts(fileOf(each.name))).toEqual({
      ...(each.laterality && { laterality: each.laterality }),
      ...(each.spacing && { pixelSpacing: each.spacing }),
    });
  });

  it("comes out of bytes and of an archive alike", async () => {
    const bytes = await readFile(fileOf("explicit"));
    const photograph = await readPhotograph(fileOf("explicit"));
    expect(await decodePhotograph(bytes)).toEqual(photograph);
    await writeFile(join(here, "eye.dcm.gz"), gzipSync(bytes));
    expect(await readPhotograph(join(here, "eye.dcm.gz"))).toEqual(photograph);
  });

  it("is refused where it does not say what it is", async () => {
    const bytes = await readFile(fileOf("explicit"));
    // The tag of its SOP class, (0008,0016), becomes one that nobody knows.
    const tag = bytes.indexOf(Buffer.from([0x08, 0, 0x16, 0, ...Buffer.from("UI")]));
    expect(tag).toBeGreaterThan(0);
    bytes[tag + 2] = 0x17;
    await expect(decodePhotograph(bytes)).rejects.toThrow("it does not say what it is");
  });

  it("is refused where it has too many pixels, before they are unpacked", async () => {
    await expect(readPhotograph(fileOf("jpeg-2000"), { maxPixels: 1000 })).rejects.toThrow(
      "has 48 x 40 = 1920 pixels; the limit is 1000",
    );
  });

  it("is damaged wherever it is cut, or means what it meant", { timeout: 60_000 }, async () => {
    for (const name of ["explicit", "jpeg-2000", "jpeg-ls", "jpeg-444", "rle"]) {
      const bytes = await readFile(fileOf(name));
      for (let length = 140; length < bytes.length; length += Math.ceil(bytes.length / 12)) {
        await decodePhotograph(bytes.subarray(0, length)).then(
          ({ data }) => expect(data).toHaveLength(3 * width * height),
          (error: unknown) => expect(error).toBeInstanceOf(ImageFileError),
        );
      }
    }
  });
});

it.each(refused)("$name is refused in words", async ({ name, refused: reason }) => {
  const attempt = readPhotograph(fileOf(name));
  await expect(attempt).rejects.toThrow(ImageFileError);
  await expect(attempt).rejects.toThrow(reason);
});

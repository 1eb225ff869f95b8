// DICOM files as pydicom writes them, read to the pixels that it and its decoders find in them (fixtures/generate/dicom.py).

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ImageFileError } from "../errors.ts";
import { decodePhotograph, readDicomFacts, readPhotograph, readSize } from "../read.ts";
import { decodeDicom } from "./decode.ts";

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
    expect(await readDicomFacts(fileOf(each.name))).toMatchObject({
      ...(each.laterality && { laterality: each.laterality }),
      ...(each.spacing && { pixelSpacing: each.spacing }),
    });
  });

  it("has a scale where PixelSpacing is one on the retina", async () => {
    expect(await readDicomFacts(fileOf("explicit"))).toEqual({
      ...{ laterality: "R", pixelSpacing: [0.0072, 0.0072], micrometresPerPixel: 7.2 },
    });
    expect(await readDicomFacts(fileOf("left"))).toMatchObject({
      scaleDoubt: "PixelSpacing 0.0072\\0.0081 mm is of pixels that are not square",
    });
    expect(await readDicomFacts(fileOf("bare"))).toEqual({});
  });

  it("comes out of bytes and of an archive alike", async () => {
    const bytes = await readFile(fileOf("explicit"));
    const photograph = await readPhotograph(fileOf("explicit"));
    expect(await decodePhotograph(bytes)).toEqual(photograph);
    await writeFile(join(here, "eye.dcm.gz"), gzipSync(bytes));
    expect(await readPhotograph(join(here, "eye.dcm.gz"))).toEqual(photograph);
  });

  it("is decoded alone, without readers of other kinds, which it says of them", async () => {
    const bytes = await readFile(fileOf("explicit"));
    expect(await decodeDicom(bytes)).toEqual(await readPhotograph(fileOf("explicit")));
    const other = decodeDicom(
      Uint8Array.from(bytes, (byte) => byte ^ 1),
      { name: "eye.dcm" },
    );
    await expect(other).rejects.toThrow(new ImageFileError("eye.dcm", "is no DICOM file"));
    await expect(decodeDicom(bytes, { maxPixels: 9 })).rejects.toThrow(/^photograph: has .* the limit is 9$/);
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

  it("is damaged wherever it is cut before the end of its pixels", async () => {
    for (const { name } of read) {
      const bytes = await readFile(fileOf(name));
      const whole = await decodePhotograph(bytes);
      const lengths = [1, 2, 8, 9, 100].map((left) => bytes.length - left);
      for (let length = 140; length < bytes.length; length += Math.ceil(bytes.length / 8))
        lengths.push(length);
      for (const length of lengths) {
        await decodePhotograph(bytes.subarray(0, length)).then(
          // Bytes after the pixels may be missing.
          ({ data }) => expect(data, `${name} of ${length} bytes`).toEqual(whole.data),
          (error: unknown) => expect(error).toBeInstanceOf(ImageFileError),
        );
      }
    }
    const cut = (await readFile(fileOf("explicit"))).subarray(0, -1);
    await expect(decodePhotograph(cut)).rejects.toThrow("it ends within its pixels");
  });
});

it.each(refused)("$name is refused in words", async ({ name, refused: reason }) => {
  const attempt = readPhotograph(fileOf(name));
  await expect(attempt).rejects.toThrow(ImageFileError);
  await expect(attempt).rejects.toThrow(reason);
});

// What a DICOM file says about its pixels, refused before they are unpacked.

import { expect, it } from "vitest";
import type { Dataset, DicomFile } from "./file.ts";
import { dicomPicture } from "./picture.ts";

const PLAIN = {
  ...{ Columns: 3, Rows: 2, BitsAllocated: 8, BitsStored: 8, SamplesPerPixel: 3 },
  ...{ PhotometricInterpretation: "RGB", PixelRepresentation: 0, PixelData: [new ArrayBuffer(18)] },
};
const fileOf = (attributes: Readonly<Record<string, unknown>>, transferSyntax = "1.2.840.10008.1.2.1") =>
  ({
    ...{ path: "a.dcm", transferSyntax, buffer: new ArrayBuffer(0) },
    dataset: { ...PLAIN, ...attributes } as unknown as Dataset,
  }) satisfies DicomFile;

it("knows the size before the pixels are looked at", () => {
  expect(dicomPicture(fileOf({}))).toMatchObject({ width: 3, height: 2, bytesPerPixel: 3 });
  expect(dicomPicture(fileOf({ BitsAllocated: 16, BitsStored: 12 }))).toMatchObject({ bytesPerPixel: 6 });
});

it.each<[string, Readonly<Record<string, unknown>>]>([
  ["holds no pixels", { PixelData: undefined }],
  ["holds 2 frames; save each by itself", { NumberOfFrames: 2 }],
  [
    "holds colours of a kind that is not read (PALETTE COLOR)",
    { PhotometricInterpretation: "PALETTE COLOR" },
  ],
  ["contradicts itself about its colours", { SamplesPerPixel: 1 }],
  ["holds signed integers, for which nobody has agreed on black and white", { PixelRepresentation: 1 }],
  ["has no size", { Columns: 0 }],
  ["has no size", { Rows: 0 }],
  ["has no size", { Columns: -3 }],
  ["has no size", { Rows: 2.5 }],
  ["has no size", { Columns: 2.5 }],
  ["has no size", { Columns: undefined }],
  ["holds samples of 12 in 8 bits, which are not read", { BitsStored: 12 }],
  ["holds samples of 1 in 8 bits, which are not read", { BitsStored: 1 }],
  ["holds samples of 8 in 32 bits, which are not read", { BitsAllocated: 32 }],
])("%s: %j", (reason, attributes) => {
  expect(() => dicomPicture(fileOf(attributes))).toThrow(`a.dcm: is a DICOM file that ${reason}`);
});

it("is packed in a way that is read, or says which", () => {
  expect(() => dicomPicture(fileOf({}, "1.2.840.10008.1.2.4.201"))).toThrow(
    "a.dcm: is a DICOM file that is packed in a way that is not read (transfer syntax 1.2.840.10008.1.2.4.201)",
  );
});

it("reads the bits that are stored, plane after plane or pixel after pixel, wherever in a buffer they lie", async () => {
  const samples = [0, 100, 4095, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21];
  const buffer = new ArrayBuffer(38);
  // Four bits above those that are stored, which mean something else.
  new Uint16Array(buffer, 2).set(samples.map((sample) => sample | 0xa000));
  const wide = { BitsAllocated: 16, BitsStored: 12, PixelData: [new Uint8Array(buffer, 2)] };
  const { data, white } = await dicomPicture(fileOf(wide)).decode();
  expect([[...data], white]).toEqual([samples, 4095]);
  const planes = await dicomPicture(fileOf({ ...wide, PlanarConfiguration: 1 })).decode();
  expect([...planes.data.subarray(0, 6)]).toEqual([0, 10, 16, 100, 11, 17]);
  await expect(dicomPicture(fileOf({ PixelData: [new ArrayBuffer(17)] })).decode()).rejects.toThrow(
    "a.dcm: is damaged or cut short (too few samples)",
  );
});

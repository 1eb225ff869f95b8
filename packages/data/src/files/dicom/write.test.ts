// Objects made of a photograph, read back by dcmjs and, for the bits, by hand. pydicom, highdicom and dciodvfy read the same by hand
// (docs/data.md).

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import dcmjs from "dcmjs";
import { describe, expect, it } from "vitest";
import { readPhotograph } from "../read.ts";
import { dicomOverlay, dicomSegmentation } from "./write.ts";

const pathOf = (name: string) =>
  fileURLToPath(new URL(`../../../../../fixtures/dicom/${name}.dcm`, import.meta.url));
const sourceOf = (name: string) => readFile(pathOf(name));
const size = { width: 48, height: 40 };
const mask = { ...size, data: Uint8Array.from({ length: 48 * 40 }, (_, i) => ((i * 7) % 11 < 3 ? 1 : 0)) };
const date = new Date("2026-03-04T05:06:07Z");

type Item = Readonly<Record<string, unknown>>;
/** Every attribute, sequences included. */
function attributes(bytes: Uint8Array): Item {
  const { DicomMessage, DicomMetaDictionary } = dcmjs.data;
  return DicomMetaDictionary.naturalizeDataset(DicomMessage.readFile(new Uint8Array(bytes).buffer).dict);
}
const first = (value: unknown): Item => (Array.isArray(value) ? value[0] : value) as Item;
const bytesOf = (item: Item) => new Uint8Array(first(item.PixelData) as unknown as ArrayBuffer);

describe("dicomSegmentation", () => {
  it("holds the mask bit by bit, and refers to the photograph in its study", async () => {
    const found = attributes(
      await dicomSegmentation(await sourceOf("explicit"), mask, { date, algorithm: "a net" }),
    );
    const source = attributes(await sourceOf("explicit"));
    expect(found).toMatchObject({
      ...{ SOPClassUID: "1.2.840.10008.5.1.4.1.1.66.4", Modality: "SEG", SegmentationType: "BINARY" },
      ...{ Rows: 40, Columns: 48, BitsAllocated: 1, NumberOfFrames: 1 },
      ...{ StudyInstanceUID: source.StudyInstanceUID, FrameOfReferenceUID: source.FrameOfReferenceUID },
      ...{ ContentDate: "20260304", ContentTime: "050607" },
    });
    const bits = bytesOf(found);
    expect(mask.data.map((_, i) => (bits[i >> 3] >> (i & 7)) & 1)).toEqual(mask.data);
    const reference = {
      ReferencedSOPClassUID: source.SOPClassUID,
      ReferencedSOPInstanceUID: source.SOPInstanceUID,
    };
    const series = first(found.ReferencedSeriesSequence);
    expect(series.SeriesInstanceUID).toBe(source.SeriesInstanceUID);
    expect(first(series.ReferencedInstanceSequence)).toMatchObject(reference);
    const derivation = first(first(found.PerFrameFunctionalGroupsSequence).DerivationImageSequence);
    expect(first(derivation.SourceImageSequence)).toMatchObject(reference);
    const measures = first(first(found.SharedFunctionalGroupsSequence).PixelMeasuresSequence);
    expect(measures.PixelSpacing).toEqual([0.0072, 0.0072]);
    expect(first(found.SegmentSequence)).toMatchObject({ SegmentNumber: 1, SegmentAlgorithmName: "a net" });
    const { SegmentIdentificationSequence: segment } = first(found.SharedFunctionalGroupsSequence);
    expect(first(segment)).toMatchObject({ ReferencedSegmentNumber: 1 });
    expect(found.SeriesDescription).toContain("not a medical device");
  });

  // DICOM PS3.3, section A.51: what readers look for in a segmentation, in the codes of SNOMED CT and of DICOM itself.
  it("says in codes what is marked, where, how, and made of what", async () => {
    const found = attributes(
      await dicomSegmentation(await sourceOf("explicit"), mask, { algorithm: "n".repeat(70) }),
    );
    const plain = (value: unknown) =>
      JSON.parse(JSON.stringify(value, (name, each) => (name === "_vrMap" ? undefined : each)));
    const code = (CodeValue: string, CodingSchemeDesignator: string, CodeMeaning: string) => [
      { CodeValue, CodingSchemeDesignator, CodeMeaning },
    ];
    expect(plain(found.SegmentSequence)).toEqual([
      {
        ...{ SegmentNumber: 1, SegmentLabel: "Retinal vessels" },
        ...{ SegmentAlgorithmType: "AUTOMATIC", SegmentAlgorithmName: "n".repeat(64) },
        SegmentedPropertyCategoryCodeSequence: code("91723000", "SCT", "Anatomical Structure"),
        SegmentedPropertyTypeCodeSequence: code("59820001", "SCT", "Blood vessel"),
        AnatomicRegionSequence: code("5665001", "SCT", "Retina"),
      },
    ]);
    const derivation = first(first(found.PerFrameFunctionalGroupsSequence).DerivationImageSequence);
    expect(plain(derivation.DerivationCodeSequence)).toEqual(code("113076", "DCM", "Segmentation"));
    const source = first(derivation.SourceImageSequence);
    expect(source.SpatialLocationsPreserved).toBe("YES");
    expect(plain(source.PurposeOfReferenceCodeSequence)).toEqual(
      code("121322", "DCM", "Source image for image processing operation"),
    );
    expect(found).toMatchObject({
      ...{ SeriesNumber: 9001, InstanceNumber: 1, SoftwareVersions: "1", DeviceSerialNumber: "0" },
      ...{ ImageType: ["DERIVED", "PRIMARY"], ContentLabel: "VESSELS", BurnedInAnnotation: "NO" },
      ...{ SamplesPerPixel: 1, PhotometricInterpretation: "MONOCHROME2", PixelRepresentation: 0 },
      ...{ BitsAllocated: 1, BitsStored: 1, HighBit: 0, LossyImageCompression: "00" },
      ContentDescription: "Retinal vessels. Research only, not a medical device",
    });
    // The frame is indexed by the number of its segment.
    const [organisation] = [first(found.DimensionOrganizationSequence)];
    expect(plain(found.DimensionIndexSequence)).toEqual([
      {
        DimensionOrganizationUID: organisation.DimensionOrganizationUID,
        ...{ DimensionIndexPointer: 0x0062000b, FunctionalGroupPointer: 0x0062000a },
        DimensionDescriptionLabel: "Segment",
      },
    ]);
    const frame = first(found.PerFrameFunctionalGroupsSequence);
    expect(first(frame.FrameContentSequence).DimensionIndexValues).toBe(1);
  });

  it("is the same object for the same mask, and another one for another", async () => {
    const source = await sourceOf("explicit");
    const uidOf = async (data: Uint8Array) =>
      attributes(await dicomSegmentation(source, { ...size, data }, { date })).SOPInstanceUID;
    expect(await uidOf(mask.data)).toBe(await uidOf(mask.data));
    expect(await uidOf(mask.data)).not.toBe(await uidOf(new Uint8Array(48 * 40)));
    expect(await uidOf(mask.data)).toMatch(/^2\.25\.\d{1,39}$/);
  });

  it("does without what the photograph does not say", async () => {
    const found = attributes(await dicomSegmentation(await sourceOf("bare"), mask, { date }));
    expect(found).not.toHaveProperty("FrameOfReferenceUID");
    expect(first(found.SharedFunctionalGroupsSequence)).not.toHaveProperty("PixelMeasuresSequence");
  });
});

describe("dicomOverlay", () => {
  it("holds the picture, and refers to the photograph", async () => {
    const source = await sourceOf("jpeg-2000");
    const picture = await readPhotograph(pathOf("jpeg-2000"));
    const found = attributes(await dicomOverlay(source, picture, { date }));
    expect(found).toMatchObject({
      ...{ SOPClassUID: "1.2.840.10008.5.1.4.1.1.7", ConversionType: "WSD", ImageLaterality: "R" },
      ...{ Rows: 40, Columns: 48, PhotometricInterpretation: "RGB", BitsAllocated: 8 },
    });
    expect(bytesOf(found)).toEqual(picture.data);
    expect(first(found.SourceImageSequence)).toMatchObject({
      ReferencedSOPInstanceUID: attributes(source).SOPInstanceUID,
    });
  });
});

describe.each([
  ["segmentation", (source: Uint8Array) => dicomSegmentation(source, mask, { date })],
  [
    "overlay",
    (source: Uint8Array) => dicomOverlay(source, { ...size, data: new Uint8Array(3 * 48 * 40) }, { date }),
  ],
])("the %s", (_, write) => {
  it("repeats of the person what files it, and nothing else", async () => {
    const bytes = await write(await sourceOf("explicit"));
    const found = attributes(bytes);
    expect(found).toMatchObject({ PatientID: "ID-4711", StudyID: "S1", AccessionNumber: "A1" });
    for (const other of ["InstitutionName", "OperatorsName"]) expect(found).not.toHaveProperty(other);
    const text = Buffer.from(bytes).toString("latin1");
    expect(text).toContain("Made^Up");
    for (const other of ["Nowhere Hospital", "Operator^Nobody"]) expect(text).not.toContain(other);
  });

  it("has a head that says what the file holds", async () => {
    const { DicomMessage, DicomMetaDictionary } = dcmjs.data;
    const bytes = await write(await sourceOf("explicit"));
    const { meta } = DicomMessage.readFile(new Uint8Array(bytes).buffer);
    const { SOPClassUID, SOPInstanceUID } = attributes(bytes);
    expect(DicomMetaDictionary.naturalizeDataset(meta)).toMatchObject({
      ...{ MediaStorageSOPClassUID: SOPClassUID, MediaStorageSOPInstanceUID: SOPInstanceUID },
      ...{ TransferSyntaxUID: "1.2.840.10008.1.2.1", ImplementationVersionName: "SAUNET" },
      ImplementationClassUID: "2.25.176253478126935612385094712365094716235",
    });
  });

  it("says what made it, and which side it shows, unknown where the photograph does not say", async () => {
    const found = attributes(await write(await sourceOf("explicit")));
    expect(found).toMatchObject({ Manufacturer: "saunet", ManufacturerModelName: "saunet" });
    const bare = attributes(await write(await sourceOf("bare")));
    expect(bare.ImageLaterality).toBeUndefined();
    // The standard wants these to be there, if empty.
    const { DicomMessage } = dcmjs.data;
    const document = DicomMessage.readFile(new Uint8Array(await sourceOf("bare")).buffer);
    const filing = { AccessionNumber: "00080050", StudyID: "00200010", ReferringPhysicianName: "00080090" };
    for (const tag of Object.values(filing)) delete document.dict[tag];
    const unfiled = attributes(await write(new Uint8Array(document.write())));
    for (const name of Object.keys(filing)) expect(String(unfiled[name] ?? "absent"), name).toBe("");
    expect(bare.Manufacturer).toBe("saunet");
  });

  it("refuses what is no DICOM photograph, and another size", async () => {
    await expect(write(Uint8Array.of(1, 2, 3))).rejects.toThrow("photograph: is no DICOM file");
    await expect(write(await sourceOf("tomography"))).rejects.toThrow("no photograph of the eye");
    const small = { width: 8, height: 8, data: new Uint8Array(64) };
    await expect(dicomSegmentation(await sourceOf("explicit"), small)).rejects.toThrow(
      "photograph: is 48 x 40, but what was found in it 8 x 8",
    );
  });
});

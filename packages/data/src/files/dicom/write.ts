// What is found in a DICOM photograph, as DICOM: a segmentation (DICOM PS3.3, section A.51) and a secondary capture (A.8).
//
// Both belong to the photograph's patient and study, in a series of their own, and name the photograph as their source. Of the
// person they repeat what files them, and nothing that the photograph has not: no names of operators, institutions or devices.

import { createHash } from "node:crypto";
import type { Mask, Photograph } from "../../image.ts";
import { ImageFileError } from "../errors.ts";
import { type Dataset, type DicomFile, dicomLibraries, numberOf, openDicom } from "./file.ts";
import { isDicom } from "./head.ts";

/** How to write. */
export interface DicomOutputOptions {
  /** Stands for the photograph's path in errors; `photograph` when left out. */
  readonly name?: string;
  /** What made it, such as the name of a network; at most 64 characters. */
  readonly algorithm?: string;
  /** When it was made; now when left out. */
  readonly date?: Date;
}

const SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4";
const SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7";
const EXPLICIT = "1.2.840.10008.1.2.1";

/** What files an object under its patient and study. Those that the standard wants to be there may be empty (type 2). */
const FILING = {
  wanted: [
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "ReferringPhysicianName",
    "StudyID",
    "AccessionNumber",
  ],
  kept: ["StudyInstanceUID", "PatientIdentityRemoved", "DeidentificationMethod"],
} as const;

/** Part of the 64 characters of a description. */
const NOTICE = "Research only, not a medical device";

/**
 * A mask of vessels as a DICOM segmentation object (binary, one segment, one frame) that refers to its photograph.
 *
 * @param source the bytes of the photograph's DICOM file; they are not changed
 * @param mask of the photograph's size
 * @returns the bytes of a DICOM file (explicit VR, little endian)
 * @throws ImageFileError where the source is no DICOM photograph, or of another size than the mask
 * @example
 * try { await dicomSegmentation(Uint8Array.of(1, 2, 3), { width: 1, height: 1, data: Uint8Array.of(1) }); }
 * catch (error) { console.log(error.message); } // photograph: is no DICOM file, so that nothing can refer to it as DICOM does
 */
export async function dicomSegmentation(
  source: Uint8Array,
  mask: Mask,
  options: DicomOutputOptions = {},
): Promise<Uint8Array> {
  const file = await openSource(source, mask, options);
  const { dataset } = file;
  const { algorithm = "saunet" } = options;
  const pixels = packedBits(mask.data);
  const reference = referenceTo(dataset);
  const dimensions = uidOf(file, SEGMENTATION, "dimensions", pixels);
  const { PixelSpacing, FrameOfReferenceUID } = dataset;
  return encode(file, SEGMENTATION, pixels, options, {
    ...{ Modality: "SEG", SeriesNumber: 9001, InstanceNumber: 1 },
    SeriesDescription: `Retinal vessels. ${NOTICE}`,
    ...(typeof FrameOfReferenceUID === "string" && { FrameOfReferenceUID, PositionReferenceIndicator: "" }),
    ...{ DeviceSerialNumber: "0", SoftwareVersions: "1" },
    ...{ ImageType: ["DERIVED", "PRIMARY"], PatientOrientation: "", ContentLabel: "VESSELS" },
    ContentDescription: `Retinal vessels. ${NOTICE}`,
    ContentCreatorName: "",
    ...{ Rows: mask.height, Columns: mask.width, NumberOfFrames: 1 },
    ...{ SamplesPerPixel: 1, PhotometricInterpretation: "MONOCHROME2", PixelRepresentation: 0 },
    ...{ BitsAllocated: 1, BitsStored: 1, HighBit: 0 },
    ...{ LossyImageCompression: "00", BurnedInAnnotation: "NO", SegmentationType: "BINARY" },
    SegmentSequence: [
      {
        ...{ SegmentNumber: 1, SegmentLabel: "Retinal vessels" },
        ...{ SegmentAlgorithmType: "AUTOMATIC", SegmentAlgorithmName: algorithm.slice(0, 64) },
        SegmentedPropertyCategoryCodeSequence: [code("91723000", "SCT", "Anatomical Structure")],
        SegmentedPropertyTypeCodeSequence: [code("59820001", "SCT", "Blood vessel")],
        AnatomicRegionSequence: [code("5665001", "SCT", "Retina")],
      },
    ],
    DimensionOrganizationSequence: [{ DimensionOrganizationUID: dimensions }],
    DimensionIndexSequence: [
      {
        DimensionOrganizationUID: dimensions,
        ...{ DimensionIndexPointer: 0x0062000b, FunctionalGroupPointer: 0x0062000a },
        DimensionDescriptionLabel: "Segment",
      },
    ],
    SharedFunctionalGroupsSequence: [
      {
        // Readers want a thickness beside the spacing. A photograph has none: it is as thick here as a pixel is high.
        ...(Array.isArray(PixelSpacing) && {
          PixelMeasuresSequence: [{ PixelSpacing, SliceThickness: PixelSpacing[0] }],
        }),
        SegmentIdentificationSequence: [{ ReferencedSegmentNumber: 1 }],
      },
    ],
    PerFrameFunctionalGroupsSequence: [
      {
        FrameContentSequence: [{ DimensionIndexValues: 1 }],
        DerivationImageSequence: [
          {
            DerivationCodeSequence: [code("113076", "DCM", "Segmentation")],
            SourceImageSequence: [
              {
                ...{ ...reference, SpatialLocationsPreserved: "YES" },
                PurposeOfReferenceCodeSequence: [
                  code("121322", "DCM", "Source image for image processing operation"),
                ],
              },
            ],
          },
        ],
      },
    ],
    ReferencedSeriesSequence: [
      { SeriesInstanceUID: dataset.SeriesInstanceUID, ReferencedInstanceSequence: [reference] },
    ],
    PixelData: [pixels.buffer],
    _vrMap: { PixelData: "OB" },
  });
}

/**
 * A picture that was drawn over a photograph, as a DICOM secondary capture that refers to it.
 *
 * @param source the bytes of the photograph's DICOM file; they are not changed
 * @param picture of the photograph's size, RGB
 * @returns the bytes of a DICOM file (explicit VR, little endian)
 * @throws ImageFileError as {@link dicomSegmentation} does
 * @example
 * try { await dicomOverlay(new Uint8Array(200), { width: 1, height: 1, data: Uint8Array.of(1, 2, 3) }); }
 * catch (error) { console.log(error.name); } // ImageFileError
 */
export async function dicomOverlay(
  source: Uint8Array,
  picture: Photograph,
  options: DicomOutputOptions = {},
): Promise<Uint8Array> {
  const file = await openSource(source, picture, options);
  const pixels = new Uint8Array(picture.data.length + (picture.data.length % 2));
  pixels.set(picture.data);
  const { ImageLaterality } = file.dataset;
  return encode(file, SECONDARY_CAPTURE, pixels, options, {
    ...{ Modality: "OT", SeriesNumber: 9002, InstanceNumber: 1, ConversionType: "WSD" },
    SeriesDescription: `Vessels over photograph. ${NOTICE}`,
    ImageType: ["DERIVED", "SECONDARY"],
    DerivationDescription: `Vessels by ${(options.algorithm ?? "saunet").slice(0, 64)} drawn over the photograph. ${NOTICE}`,
    SourceImageSequence: [{ ...referenceTo(file.dataset), SpatialLocationsPreserved: "YES" }],
    // Of an organ that comes in pairs an unknown side is said to be unknown.
    ...(typeof ImageLaterality === "string" ? { ImageLaterality } : { Laterality: "" }),
    ...{ PatientOrientation: "", BurnedInAnnotation: "NO" },
    ...{ Rows: picture.height, Columns: picture.width, SamplesPerPixel: 3, PlanarConfiguration: 0 },
    ...{ PhotometricInterpretation: "RGB", BitsAllocated: 8, BitsStored: 8, HighBit: 7 },
    PixelRepresentation: 0,
    PixelData: [pixels.buffer],
    _vrMap: { PixelData: "OB" },
  });
}

/** @throws ImageFileError where it is no DICOM photograph of that size */
async function openSource(
  source: Uint8Array,
  { width, height }: { readonly width: number; readonly height: number },
  { name = "photograph" }: DicomOutputOptions,
): Promise<DicomFile> {
  if (!isDicom(source)) {
    throw new ImageFileError(name, "is no DICOM file, so that nothing can refer to it as DICOM does");
  }
  const file = await openDicom(name, source);
  const [columns, rows] = [numberOf(file.dataset, "Columns"), numberOf(file.dataset, "Rows")];
  if (columns === width && rows === height) return file;
  throw new ImageFileError(name, `is ${columns} x ${rows}, but what was found in it ${width} x ${height}`);
}

/** A concept of a coding scheme. */
const code = (CodeValue: string, CodingSchemeDesignator: string, CodeMeaning: string) => ({
  CodeValue,
  CodingSchemeDesignator,
  CodeMeaning,
});

const referenceTo = ({ SOPClassUID, SOPInstanceUID }: Dataset) => ({
  ReferencedSOPClassUID: SOPClassUID,
  ReferencedSOPInstanceUID: SOPInstanceUID,
});

/** Eight pixels a byte, the first in the lowest bit, to an even number of bytes. */
function packedBits(data: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(2 * Math.ceil(data.length / 16));
  for (let pixel = 0; pixel < data.length; pixel++) bytes[pixel >> 3] |= (data[pixel] & 1) << (pixel & 7);
  return bytes;
}

/**
 * A unique identifier by the photograph and what is written: the same again is the same object (`2.25.`, and 128 bits as an
 * integer: DICOM PS3.5, section B.2).
 */
function uidOf({ dataset }: DicomFile, sop: string, what: string, pixels: Uint8Array): string {
  const hash = createHash("sha256");
  for (const part of [String(dataset.SOPInstanceUID), sop, what]) hash.update(`${part}\0`);
  const digits = hash.update(pixels).digest("hex").slice(0, 32);
  return `2.25.${BigInt(`0x${digits}`)}`;
}

async function encode(
  file: DicomFile,
  sop: string,
  pixels: Uint8Array,
  { date = new Date() }: DicomOutputOptions,
  own: Record<string, unknown>,
): Promise<Uint8Array> {
  const { DicomDict, DicomMetaDictionary } = await dicomLibraries(file.path);
  const { dataset } = file;
  const filing = Object.fromEntries([
    ...FILING.wanted.map((name) => [name, dataset[name] ?? ""]),
    ...FILING.kept.filter((name) => dataset[name] !== undefined).map((name) => [name, dataset[name]]),
  ]);
  const [day, time] = date.toISOString().replace(/[-:]/g, "").split("T");
  const instance = uidOf(file, sop, "instance", pixels);
  const content = DicomMetaDictionary.denaturalizeDataset({
    ...filing,
    ...{ SOPClassUID: sop, SOPInstanceUID: instance },
    SeriesInstanceUID: uidOf(file, sop, "series", new Uint8Array(0)),
    ...{ ContentDate: day, ContentTime: time.slice(0, 6), InstanceCreationDate: day },
    ...{ Manufacturer: "saunet", ManufacturerModelName: "saunet" },
    ...own,
  });
  const meta = DicomMetaDictionary.denaturalizeDataset({
    FileMetaInformationVersion: Uint8Array.of(0, 1).buffer,
    MediaStorageSOPClassUID: sop,
    MediaStorageSOPInstanceUID: instance,
    TransferSyntaxUID: EXPLICIT,
    ImplementationClassUID: "2.25.176253478126935612385094712365094716235",
    ImplementationVersionName: "SAUNET",
  });
  const document = new DicomDict(meta);
  document.dict = content;
  return new Uint8Array(document.write());
}

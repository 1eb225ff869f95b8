// A DICOM file: what it is, and what it says of its picture. dcmjs reads it; it is loaded when the first one is met.

/// <reference path="./dcmjs.d.ts" />

import { damaged, ImageFileError } from "../errors.ts";
import type { DicomFacts } from "./facts.ts";
import { PREAMBLE } from "./head.ts";
import { retinalScale } from "./scale.ts";
import { isCutShort } from "./whole.ts";

/** Attributes by their names. */
export type Dataset = Readonly<Record<string, unknown>>;

/** A file that has been read. */
export interface DicomFile {
  readonly path: string;
  readonly dataset: Dataset;
  readonly transferSyntax: string;
  /** The whole file. */
  readonly buffer: ArrayBuffer;
}

/** Photographs: of the eye with 8 and 16 bits, its wide field, and any other with visible light. */
const PHOTOGRAPHS = [
  "1.2.840.10008.5.1.4.1.1.77.1.5.1",
  "1.2.840.10008.5.1.4.1.1.77.1.5.2",
  "1.2.840.10008.5.1.4.1.1.77.1.5.5",
  "1.2.840.10008.5.1.4.1.1.77.1.4",
];

/** What else comes out of eye clinics, by its class. */
const OTHERS: Readonly<Record<string, string>> = {
  "1.2.840.10008.5.1.4.1.1.2": "CT Image",
  "1.2.840.10008.5.1.4.1.1.4": "MR Image",
  "1.2.840.10008.5.1.4.1.1.6.1": "Ultrasound Image",
  "1.2.840.10008.5.1.4.1.1.7": "Secondary Capture Image",
  "1.2.840.10008.5.1.4.1.1.66.4": "Segmentation",
  "1.2.840.10008.5.1.4.1.1.77.1.5.3": "Stereometric Relationship",
  "1.2.840.10008.5.1.4.1.1.77.1.5.4": "Ophthalmic Tomography Image",
  "1.2.840.10008.5.1.4.1.1.80.1": "Ophthalmic Visual Field Static Perimetry Measurements",
  "1.2.840.10008.5.1.4.1.1.104.1": "Encapsulated PDF",
};

/** What is used of both libraries. */
interface DicomLibraries extends Pick<Data, "DicomDict" | "DicomMessage" | "DicomMetaDictionary"> {
  readonly codecs: Pick<Codecs, "NativeCodecs" | "Transcoder">;
}

type Data = typeof import("dcmjs")["default"]["data"];
type Codecs = typeof import("dcmjs-codecs");

/** dcmjs and dcmjs-codecs, without what they log: errors are told by whoever catches them. */
export async function dicomLibraries(path: string): Promise<DicomLibraries> {
  const [{ default: dcmjs }, module] = await Promise.all([import("dcmjs"), import("dcmjs-codecs")]).catch(
    (error: unknown) => {
      const isMissing = (error as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND";
      const why = isMissing ? "which are not installed" : `which fail (${messageOf(error)})`;
      throw new ImageFileError(
        path,
        `is a DICOM file, and to read it takes the packages dcmjs and dcmjs-codecs, ${why}`,
        { cause: error },
      );
    },
  );
  // Node finds no names in a CommonJS module that is minified; bundlers do.
  const codecs = (module as Codecs & { readonly default?: Codecs }).default ?? module;
  for (const log of [dcmjs.log, dcmjs.log.getLogger("validation.dcmjs"), codecs.log]) {
    log.setLevel("silent", false);
  }
  return { ...dcmjs.data, codecs };
}

/**
 * Reads a DICOM file that holds a photograph.
 *
 * @throws ImageFileError where it is damaged, deflated, or something else than a photograph
 */
export async function openDicom(path: string, bytes: Uint8Array): Promise<DicomFile> {
  const { DicomMessage, DicomMetaDictionary } = await dicomLibraries(path);
  const buffer = new Uint8Array(bytes).buffer;
  const syntax = transferSyntaxIn(bytes);
  // To unpack it would take up to a thousand times the memory of the file.
  if (syntax === DEFLATED) {
    throw new ImageFileError(
      path,
      "is a DICOM file that is deflated as a whole, which is not read; save it with another transfer syntax",
    );
  }
  let dataset: Dataset;
  let transferSyntax: unknown;
  try {
    const { meta, dict } = DicomMessage.readFile(buffer);
    dataset = DicomMetaDictionary.naturalizeDataset(dict);
    transferSyntax = DicomMetaDictionary.naturalizeDataset(meta).TransferSyntaxUID;
  } catch (error) {
    throw new ImageFileError(path, damaged(messageOf(error)), { cause: error });
  }
  const { SOPClassUID: sop } = dataset;
  if (typeof sop !== "string" || typeof transferSyntax !== "string") {
    throw new ImageFileError(path, damaged("it does not say what it is"));
  }
  if (!PHOTOGRAPHS.includes(sop)) {
    const name = OTHERS[sop] ?? `SOP class ${sop.slice(0, 64)}`;
    throw new ImageFileError(path, `is a DICOM file, but no photograph of the eye: ${name}`);
  }
  if (isCutShort(bytes, transferSyntax)) {
    throw new ImageFileError(path, damaged("it ends within its pixels"));
  }
  return { path, dataset, transferSyntax, buffer };
}

const DEFLATED = "1.2.840.10008.1.2.1.99";

/** The transfer syntax (0002,0010), which stands in the first bytes and is always written in the same way. */
function transferSyntaxIn(bytes: Uint8Array): string | undefined {
  const head = bytes.subarray(PREAMBLE, PREAMBLE + 2048);
  for (let at = 4; at + 8 < head.length; at++) {
    if (head[at] !== 2 || head[at + 1] !== 0 || head[at + 2] !== 0x10 || head[at + 3] !== 0) continue;
    if (head[at + 4] !== 0x55 || head[at + 5] !== 0x49) continue;
    const length = head[at + 6] + 256 * head[at + 7];
    return String.fromCharCode(...head.subarray(at + 8, at + 8 + length)).replace(/[\0 ]+$/, "");
  }
  return undefined;
}

/** What a library threw, which may be no error. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A number of an attribute; undefined where it has none. */
export function numberOf(dataset: Dataset, name: string): number | undefined {
  const value = dataset[name];
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}

/** What a file says of the eye. What makes no sense is left out. */
export function factsOf(dataset: Dataset): DicomFacts {
  const laterality = [dataset.ImageLaterality, dataset.Laterality].find(
    (value) => value === "R" || value === "L" || value === "B",
  ) as DicomFacts["laterality"];
  const spacing = Array.isArray(dataset.PixelSpacing) ? dataset.PixelSpacing.map(Number) : [];
  const [rows, columns] = spacing;
  const isScale = spacing.length === 2 && rows > 0 && columns > 0 && rows < 1000 && columns < 1000;
  return {
    ...(laterality && { laterality }),
    ...(isScale && { pixelSpacing: [rows, columns], ...retinalScale(dataset, [rows, columns]) }),
  };
}

// What needs files, and so Node: reading pictures and data sets, writing PNG.

export * from "./datasets/index.ts";
export type { DicomFacts } from "./dicom/facts.ts";
export { type DicomOutputOptions, dicomOverlay, dicomSegmentation } from "./dicom/write.ts";
export { DatasetError, ImageFileError, knownSystemReason } from "./errors.ts";
export type { ReadOptions } from "./open-picture.ts";
export {
  decodePhotograph,
  readDicomFacts,
  readMask,
  readPhotograph,
  readSize,
} from "./read.ts";
export { encodePng, type GreyPicture, writePng } from "./write.ts";
export { temporaryName, writeWhole } from "./write-whole.ts";

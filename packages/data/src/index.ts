// The public list: what runs in browsers and in Node alike. Reading and writing files is @saunet/data/files.

export * from "./augment.ts";
export * from "./field-of-view.ts";
export { isDicom } from "./files/dicom/head.ts";
export { ImageFileError } from "./files/errors.ts";
export { maskFrom } from "./files/mask.ts";
export { decodeNetpbm, type NetpbmHeader, netpbmHeader } from "./files/netpbm.ts";
export { photographFrom } from "./files/photograph.ts";
export type { SampleArray, Samples } from "./files/samples.ts";
export * from "./flip.ts";
export * from "./image.ts";
export * from "./labelled-image.ts";
export * from "./overlay.ts";
export { type PaperVariant, paperAugmentation } from "./paper-augmentation.ts";
export * from "./photograph-warnings.ts";
export * from "./resize.ts";
export * from "./synthetic.ts";

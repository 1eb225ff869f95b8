// The public list: what runs in browsers and in Node alike. Reading and writing files is @saunet/data/files.

export * from "./augment.ts";
export * from "./field-of-view.ts";
export * from "./files/netpbm.ts";
export * from "./image.ts";
export * from "./labelled-image.ts";
export * from "./overlay.ts";
export { type PaperVariant, paperAugmentation } from "./paper-augmentation.ts";
export * from "./resize.ts";
export * from "./synthetic.ts";

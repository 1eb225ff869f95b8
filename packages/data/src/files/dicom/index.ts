// The public list: DICOM photographs, in browsers and in Node alike. It stands apart from the package's own list, so that nobody's
// bundler looks for dcmjs who reads no DICOM.

export { decodeDicom } from "./decode.ts";

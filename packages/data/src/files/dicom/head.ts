// How a DICOM file begins. It stands apart, so that to ask takes none of the libraries that read one.

/** Where `DICM` stands (DICOM PS3.10, section 7.1). */
export const PREAMBLE = 128;

/**
 * Whether a file begins as a DICOM file does.
 *
 * @param head its first 132 bytes, or more
 * @example
 * const head = new Uint8Array(132);
 * console.log(isDicom(head)); // false
 * head.set(new TextEncoder().encode("DICM"), 128);
 * console.log(isDicom(head)); // true
 */
export function isDicom(head: Uint8Array): boolean {
  const mark = head.subarray(PREAMBLE, PREAMBLE + 4);
  return String.fromCharCode(...mark) === "DICM";
}

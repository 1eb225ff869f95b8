// What a DICOM file says of the eye. It stands apart, so that the package's types need none of the libraries'.

/** What a DICOM file says beside its pixels. */
export interface DicomFacts {
  /** The eye: right, left, or both. */
  readonly laterality?: "R" | "L" | "B";
  /** Sides of a pixel on the retina, in millimetres: between rows, and between columns. */
  readonly pixelSpacing?: readonly [rows: number, columns: number];
}

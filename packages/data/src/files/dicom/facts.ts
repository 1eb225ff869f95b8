// What a DICOM file says of the eye. It stands apart, so that the package's types need none of the libraries'.

/** What a DICOM file says beside its pixels. */
export interface DicomFacts {
  /** The eye: right, left, or both. */
  readonly laterality?: "R" | "L" | "B";
  /** `PixelSpacing` as it stands in the file, in millimetres: between rows, and between columns. */
  readonly pixelSpacing?: readonly [rows: number, columns: number];
  /** The side of a pixel on the retina by `pixelSpacing`, where that can be trusted. It is nominal: of an average eye. */
  readonly micrometresPerPixel?: number;
  /** Why `pixelSpacing` is not trusted. */
  readonly scaleDoubt?: string;
}

// The scale of a DICOM photograph. DICOM PS3.3 (2024) has PixelSpacing in many modules, and it means the retina in one alone:
// in ophthalmic photography (C.8.17.2) it is the "nominal physical distance at the focal plane (in the retina)". Wide-field
// photographs must not have it, since the scale changes across a projected sphere (C.8.17.11, C.8.17.12), and of other
// photographs nothing says where it was measured. ImagerPixelSpacing is that of the detector.

import type { Dataset } from "./file.ts";

/** Ophthalmic Photography with 8 and 16 bits. */
const AT_RETINA = ["1.2.840.10008.5.1.4.1.1.77.1.5.1", "1.2.840.10008.5.1.4.1.1.77.1.5.2"];

/** What a projected sphere is described by; beside these the standard allows no PixelSpacing. */
const PROJECTED = [
  "TwoDimensionalToThreeDimensionalMapSequence",
  "XCoordinatesCenterPixelViewAngle",
  "YCoordinatesCenterPixelViewAngle",
];

/** Sides of a pixel that differ by more than this share make figures that hang on the direction of a vessel. */
const SQUARE = 0.01;

/** Optics resolve nothing finer, in millimetres. */
const SMALLEST_PIXEL = 0.001;

/** Half the way round the inside of an eye is some 35 mm. Resolutions of prints and screens come out far above. */
const LARGEST_PICTURE = 50;

/** The scale, or why there is none. */
export type RetinalScale = { readonly micrometresPerPixel: number } | { readonly scaleDoubt: string };

/** Whether PixelSpacing, in millimetres, is a scale on the retina. */
export function retinalScale(
  dataset: Dataset,
  [rows, columns]: readonly [rows: number, columns: number],
): RetinalScale {
  const doubt = (why: string): RetinalScale => ({ scaleDoubt: `PixelSpacing ${rows}\\${columns} mm ${why}` });
  if (!AT_RETINA.includes(String(dataset.SOPClassUID))) {
    return doubt(
      "is of no Ophthalmic Photography with 8 or 16 bits, where alone it is measured on the retina",
    );
  }
  if (PROJECTED.some((name) => dataset[name] !== undefined)) {
    return doubt("stands beside a projection of the eye, across which the scale changes");
  }
  const imager = Array.isArray(dataset.ImagerPixelSpacing) ? dataset.ImagerPixelSpacing.map(Number) : [];
  if (imager[0] === rows && imager[1] === columns)
    return doubt("equals ImagerPixelSpacing: it is the detector's");
  if (Math.abs(rows / columns - 1) > SQUARE) return doubt("is of pixels that are not square");
  const picture = Math.max(Number(dataset.Rows) * rows, Number(dataset.Columns) * columns);
  if (Math.min(rows, columns) < SMALLEST_PIXEL) return doubt("is finer than optics resolve");
  if (picture > LARGEST_PICTURE)
    return doubt(`makes a picture of ${Math.round(picture)} mm, larger than a retina`);
  // The geometric mean keeps areas; ten digits keep 7.2 from becoming 7.199999999999999.
  return { micrometresPerPixel: Number((1000 * Math.sqrt(rows * columns)).toPrecision(10)) };
}

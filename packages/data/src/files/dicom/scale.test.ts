import { describe, expect, it } from "vitest";
import { retinalScale } from "./scale.ts";

const photograph = { SOPClassUID: "1.2.840.10008.5.1.4.1.1.77.1.5.1", Rows: 2000, Columns: 3000 };

describe("the scale of a DICOM photograph", () => {
  it.each([
    [photograph, [0.0072, 0.0072], 7.2],
    [{ ...photograph, SOPClassUID: "1.2.840.10008.5.1.4.1.1.77.1.5.2" }, [0.005, 0.005], 5],
    // Pixels that are nearly square, and a detector that is known apart.
    [{ ...photograph, ImagerPixelSpacing: [0.0055, 0.0055] }, [0.01, 0.01005], 10.02496883],
  ])("is PixelSpacing in micrometres where that is measured on the retina", (dataset, spacing, wanted) => {
    const [rows, columns] = spacing;
    expect(retinalScale(dataset, [rows, columns])).toEqual({ micrometresPerPixel: wanted });
  });

  const projection = { XCoordinatesCenterPixelViewAngle: 0.02, YCoordinatesCenterPixelViewAngle: 0.02 };
  it.each([
    ["a photograph of anything", { SOPClassUID: "1.2.840.10008.5.1.4.1.1.77.1.4" }, 0.0072, "8 or 16 bits"],
    ["a wide field", { SOPClassUID: "1.2.840.10008.5.1.4.1.1.77.1.5.5" }, 0.0072, "8 or 16 bits"],
    ["a projected sphere", projection, 0.0072, "a projection of the eye"],
    ["a map of a sphere", { TwoDimensionalToThreeDimensionalMapSequence: [{}] }, 0.0072, "a projection"],
    ["the detector", { ImagerPixelSpacing: ["0.0072", "0.0072"] }, 0.0072, "equals ImagerPixelSpacing"],
    ["what no optics resolve", {}, 0.0004, "finer than optics resolve"],
    ["a print of 300 dots an inch", {}, 0.0847, "makes a picture of 254 mm, larger than a retina"],
  ])("is none of %s, for a reason", (_, more, spacing, why) => {
    expect(retinalScale({ ...photograph, ...more }, [spacing, spacing])).toEqual({
      scaleDoubt: expect.stringContaining(why),
    });
  });

  it("is none where rows and columns differ", () => {
    expect(retinalScale(photograph, [0.0072, 0.0081])).toEqual({
      scaleDoubt: "PixelSpacing 0.0072\\0.0081 mm is of pixels that are not square",
    });
  });
});

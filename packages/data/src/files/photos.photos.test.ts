// Checks on real photographs, which are not part of this project: SAUNET_PHOTOS names the folder that holds CHASE_DB1
// and HRF. Skipped where it is not set.

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fieldOfView } from "../field-of-view.ts";
import { coverage, type Mask, type Photograph } from "../image.ts";
import { photographWarnings } from "../photograph-warnings.ts";
import { syntheticFundus } from "../synthetic.ts";
import { readDataset } from "./datasets/index.ts";
import { readMask, readPhotograph } from "./read.ts";

const photos = process.env.SAUNET_PHOTOS ?? "";

/** Where both masks hold, where either does. */
function count(a: Mask, b: Mask): { both: number; either: number } {
  let [both, either] = [0, 0];
  for (let pixel = 0; pixel < a.data.length; pixel++) {
    both += a.data[pixel] & b.data[pixel];
    either += a.data[pixel] | b.data[pixel];
  }
  return { both, either };
}

/** What a photograph looks like in numbers: means and deviations in the field of view, vessels, their contrast. */
function looks(image: Photograph, vessels: Mask, field: Mask): Record<string, number> {
  const inside = [...field.data.keys()].filter((pixel) => field.data[pixel] === 1);
  const mean = (channel: number, pixels: number[]): number =>
    pixels.reduce((sum, pixel) => sum + image.data[pixel * 3 + channel], 0) / pixels.length;
  const green = mean(1, inside);
  const square =
    inside.reduce((sum, pixel) => sum + (image.data[pixel * 3 + 1] - green) ** 2, 0) / inside.length;
  const onVessels = inside.filter((pixel) => vessels.data[pixel] === 1);
  const beside = onVessels
    .map((pixel) => pixel + Math.round(0.02 * image.width))
    .filter((pixel) => field.data[pixel] && !vessels.data[pixel]);
  return {
    red: mean(0, inside),
    green,
    blue: mean(2, inside),
    greenDeviation: Math.sqrt(square) / green,
    density: coverage(vessels, field),
    contrast: 1 - mean(1, onVessels) / mean(1, beside),
  };
}

describe.skipIf(photos === "")("on real photographs", () => {
  it("the field of view agrees with the masks of HRF", async () => {
    const overlaps: number[] = [];
    for (const file of await readdir(join(photos, "HRF/images"))) {
      const photograph = await readPhotograph(join(photos, "HRF/images", file));
      const found = fieldOfView(photograph);
      expect(photographWarnings(photograph, found), file).toEqual([]);
      const mask = await readMask(join(photos, "HRF/mask", file.replace(/\.jpg$/i, "_mask.tif")));
      const { both, either } = count(found, mask);
      overlaps.push(both / either);
    }
    expect(overlaps.length).toBe(45);
    const mean = overlaps.reduce((sum, overlap) => sum + overlap, 0) / 45;
    const worst = Math.min(...overlaps);
    const dice = overlaps.reduce((sum, overlap) => sum + (2 * overlap) / (1 + overlap), 0) / 45;
    console.info(
      `HRF field of view: mean IoU ${mean.toFixed(5)}, mean Dice ${dice.toFixed(5)}, worst IoU ${worst.toFixed(5)}`,
    );
    expect(mean).toBeGreaterThan(0.998);
    expect(worst).toBeGreaterThan(0.997);
  });

  it("the labels of HRF are read, those of odd TIFF flavour too", async () => {
    for (const name of ["01_h", "11_h", "12_h", "13_h", "08_dr", "15_g"]) {
      const mask = await readMask(join(photos, "HRF/manual1", `${name}.tif`));
      expect([mask.width, mask.height]).toEqual([3504, 2336]);
      expect(coverage(mask)).toBeGreaterThan(0.03);
      expect(coverage(mask)).toBeLessThan(0.15);
    }
  });

  it("every sample of HRF is read as its layout says, with vessels inside the field of view", async () => {
    const samples = await readDataset({ kind: "hrf", directory: join(photos, "HRF") });
    expect(samples).toHaveLength(45);
    for (const sample of samples) {
      const [vessels, field] = [await sample.vessels(), await sample.fieldOfView()];
      expect([vessels.width, vessels.height]).toEqual([3504, 2336]);
      expect(count(vessels, field).both / (coverage(vessels) * 3504 * 2336), sample.id).toBeGreaterThan(0.99);
    }
  });

  it("CHASE_DB1 is read, its field of view is a circle around all vessels, and the synthetic eye looks alike", async () => {
    const real: Record<string, number>[] = [];
    for (const sample of await readDataset({ kind: "chase", directory: join(photos, "CHASE_DB1") })) {
      const [image, vessels, second] = [
        await sample.image(),
        await sample.vessels(),
        await sample.vessels("2ndHO"),
      ];
      const field = await sample.fieldOfView();
      expect(photographWarnings(image, field), sample.id).toEqual([]);
      expect([image.width, image.height]).toEqual([999, 960]);
      const columns = [...Array(999).keys()].filter((x) => field.data[480 * 999 + x] === 1);
      const diameter = columns.length;
      expect((coverage(field) * 999 * 960) / (Math.PI * (diameter / 2) ** 2)).toBeCloseTo(1, 1);
      expect(count(vessels, field).both / (coverage(vessels) * 999 * 960)).toBeGreaterThan(0.99);
      const { both, either } = count(vessels, second);
      expect((2 * both) / (both + either)).toBeGreaterThan(0.65);
      real.push(looks(image, vessels, field));
    }
    const made = Array.from({ length: 12 }, (_, seed) => {
      const { image, vessels, fieldOfView: field } = syntheticFundus({ seed, view: "disc" });
      return looks(image, vessels, field);
    });
    for (const key of Object.keys(real[0])) {
      const range = (all: Record<string, number>[]): number[] => {
        const values = all.map((one) => one[key]).sort((a, b) => a - b);
        return [
          values[0],
          values.reduce((sum, value) => sum + value, 0) / values.length,
          values[values.length - 1],
        ];
      };
      const [low, mean, high] = range(real);
      const [, madeMean] = range(made);
      const written = [low, mean, high, ...range(made)].map((value) => value.toPrecision(3));
      console.info(
        `${key}: CHASE_DB1 ${written.slice(0, 3).join(" … ")}, synthetic ${written.slice(3).join(" … ")}`,
      );
      expect(madeMean, key).toBeGreaterThan(low);
      expect(madeMean, key).toBeLessThan(high);
    }
  });
});

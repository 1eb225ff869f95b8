import { randomState } from "@saunet/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AugmentOptions, augment, type LabelledImage, labelledImage } from "./augment.ts";
import { syntheticFundus } from "./synthetic.ts";

const eye = syntheticFundus({ seed: 5, width: 64, height: 64 });
const labelled = labelledImage(eye.image, eye.vessels, eye.fieldOfView);

/** Every pixel different, so that where it came from can be told: red is the column, green the row, blue 0.5. */
function numbered(width: number, height: number): LabelledImage {
  const image = new Float32Array(width * height * 3);
  const vessels = new Uint8Array(width * height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    image.set([(pixel % width) / 64, Math.floor(pixel / width) / 64, 0.5], pixel * 3);
    vessels[pixel] = pixel % 5 === 0 ? 1 : 0;
  }
  return { width, height, image, vessels, fieldOfView: new Uint8Array(width * height).fill(1) };
}

/** Where the pixel of a result came from in the numbered picture. */
const originOf = ({ width, image }: LabelledImage, x: number, y: number): [number, number] => {
  const red = (y * width + x) * 3;
  return [image[red] * 64, image[red + 1] * 64];
};

const everything = { rotation: 30, scale: 0.3, brightness: 0.2, contrast: 0.3, gamma: 0.3, colour: 0.1 };

describe("augment", () => {
  it("changes nothing that is not asked for", () => {
    expect(augment(labelled, {}, randomState(1))).toEqual(labelled);
  });

  it("is a function of the state, which it moves on", () => {
    const state = randomState(3);
    const options: AugmentOptions = { width: 40, height: 24, orientations: true, ...everything };
    const [first, second] = [augment(labelled, options, state), augment(labelled, options, state)];
    expect(first).toEqual(augment(labelled, options, randomState(3)));
    expect(second).not.toEqual(first);
  });

  it("leaves the source alone", () => {
    const before = structuredClone(labelled);
    augment(labelled, everything, randomState(2));
    expect(labelled).toEqual(before);
  });

  it("crops whole pixels from inside the picture, labels and all", () => {
    const source = numbered(30, 20);
    fc.assert(
      fc.property(
        fc.nat(),
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 20 }),
        (seed, width, height) => {
          const crop = augment(source, { width, height }, randomState(seed));
          const [left, top] = originOf(crop, 0, 0);
          expect([left >= 0, top >= 0, left + width <= 30, top + height <= 20]).not.toContain(false);
          for (let y = 0; y < height; y++)
            for (let x = 0; x < width; x++) {
              expect(originOf(crop, x, y)).toEqual([left + x, top + y]);
              expect(crop.vessels[y * width + x]).toBe(source.vessels[(top + y) * 30 + left + x]);
            }
        },
      ),
      { numRuns: 50 },
    );
  });

  it("reaches every place", () => {
    const state = randomState(1);
    const source = numbered(6, 5);
    const places = new Set(
      Array.from({ length: 400 }, () => `${originOf(augment(source, { width: 3, height: 2 }, state), 0, 0)}`),
    );
    expect(places.size).toBe(16);
  });

  it("fills a crop larger than the picture with black outside the field of view", () => {
    const large = augment(numbered(10, 8), { width: 16, height: 9 }, randomState(4));
    expect(large.fieldOfView.reduce((sum, value) => sum + value, 0)).toBe(80);
    large.fieldOfView.forEach((seen, pixel) => {
      expect(large.image[pixel * 3 + 2]).toBe(seen === 1 ? 0.5 : 0);
      expect(large.vessels[pixel]).toBeLessThanOrEqual(seen);
    });
  });

  it.each([
    [5, 5, 8],
    [6, 4, 4],
  ])("turns and mirrors %i x %i in %i ways, moving pixels with their labels", (width, height, ways) => {
    const source = numbered(width, height);
    const state = randomState(9);
    const seen = new Set<string>();
    for (let i = 0; i < 200; i++) {
      const turned = augment(source, { orientations: true }, state);
      const origins = Array.from({ length: width * height }, (_, pixel) =>
        originOf(turned, pixel % width, Math.floor(pixel / width)),
      );
      expect(new Set(origins.map(String)).size).toBe(width * height);
      expect([...turned.vessels]).toEqual(origins.map(([x, y]) => source.vessels[y * width + x]));
      seen.add(String(origins));
    }
    expect(seen.size).toBe(ways);
  });

  it("holds a vessel whatever else happens", () => {
    const vessels = new Uint8Array(64 * 64);
    const sizes = fc.integer({ min: 1, max: 80 });
    fc.assert(
      fc.property(fc.nat(), fc.nat({ max: 64 * 64 - 1 }), sizes, sizes, (seed, pixel, width, height) => {
        vessels.fill(0)[pixel] = 1;
        const options = { width, height, holdsVessel: true, orientations: true, ...everything };
        expect(augment({ ...labelled, vessels }, options, randomState(seed)).vessels).toContain(1);
      }),
    );
    const none = { ...labelled, vessels: new Uint8Array(64 * 64) };
    expect(augment(none, { width: 8, height: 8, holdsVessel: true }, randomState(1)).vessels).not.toContain(
      1,
    );
  });

  it("turns by the angle and zooms by the factor that it drew, and interpolates between pixels", () => {
    const source = numbered(60, 60);
    const state = randomState(11);
    const angles: number[] = [];
    const zooms: number[] = [];
    for (let i = 0; i < 100; i++) {
      const turned = augment(source, { width: 20, height: 20, rotation: 25, scale: 0.25 }, state);
      const [x0, y0] = originOf(turned, 5, 10);
      const [x1, y1] = originOf(turned, 15, 10);
      if ([x0, y0, x1, y1].some((place) => place <= 0.5 || place >= 58.5)) continue;
      angles.push((Math.atan2(y1 - y0, x1 - x0) * 180) / Math.PI);
      zooms.push(10 / Math.hypot(x1 - x0, y1 - y0));
    }
    expect(angles.length).toBeGreaterThan(50);
    expect(Math.max(...angles)).toBeLessThan(25.001);
    expect(Math.min(...angles)).toBeGreaterThan(-25.001);
    expect(Math.max(...angles) - Math.min(...angles)).toBeGreaterThan(40);
    expect(Math.max(...zooms)).toBeLessThan(1.2501);
    expect(Math.min(...zooms)).toBeGreaterThan(0.7999);
    expect(Math.max(...zooms) - Math.min(...zooms)).toBeGreaterThan(0.35);
  });

  it("changes tones within the field of view only, and stays within 0 and 1", () => {
    for (const name of ["brightness", "contrast", "gamma", "colour"] as const) {
      const changed = augment(labelled, { [name]: 0.5 }, randomState(8));
      let different = 0;
      changed.image.forEach((value, i) => {
        const seen = labelled.fieldOfView[Math.floor(i / 3)] === 1;
        if (seen && value !== labelled.image[i]) different++;
        if (!seen) expect(value).toBe(labelled.image[i]);
        expect(value >= 0 && value <= 1).toBe(true);
      });
      expect(different).toBeGreaterThan(1000);
    }
  });

  it("keeps the mean while it changes contrast, and the contrast while it changes brightness", () => {
    const grey = numbered(32, 32);
    const mean = ({ image }: LabelledImage): number =>
      image.reduce((sum, value) => sum + value, 0) / image.length;
    const contrasted = augment(grey, { contrast: 0.4 }, randomState(2));
    expect(contrasted.image).not.toEqual(grey.image);
    expect(mean(contrasted)).toBeCloseTo(mean(grey), 5);
    const brighter = augment(grey, { brightness: 0.4 }, randomState(2));
    const gain = brighter.image[2] / grey.image[2];
    for (const [i, value] of brighter.image.entries()) expect(value).toBeCloseTo(gain * grey.image[i], 5);
  });

  it("refuses what makes no sense", () => {
    expect(() => augment(labelled, { width: 0 }, randomState(1))).toThrow(
      "augment: width must be an integer of at least 1",
    );
    expect(() => augment(labelled, { scale: -0.1 }, randomState(1))).toThrow(
      /augment: scale must lie between 0/,
    );
    const small = { width: 2, height: 2, data: new Uint8Array(4) };
    expect(() => labelledImage(eye.image, small, eye.fieldOfView)).toThrow(
      "labelledImage: vessels is 2 x 2 but the photograph is 64 x 64",
    );
  });
});

import { randomState } from "@saunet/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AugmentOptions, augment, type Crop } from "./augment.ts";
import { floatsOf } from "./image.ts";
import { type LabelledImage, labelledImage } from "./labelled-image.ts";
import { syntheticFundus } from "./synthetic.ts";

const eye = syntheticFundus({ seed: 5, width: 64, height: 64 });
const labelled = labelledImage(eye.image, eye.vessels, eye.fieldOfView);

/** Every pixel different, so that where it came from can be told: red is the column, green the row, blue 128. */
function numbered(width: number, height: number): LabelledImage {
  const data = new Uint8Array(width * height * 3);
  const vessels = new Uint8Array(width * height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    data.set([40 + 3 * (pixel % width), 40 + 3 * Math.floor(pixel / width), 128], pixel * 3);
    vessels[pixel] = pixel % 5 === 0 ? 1 : 0;
  }
  const all = { width, height, data: new Uint8Array(width * height).fill(1) };
  return labelledImage({ width, height, data }, { width, height, data: vessels }, all);
}

/** Where the pixel of a crop came from in the numbered picture. */
const originOf = ({ width, image }: Crop, x: number, y: number): [number, number] => {
  const red = (y * width + x) * 3;
  return [(image[red] * 255 - 40) / 3, (image[red + 1] * 255 - 40) / 3];
};
const wholeOrigin = (crop: Crop, x: number, y: number) => originOf(crop, x, y).map(Math.round);

/** A picture that is all of one colour, and one with a single vessel. */
function plain(width: number, height = width, vessel?: number): LabelledImage {
  const mask = (value: number) => ({
    width,
    height,
    data: new Uint8Array(width * height).fill(value),
  });
  const vessels = mask(0);
  if (vessel !== undefined) vessels.data[vessel] = 1;
  const photograph = { width, height, data: new Uint8Array(width * height * 3).fill(100) };
  return labelledImage(photograph, vessels, mask(1));
}

const geometry = { rotation: 30, scale: [0.6, 1.5], stretch: 0.2 } as const;
const tones = {
  brightness: 0.2,
  contrast: 0.3,
  gamma: 0.3,
  colour: 0.1,
  mixing: 0.2,
  illumination: 0.2,
  blur: 0.5,
  noise: 0.05,
};
const everything: AugmentOptions = { ...geometry, ...tones };

describe("augment", () => {
  it("changes nothing that is not asked for", () => {
    expect(augment(labelled, {}, randomState(1))).toEqual({
      width: 64,
      height: 64,
      image: floatsOf(eye.image),
      vessels: Float32Array.from(eye.vessels.data),
      labels: Float32Array.from(eye.vessels.data),
      fieldOfView: Float32Array.from(eye.fieldOfView.data),
    });
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
          const [left, top] = wholeOrigin(crop, 0, 0);
          expect([left >= 0, top >= 0, left + width <= 30, top + height <= 20]).not.toContain(false);
          for (let y = 0; y < height; y++)
            for (let x = 0; x < width; x++) {
              expect(wholeOrigin(crop, x, y)).toEqual([left + x, top + y]);
              expect(crop.vessels[y * width + x]).toBe(((top + y) * 30 + left + x) % 5 === 0 ? 1 : 0);
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
      Array.from(
        { length: 400 },
        () => `${wholeOrigin(augment(source, { width: 3, height: 2 }, state), 0, 0)}`,
      ),
    );
    expect(places.size).toBe(16);
  });

  it("fills a crop larger than the picture with black outside the field of view", () => {
    const large = augment(numbered(10, 8), { width: 16, height: 9 }, randomState(4));
    expect(large.fieldOfView.reduce((sum, value) => sum + value, 0)).toBe(80);
    large.fieldOfView.forEach((seen, pixel) => {
      expect(large.image[pixel * 3 + 2]).toBe(seen === 1 ? Math.fround(128 / 255) : 0);
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
      // Turned about a vessel or about the middle, the crop stays in the picture.
      const turned = augment(source, { orientations: true, holdsVessel: i % 2 === 1 }, state);
      const origins = Array.from({ length: width * height }, (_, pixel) =>
        wholeOrigin(turned, pixel % width, Math.floor(pixel / width)),
      );
      expect(new Set(origins.map(String)).size).toBe(width * height);
      expect([...turned.vessels]).toEqual(origins.map(([x, y]) => ((y * width + x) % 5 === 0 ? 1 : 0)));
      seen.add(String(origins));
    }
    expect(seen.size).toBe(ways);
  });

  it("holds a vessel whatever else happens", () => {
    const sizes = fc.integer({ min: 1, max: 80 });
    fc.assert(
      fc.property(fc.nat(), fc.nat({ max: 64 * 48 - 1 }), sizes, sizes, (seed, pixel, width, height) => {
        const options = {
          width,
          height,
          holdsVessel: true,
          orientations: true,
          ...everything,
          scale: [1, 2] as const,
        };
        const { vessels } = augment(plain(64, 48, pixel), options, randomState(seed));
        expect(vessels.some((share) => share > 0)).toBe(true);
      }),
    );
    const none = augment(plain(64), { width: 8, height: 8, holdsVessel: true }, randomState(1));
    expect(none.vessels).not.toContain(1);
  });

  it("turns by the angle and zooms by the factor that it drew, and interpolates between pixels", () => {
    const source = numbered(60, 60);
    const state = randomState(11);
    const angles: number[] = [];
    const zooms: number[] = [];
    for (let i = 0; i < 100; i++) {
      const turned = augment(source, { width: 20, height: 20, rotation: 25, scale: [0.8, 1.25] }, state);
      const [x0, y0] = originOf(turned, 5, 10);
      const [x1, y1] = originOf(turned, 15, 10);
      if ([x0, y0, x1, y1].some((place) => place <= 0.5 || place >= 58.5)) continue;
      angles.push((Math.atan2(y1 - y0, x1 - x0) * 180) / Math.PI);
      zooms.push(10 / Math.hypot(x1 - x0, y1 - y0));
      expect(turned.fieldOfView.length).toBe(400);
      expect(Math.max(...turned.fieldOfView)).toBeLessThanOrEqual(1);
    }
    expect(angles.length).toBeGreaterThan(50);
    expect(Math.max(...angles)).toBeLessThan(25.001);
    expect(Math.min(...angles)).toBeGreaterThan(-25.001);
    expect(Math.max(...angles) - Math.min(...angles)).toBeGreaterThan(40);
    expect(Math.max(...zooms)).toBeLessThan(1.2501);
    expect(Math.min(...zooms)).toBeGreaterThan(0.7999);
    expect(Math.max(...zooms) - Math.min(...zooms)).toBeGreaterThan(0.35);
  });

  it("turns and zooms about the middle of what a crop shows, so that it still shows as much of the picture", () => {
    const state = randomState(12);
    const source = numbered(60, 60);
    for (let i = 0; i < 60; i++) {
      const { fieldOfView, ...turned } = augment(source, { width: 41, height: 41, rotation: 180 }, state);
      // A square of 41 turned about a place 20 from the edge at least leaves the picture by its corners alone.
      const share = fieldOfView.reduce((sum, value) => sum + value, 0) / fieldOfView.length;
      expect(share).toBeGreaterThan(0.8);
      const [x, y] = originOf({ fieldOfView, ...turned }, 20, 20);
      expect(Math.min(x, y, 59 - x, 59 - y)).toBeGreaterThanOrEqual(19.9);
    }
  });

  it("reads a smaller level when it zooms out, and skips nothing", () => {
    const size = 128;
    const data = Uint8Array.from({ length: size * size * 3 }, (_, i) =>
      Math.floor(i / 3) % 2 === 0 ? 0 : 200,
    );
    const mask = {
      width: size,
      height: size,
      data: Uint8Array.from({ length: size * size }, (_, i) => i % 2),
    };
    const all = { ...mask, data: new Uint8Array(size * size).fill(1) };
    const stripes = labelledImage({ width: size, height: size, data }, mask, all);
    const crop = augment(stripes, { width: 32, height: 32, scale: [0.25, 0.25] }, randomState(6));
    for (const value of crop.image) expect(value).toBeCloseTo(100 / 255, 2);
    for (const share of crop.vessels) expect(share).toBeCloseTo(0.5, 2);
  });

  it.each(Object.entries(tones))("changes tones by %s and nothing else, within 0 and 1", (name, size) => {
    const changed = augment(labelled, { [name]: size }, randomState(8));
    const before = floatsOf(eye.image);
    let different = 0;
    changed.image.forEach((value, i) => {
      if (Math.abs(value - before[i]) > 0.002) different++;
    });
    expect(changed.image.filter((value) => !(value >= 0 && value <= 1))).toHaveLength(0);
    expect(different).toBeGreaterThan(1000);
    expect(changed.vessels).toEqual(Float32Array.from(eye.vessels.data));
  });

  it("leaves a black surround black", () => {
    const black = augment(labelled, { width: 200, height: 200, ...everything }, randomState(4));
    const surround: number[] = [];
    black.fieldOfView.forEach((share, pixel) => {
      const near = [-201, -200, -199, -1, 1, 199, 200, 201].some((to) => black.fieldOfView[pixel + to] > 0);
      if (share === 0 && !near) surround.push(black.image[pixel * 3]);
    });
    expect(surround.length).toBeGreaterThan(10_000);
    expect(surround.filter((red) => !(red < 0.1))).toEqual([]);
  });

  it("adds noise of mean 0 and at most the deviation asked for, scales light by a smooth factor, keeps the mean when it blurs", () => {
    const mean = (values: ArrayLike<number>) =>
      Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
    const grey = plain(64);
    let largest = 0;
    for (let seed = 0; seed < 20; seed++) {
      const { image } = augment(grey, { noise: 0.1 }, randomState(seed));
      expect(mean(image)).toBeCloseTo(100 / 255, 2);
      largest = Math.max(largest, Math.sqrt(mean(image.map((value) => (value - 100 / 255) ** 2))));
    }
    expect(largest).toBeLessThan(0.101);
    expect(largest).toBeGreaterThan(0.06);
    const { image: lit } = augment(grey, { illumination: 0.3 }, randomState(3));
    for (let i = 3; i < lit.length; i += 3)
      if ((i / 3) % 64 > 0) expect(Math.abs(lit[i] / lit[i - 3] - 1)).toBeLessThan(0.05);
    const { image: blurred } = augment(labelled, { blur: 0.5 }, randomState(5));
    expect(mean(blurred)).toBeCloseTo(mean(floatsOf(eye.image)), 2);
  });

  it("keeps the mean while it changes contrast, and the contrast while it changes brightness", () => {
    const grey = numbered(32, 32);
    const plainly = augment(grey, {}, randomState(2)).image;
    const mean = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const contrasted = augment(grey, { contrast: 0.4 }, randomState(2)).image;
    expect(contrasted).not.toEqual(plainly);
    expect(mean(contrasted)).toBeCloseTo(mean(plainly), 5);
    const brighter = augment(grey, { brightness: 0.4 }, randomState(2)).image;
    const gain = brighter[2] / plainly[2];
    for (const [i, value] of brighter.entries()) expect(value).toBeCloseTo(gain * plainly[i], 5);
  });

  it("refuses what makes no sense", () => {
    expect(() => augment(labelled, { width: 0 }, randomState(1))).toThrow(
      "augment: width must be an integer of at least 1",
    );
    expect(() => augment(labelled, { gamma: -0.1 }, randomState(1))).toThrow(
      /augment: gamma must lie between 0/,
    );
    expect(() => augment(labelled, { scale: [0, 1] }, randomState(1))).toThrow(
      /augment: scale must lie between/,
    );
    const small = { width: 2, height: 2, data: new Uint8Array(4) };
    expect(() => labelledImage(eye.image, small, eye.fieldOfView)).toThrow(
      "labelledImage: vessels is 2 x 2 but the photograph is 64 x 64",
    );
  });
});

describe("crops of a picture with classes", () => {
  const options: AugmentOptions = {
    width: 48,
    height: 40,
    orientations: true,
    rotation: 30,
    scale: [0.4, 1.6],
    contrast: 0.3,
  };
  const classed = labelledImage(eye.image, eye.classes, eye.fieldOfView, { classes: 3 });

  it("show what those of its mask show, a share for each class besides", () => {
    for (const seed of [1, 2, 3, 4]) {
      const crop = augment(classed, options, randomState(seed));
      const masked = augment(labelled, options, randomState(seed));
      expect(crop.image).toEqual(masked.image);
      expect(masked.labels).toBe(masked.vessels);
      expect(crop.labels.length).toBe(2 * crop.vessels.length);
      crop.vessels.forEach((share, pixel) => {
        // Halved levels round every label, by half a step each.
        expect(Math.abs(share - masked.vessels[pixel])).toBeLessThan(6 / 255);
        expect(share).toBeCloseTo(Math.min(1, crop.labels[2 * pixel] + crop.labels[2 * pixel + 1]), 6);
      });
    }
  });

  it("are whole classes where nothing is interpolated", () => {
    const crop = augment(classed, {}, randomState(1));
    crop.vessels.forEach((_, pixel) => {
      const kind = eye.classes.data[pixel];
      expect([...crop.labels.subarray(2 * pixel, 2 * pixel + 2)]).toEqual([+(kind === 1), +(kind === 2)]);
    });
  });
});

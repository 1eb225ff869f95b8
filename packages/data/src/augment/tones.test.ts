// Each change of tones against its formula, pixel by pixel and written the long way.

import { randomState } from "@saunet/core";
import { describe, expect, it } from "vitest";
import type { Crop } from "./options.ts";
import { drawTones, recolour, type Tones } from "./tones.ts";

const [width, height] = [7, 5];

/** A crop whose left half shows the eye, some of it only half. */
function cropOf(value: (x: number, y: number, c: number) => number): Crop {
  const image = new Float32Array(width * height * 3);
  const fieldOfView = new Float32Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      fieldOfView[y * width + x] = x < 3 ? 1 : x === 3 ? 0.5 : 0;
      for (let c = 0; c < 3; c++) image[(y * width + x) * 3 + c] = value(x, y, c);
    }
  const vessels = new Float32Array(width * height);
  return { width, height, image, vessels, labels: vessels, fieldOfView };
}
const uneven = (x: number, y: number, c: number) => 0.2 + ((x * 5 + y * 3 + c * 7) % 11) / 25;

const PLAIN: Tones = {
  ...{ colours: [1, 0, 0, 0, 1, 0, 0, 0, 1], gamma: 1, contrast: 1, light: [0, 0, 0] },
  ...{ blur: 0, noise: 0, seed: 3 },
};
const changed = (tones: Partial<Tones>, value = uneven) => {
  const crop = cropOf(value);
  recolour(crop, { ...PLAIN, ...tones });
  return (x: number, y: number, c: number) => crop.image[(y * width + x) * 3 + c];
};

/** Compares every number of a changed crop with a formula. */
function expectEach(
  found: (x: number, y: number, c: number) => number,
  wanted: (x: number, y: number, c: number) => number,
  digits = 5,
): void {
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < 3; c++)
        expect(found(x, y, c), `${x} ${y} ${c}`).toBeCloseTo(wanted(x, y, c), digits);
}

describe("recolour", () => {
  it("mixes channels by its matrix, row by row", () => {
    const colours = [0.9, 0.1, 0.05, 0.02, 0.8, 0.03, 0.06, 0.04, 0.7];
    expectEach(changed({ colours }), (x, y, c) =>
      [0, 1, 2].reduce((sum, from) => sum + colours[3 * c + from] * uneven(x, y, from), 0),
    );
  });

  it("raises to a power what lies on the table as it stands there, what lies between by the nearest entry", () => {
    const entry = (x: number, y: number, c: number) => 100 + 18 * (x * 15 + y * 3 + c);
    for (const beside of [0, 0.4, -0.4])
      expectEach(
        changed({ gamma: 1.4 }, (x, y, c) => (entry(x, y, c) + beside) / 2048),
        (x, y, c) => (entry(x, y, c) / 2048) ** 1.4,
        6,
      );
  });

  it("raises to a power, also what the light makes brighter than white", () => {
    expectEach(changed({ gamma: 1.4 }), (x, y, c) => uneven(x, y, c) ** 1.4, 2);
    const doubled = { gamma: 0.5, colours: [2, 0, 0, 0, 2, 0, 0, 0, 2] };
    expectEach(
      changed(doubled, () => 0.4),
      () => 0.8 ** 0.5,
      2,
    );
    // Never above what the table goes to, nor below 0.
    expectEach(changed({ ...doubled, colours: [9, 0, 0, 0, 9, 0, 0, 0, 9] }), () => 1);
    expectEach(changed({ ...doubled, colours: [-1, 0, 0, 0, -1, 0, 0, 0, -1] }), () => 0);
  });

  it("lights by a slope to the right, downwards, and towards the rim", () => {
    const light = [0.3, -0.2, 0.25] as const;
    const along = (at: number, size: number, slope: number) => {
      const u = (2 * at) / size - 1;
      return Math.exp(slope * u + light[2] * (u * u - 0.35));
    };
    expectEach(changed({ light }), (x, y, c) =>
      Math.min(1, uneven(x, y, c) * along(x, width, light[0]) * along(y, height, light[1])),
    );
  });

  it("scales distances from the mean of what is seen, and leaves alone what is not", () => {
    const seenAt = (x: number) => (x < 3 ? 1 : x === 3 ? 0.5 : 0);
    const mean = [0, 1, 2].map((c) => {
      let [sum, count] = [0, 0];
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++) {
          sum += seenAt(x) * uneven(x, y, c);
          count += seenAt(x);
        }
      return sum / count;
    });
    for (const contrast of [0.7, 1.3])
      expectEach(
        changed({ contrast }),
        (x, y, c) => uneven(x, y, c) + seenAt(x) * (contrast - 1) * (uneven(x, y, c) - mean[c]),
      );
    const unseen = cropOf(uneven);
    unseen.fieldOfView.fill(0);
    const before = unseen.image.slice();
    recolour(unseen, { ...PLAIN, contrast: 1.3 });
    expect(unseen.image).toEqual(before);
  });

  it("leaves a crop in which nothing is seen as it is", () => {
    const crop = cropOf(uneven);
    crop.fieldOfView.fill(0);
    recolour(crop, { ...PLAIN, contrast: 1.5, noise: 0.1 });
    expect(crop.image).toEqual(cropOf(uneven).image);
  });

  it.each([0.4, -0.2])(
    "gives a share of %d of each pixel to its neighbours along rows, then columns",
    (blur) => {
      const clamp = (at: number, size: number) => Math.min(size - 1, Math.max(0, at));
      const mixed = (before: number, here: number, after: number) =>
        (1 - blur) * here + (blur / 2) * (before + after);
      const row = (x: number, y: number, c: number) =>
        mixed(uneven(clamp(x - 1, width), y, c), uneven(x, y, c), uneven(clamp(x + 1, width), y, c));
      expectEach(changed({ blur }), (x, y, c) =>
        mixed(row(x, clamp(y - 1, height), c), row(x, y, c), row(x, clamp(y + 1, height), c)),
      );
    },
  );

  it("adds noise to what is seen, in proportion, another one for another seed", () => {
    const noisy = changed({ noise: 0.05 });
    const other = changed({ noise: 0.05, seed: 4 });
    const more = changed({ noise: 0.1 });
    let [differs, twice] = [0, 0];
    for (let y = 0; y < height; y++)
      for (let c = 0; c < 3; c++) {
        for (const x of [4, 5, 6]) expect(noisy(x, y, c)).toBeCloseTo(uneven(x, y, c), 7);
        for (const x of [0, 1, 2, 3]) {
          const step = noisy(x, y, c) - uneven(x, y, c);
          if (noisy(x, y, c) !== other(x, y, c)) differs++;
          if (Math.abs(more(x, y, c) - uneven(x, y, c) - 2 * step) < 1e-6) twice++;
        }
      }
    expect([differs, twice]).toEqual([60, 60]);
  });
});

describe("drawTones", () => {
  it("draws equally often whatever is asked for, so that one option does not change another", () => {
    const asked = { gamma: 0.3, contrast: 0.2, mixing: 0.2, illumination: 0.2, blur: 0.4, noise: 0.1 };
    const [plain, varied] = [randomState(4), randomState(4)];
    const none = drawTones({}, plain);
    const all = drawTones({ ...asked, brightness: 0.2, colour: 0.2 }, varied);
    expect(plain).toEqual(varied);
    // As JSON, which does not tell -0 from 0.
    expect(JSON.parse(JSON.stringify(none))).toEqual({ ...PLAIN, seed: none.seed });
    expect(all.seed).toBe(none.seed);
    expect(drawTones(asked, randomState(4)).gamma).toBe(all.gamma);
  });

  it("stays within what is asked for, and reaches most of it", () => {
    const state = randomState(7);
    const options = {
      gamma: 0.25,
      contrast: 0.5,
      brightness: 0.25,
      mixing: 0.4,
      illumination: 0.3,
      blur: 0.6,
      noise: 0.1,
    };
    const drawn = Array.from({ length: 400 }, () => drawTones(options, state));
    const bounds = (of: (tones: Tones) => number): [number, number] => {
      const values = drawn.map(of);
      return [Math.min(...values), Math.max(...values)];
    };
    const expectBounds = (of: (tones: Tones) => number, low: number, high: number) => {
      const [least, most] = bounds(of);
      const slack = 0.05 * (high - low);
      expect(least).toBeGreaterThanOrEqual(low);
      expect(least).toBeLessThan(low + slack);
      expect(most).toBeLessThanOrEqual(high);
      expect(most).toBeGreaterThan(high - slack);
    };
    expectBounds(({ gamma }) => gamma, 0.8, 1.25);
    expectBounds(({ contrast }) => contrast, 2 / 3, 1.5);
    for (const axis of [0, 1, 2]) expectBounds(({ light }) => light[axis], -0.3, 0.3);
    // Twice as much blurring as sharpening.
    expectBounds(({ blur }) => blur, -0.3, 0.6);
    expectBounds(({ noise }) => noise, 0, 0.1);
    expectBounds(({ colours }) => colours[0] + colours[1] + colours[2], 0.8, 1.25);
    for (const { colours } of drawn)
      for (const [at, share] of colours.entries())
        if (at % 4 !== 0) expect(Math.abs(share)).toBeLessThanOrEqual((1.25 * 0.8) / 4);
  });
});

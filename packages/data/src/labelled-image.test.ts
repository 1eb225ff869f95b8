import { describe, expect, it } from "vitest";
import { bytesPerPixel, labelledImage } from "./labelled-image.ts";
import { syntheticFundus } from "./synthetic.ts";

const BYTES = bytesPerPixel();
const { image, vessels, classes, fieldOfView } = syntheticFundus({ seed: 5, width: 150, height: 129 });

describe("labelledImage", () => {
  it("holds the bytes themselves, and halves them down to a small side", () => {
    const { levels, width, height } = labelledImage(image, vessels, fieldOfView);
    expect([width, height]).toEqual([150, 129]);
    expect(levels.map((level) => [level.width, level.height])).toEqual([
      [150, 129],
      [75, 64],
      [37, 32],
    ]);
    const first = levels[0].pixels;
    for (let pixel = 0; pixel < 150 * 129; pixel++) {
      const here = [...first.subarray(pixel * BYTES, (pixel + 1) * BYTES)];
      const marks = [255 * vessels.data[pixel], 255 * fieldOfView.data[pixel]];
      expect(here).toEqual([...image.data.subarray(3 * pixel, 3 * pixel + 3), ...marks]);
    }
  });

  it("means four pixels into one, labels too", () => {
    const { levels } = labelledImage(image, vessels, fieldOfView);
    for (let channel = 0; channel < BYTES; channel++) {
      const at = (x: number, y: number) => levels[0].pixels[(y * 150 + x) * BYTES + channel];
      const mean = (at(40, 60) + at(41, 60) + at(40, 61) + at(41, 61)) / 4;
      expect(Math.abs(levels[1].pixels[(30 * 75 + 20) * BYTES + channel] - mean)).toBeLessThanOrEqual(0.5);
    }
  });

  it("keeps a halved picture alone where that is asked for, and knows where its vessels are", () => {
    const whole = labelledImage(image, vessels, fieldOfView);
    const half = labelledImage(image, vessels, fieldOfView, { halvings: 1 });
    expect(half.levels).toEqual(whole.levels.slice(1));
    expect(whole.vessels.length).toBe(vessels.data.reduce((sum, value) => sum + value, 0));
    expect([...whole.vessels].every((pixel) => vessels.data[pixel] === 1)).toBe(true);
    for (const pixel of half.vessels) expect(half.levels[0].pixels[pixel * BYTES + 3]).toBeGreaterThan(127);
  });

  it("lays see-through pixels over black", () => {
    const data = Uint8Array.from([200, 100, 50, 51]);
    const mask = { width: 1, height: 1, data: Uint8Array.from([1]) };
    const { levels } = labelledImage({ width: 1, height: 1, data }, mask, mask);
    expect([...levels[0].pixels]).toEqual([40, 20, 10, 255, 255]);
  });

  it("holds a byte for each class but the background, whose sum is the mask's", () => {
    const mask = labelledImage(image, vessels, fieldOfView);
    const map = labelledImage(image, classes, fieldOfView, { classes: 3 });
    expect([mask.classes, map.classes, bytesPerPixel(3)]).toEqual([2, 3, 6]);
    expect(map.vessels).toEqual(mask.vessels);
    for (let pixel = 0; pixel < 150 * 129; pixel++) {
      const here = map.levels[0].pixels.subarray(6 * pixel, 6 * pixel + 6);
      const own = classes.data[pixel];
      const shares = [own === 1 ? 255 : 0, own === 2 ? 255 : 0];
      const colours = image.data.subarray(3 * pixel, 3 * pixel + 3);
      expect([...here]).toEqual([...colours, ...shares, 255 * fieldOfView.data[pixel]]);
    }
    expect(() => labelledImage(image, classes, fieldOfView)).toThrow(
      /^labelledImage: vessels must hold classes from 0 to 1 but is 2 at pixel \d+$/,
    );
    expect(() => labelledImage(image, classes, fieldOfView, { classes: 1 })).toThrow(/classes/);
  });
});

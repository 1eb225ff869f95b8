import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { RAMP_COLOURS } from "../pictures/ramp.ts";
import { ClearPicture } from "../pictures/testing.ts";
import { filterImage, imageOf, isPale, planeOf, rangeOf, signedColour, spotlight } from "./colours.ts";

beforeAll(() => vi.stubGlobal("ImageData", ClearPicture));
afterAll(() => vi.unstubAllGlobals());

const pixel = ({ data }: ImageData, at: number) => [...data.subarray(4 * at, 4 * at + 4)];
const levels = (colour: string) => colour.match(/[\d.]+/g)!.map(Number);

it("draws numbers below zero in blue and above in red, as far from pale as they are from zero", () => {
  expect(signedColour(0, 2)).toBe("rgb(244 241 236)");
  expect(signedColour(2, 2)).toBe("rgb(196 52 40)");
  expect(signedColour(-2, 2)).toBe("rgb(44 98 190)");
  expect(signedColour(-9, 2)).toBe(signedColour(-2, 2));
  expect(levels(signedColour(1, 2))).toEqual([220, 146.5, 138]);
  // Where all numbers are zero, none is far from it.
  expect(signedColour(0, 0)).toBe(signedColour(0, 1));
});

it("writes on every colour in black or white with a contrast of at least 4.5", () => {
  /** Relative luminance and contrast as WCAG 2 defines them. */
  const luminance = (colour: string) => {
    const [red, green, blue] = levels(colour).map((level) => {
      const share = level / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  for (let value = -100; value <= 100; value++) {
    const own = luminance(signedColour(value, 100));
    const [black, white] = [(own + 0.05) / 0.05, 1.05 / (own + 0.05)];
    expect(isPale(value, 100) ? black : white, String(value)).toBeGreaterThan(4.5);
    expect(isPale(value, 100)).toBe(black > white);
  }
});

it("shows a channel, or the mean of all, averaged over squares that fit", () => {
  const [width, height, channels] = [5, 3, 2];
  const activation = Float32Array.from({ length: width * height * channels }, (_, i) => i);
  const source = { width, height, channels, activation };
  const whole = planeOf(source, 1, 5);
  expect([whole.width, whole.height]).toEqual([5, 3]);
  expect([...whole.values]).toEqual(Array.from({ length: 15 }, (_, i) => 2 * i + 1));
  expect([...planeOf(source, "mean", 5).values]).toEqual(Array.from({ length: 15 }, (_, i) => 2 * i + 0.5));
  const small = planeOf(source, 0, 3);
  expect([small.width, small.height]).toEqual([3, 2]);
  // Squares of two pixels; those at the right and below hold what is left.
  const at = (...pixels: number[]) => pixels.reduce((sum, each) => sum + 2 * each, 0) / pixels.length;
  expect([...small.values]).toEqual([
    at(0, 1, 5, 6),
    at(2, 3, 7, 8),
    at(4, 9),
    at(10, 11),
    at(12, 13),
    at(14),
  ]);
  expect(planeOf(source, 0, 100).width).toBe(5);
});

it("takes its darkest and brightest colour from the values between which 98 % lie", () => {
  const values = Float32Array.from({ length: 201 }, (_, i) => (i * 37) % 201);
  values[values.indexOf(200)] = 1e6;
  const plane = { width: 201, height: 1, values };
  expect(rangeOf(plane)).toEqual({ low: 2, high: 198 });
  const image = imageOf(plane);
  const of = (value: number) => pixel(image, values.indexOf(value));
  const ramp = (level: number) => [...Uint8ClampedArray.from(RAMP_COLOURS[level]), 255];
  expect([of(0), of(2), of(100), of(198), of(1e6)]).toEqual([
    ramp(0),
    ramp(0),
    ramp(128),
    ramp(255),
    ramp(255),
  ]);
  // Nothing differs: nothing is bright.
  const even = imageOf({ width: 2, height: 1, values: Float32Array.of(3, 3) });
  expect(pixel(even, 1)).toEqual(ramp(0));
  expect(
    pixel(imageOf({ width: 1, height: 1, values: Float32Array.of(0.5) }, { low: 0, high: 1 }), 0),
  ).toEqual(ramp(128));
});

it("lights the photograph where a map is high, whatever the map's size", () => {
  const photograph = new ClearPicture(4, 2) as unknown as ImageData;
  photograph.data.fill(100);
  const map = { width: 2, height: 1, values: Float32Array.of(0, 1) };
  const lit = spotlight(photograph, map);
  expect(Array.from({ length: 8 }, (_, at) => pixel(lit, at)[0])).toEqual([
    12, 12, 122, 122, 12, 12, 122, 122,
  ]);
  expect(pixel(lit, 0)).toEqual([12, 12, 12, 255]);
  const tall = spotlight(photograph, { width: 1, height: 2, values: Float32Array.of(1, 0) });
  expect(Array.from({ length: 8 }, (_, at) => pixel(tall, at)[0])).toEqual([
    122, 122, 122, 122, 12, 12, 12, 12,
  ]);
  // Two rows of two.
  const both = { width: 2, height: 2, values: Float32Array.of(0, 1, 1, 0) };
  expect(Array.from({ length: 8 }, (_, at) => pixel(spotlight(photograph, both), at)[0])).toEqual([
    ...[12, 12, 122, 122],
    ...[122, 122, 12, 12],
  ]);
  expect(pixel(spotlight(photograph, { ...map, values: Float32Array.of(1, 1) }), 0)[0]).toBe(122);
});

it("draws a filter as a square for each input, sixteen in a row, a clear line between two", () => {
  const inputChannels = 17;
  const filter = new Float32Array(3 * 2 * inputChannels);
  const [top, last] = [(0 * 2 + 1) * inputChannels + 0, (2 * 2 + 0) * inputChannels + 16];
  [filter[top], filter[last]] = [-2, 1];
  const image = filterImage({ filterHeight: 3, filterWidth: 2, inputChannels, filter });
  expect([image.width, image.height]).toEqual([16 * 12, 2 * 17]);
  const at = (x: number, y: number) => pixel(image, y * image.width + x);
  const colour = (value: number) => [...Uint8ClampedArray.from(levels(signedColour(value, 2))), 255];
  for (const [x, y] of [
    [5, 0],
    [9, 4],
  ])
    expect(at(x, y)).toEqual(colour(-2));
  expect(at(4, 0)).toEqual(colour(0));
  expect(at(5, 5)).toEqual(colour(0));
  expect(at(10, 0)).toEqual([0, 0, 0, 0]);
  expect(at(0, 15)).toEqual([0, 0, 0, 0]);
  // The seventeenth input begins the second row.
  expect(at(0, 17 + 10)).toEqual(colour(1));
  expect(at(4, 17 + 14)).toEqual(colour(1));
  expect(at(12, 17)).toEqual([0, 0, 0, 0]);
});

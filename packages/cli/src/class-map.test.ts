// Maps of classes as pictures: the numbers are the classes, and the colours tell them apart.

import type { ClassMap, Photograph } from "@saunet/data";
import { decode } from "fast-png";
import { expect, it } from "vitest";
import { encodeClassMap, hexOf, overlayClasses } from "./class-map.ts";

const names = ["background", "artery", "vein"];
const map: ClassMap = { width: 3, height: 2, data: Uint8Array.of(0, 1, 2, 2, 1, 0) };
/** A colour as its hexadecimal digits say it. */
const rgbOf = (hex: string) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));

it("colours are those of Okabe and Ito, which repeat from the eighth class on; the background is black", () => {
  // Vermillion, blue, bluish green, yellow, reddish purple, sky blue, orange.
  const colours = ["#d55e00", "#0072b2", "#009e73", "#f0e442", "#cc79a7", "#56b4e9", "#e69f00"];
  expect(Array.from({ length: 9 }, (_, number) => hexOf(number))).toEqual([
    "#000000",
    ...colours,
    colours[0],
  ]);
});

it("a map is a picture of indexed colours that says which number is which class", () => {
  const png = decode(encodeClassMap(map, names));
  expect([png.width, png.height, png.channels, png.depth]).toEqual([3, 2, 1, 8]);
  expect([...png.data]).toEqual([...map.data]);
  expect(png.palette?.map((colour) => [...colour])).toEqual(names.map((_, number) => rgbOf(hexOf(number))));
  expect(png.text).toEqual({ Comment: "classes: 0 background #000000; 1 artery #d55e00; 2 vein #0072b2" });
});

it("names that Latin-1 has no letters for, or that would break the text, are written with question marks", () => {
  const { text } = decode(encodeClassMap(map, ["~ ", "é\u00ff", "血\n\u0085"]));
  expect(text.Comment).toBe("classes: 0 ~  #000000; 1 é\u00ff #d55e00; 2 ??? #0072b2");
});

it("an overlay colours every class but the background, each in its own", () => {
  const photograph: Photograph = { width: 3, height: 2, data: new Uint8Array(18).fill(100) };
  const { data } = overlayClasses(photograph, map, names);
  const pixel = (at: number) => [...data.subarray(3 * at, 3 * at + 3)];
  expect([pixel(0), pixel(5)]).toEqual([
    [100, 100, 100],
    [100, 100, 100],
  ]);
  expect([pixel(1), pixel(2)]).toEqual([pixel(4), pixel(3)]);
  // Nearer to the class's colour than the photograph is, in each channel.
  for (const [at, number] of [
    [1, 1],
    [2, 2],
  ])
    for (const [channel, wanted] of rgbOf(hexOf(number)).entries())
      expect(Math.abs(pixel(at)[channel] - wanted)).toBeLessThan(Math.abs(100 - wanted));
});

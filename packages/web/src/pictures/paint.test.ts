import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { ERROR_COLOURS, grey, opaque, paint, paintMask } from "./paint.ts";
import { ClearPicture } from "./testing.ts";

const pixels = ({ data }: ImageData) =>
  Array.from({ length: data.length / 4 }, (_, i) => [...data.subarray(4 * i, 4 * i + 4)].join());
const [CLEAR, VESSEL] = ["0,0,0,0", "0,255,140,255"];
const [HIT, MISSED, FALSE_ALARM] = [ERROR_COLOURS.hit, ERROR_COLOURS.missed, ERROR_COLOURS.falseAlarm].map(
  (colour) => `${colour.join()},255`,
);

describe("a layer over a photograph", () => {
  const picture = {
    width: 4,
    height: 1,
    probability: Float32Array.of(0.25, 0.5, 0.75, 0.5),
    field: Uint8Array.of(1, 1, 1, 0),
    truth: Uint8Array.of(1, 1, 0, 0),
  };
  beforeAll(() => vi.stubGlobal("ImageData", ClearPicture));
  afterAll(() => vi.unstubAllGlobals());

  it("marks vessels, a probability equal to the threshold among them", () => {
    expect(pixels(paint(picture, "mask", 0.5, false))).toEqual([CLEAR, VESSEL, VESSEL, VESSEL]);
    expect(pixels(paint(picture, "mask", 0.5, true))).toEqual([CLEAR, VESSEL, VESSEL, CLEAR]);
  });

  it("tells hits, misses and false alarms apart, where the truth is known", () => {
    expect(pixels(paint(picture, "errors", 0.5, false))).toEqual([MISSED, HIT, FALSE_ALARM, FALSE_ALARM]);
    expect(pixels(paint(picture, "errors", 0.6, true))).toEqual([MISSED, MISSED, FALSE_ALARM, CLEAR]);
    const unknown = { ...picture, truth: undefined };
    expect(pixels(paint(unknown, "errors", 0.5, false))).toEqual([CLEAR, VESSEL, VESSEL, VESSEL]);
  });

  it("shows each probability in a colour of its own, whatever the threshold", () => {
    const [low, middle, high, same] = pixels(paint(picture, "probability", 0.9, false));
    expect(new Set([low, middle, high]).size).toBe(3);
    expect(same).toBe(middle);
  });

  it("paints a part of a mask, a photograph without its transparency, and shades of grey", () => {
    const mask = { width: 3, height: 2, data: Uint8Array.of(1, 0, 1, 0, 1, 1) };
    expect(pixels(paintMask(mask, { x: 1, y: 0, width: 2, height: 2 }))).toEqual([
      CLEAR,
      VESSEL,
      VESSEL,
      VESSEL,
    ]);
    const data = Uint8ClampedArray.of(1, 2, 3, 0, 4, 5, 6, 128);
    expect(pixels(opaque({ width: 2, height: 1, data }))).toEqual(["1,2,3,255", "4,5,6,255"]);
    const rgb = Uint8Array.from({ length: 3 * 6 }, (_, i) => i);
    expect(pixels(opaque({ width: 2, height: 3, data: rgb })).at(-1)).toBe("15,16,17,255");
    // 0.2 of 255 is 51.
    const shades = [0, 0.2, 1];
    expect(pixels(grey(3, 1, (pixel) => shades[pixel]))).toEqual([
      "0,0,0,255",
      "51,51,51,255",
      "255,255,255,255",
    ]);
  });
});

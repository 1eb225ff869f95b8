// From samples of any type to 8 bits: what is scaled, what shines through, and what is refused with what was found.

import { describe, expect, it } from "vitest";
import { ImageFileError } from "./errors.ts";
import { photographFrom } from "./photograph.ts";
import type { Samples } from "./samples.ts";

const grey = (data: Samples["data"], white: number | undefined, more: Partial<Samples> = {}): Samples => ({
  ...{ width: data.length, height: 1, data, stride: 1, colours: 1, type: "numbers", white },
  ...more,
});
/** Bytes with an alpha channel, a pixel after the other. */
const seeThrough = (...levels: readonly number[]): Samples & { readonly data: Uint8Array } => ({
  ...{ width: levels.length / 4, height: 1, data: Uint8Array.from(levels) },
  ...{ stride: 4, colours: 3, alpha: 3, type: "bytes", white: 255 },
});
const pixels = (samples: Samples) => [...photographFrom("a.tif", samples).data];
const spread = (...levels: readonly number[]) => levels.flatMap((level) => [level, level, level]);

describe("photographFrom", () => {
  it("scales every type so that white becomes 255, rounded", () => {
    expect(pixels(grey(Uint8Array.of(0, 7, 255), 255))).toEqual(spread(0, 7, 255));
    expect(pixels(grey(Uint8Array.of(0, 1, 3), 3))).toEqual(spread(0, 85, 255));
    expect(pixels(grey(Uint16Array.of(0, 128, 65535), 65535))).toEqual(spread(0, 0, 255));
    expect(pixels(grey(Uint16Array.of(0, 32896, 65535), 65535))).toEqual(spread(0, 128, 255));
    expect(pixels(grey(Float32Array.of(0, 0.5, 1), 1))).toEqual(spread(0, 128, 255));
  });

  it("takes colours from beside other samples, and hands bytes of plain colours on as they are", () => {
    const data = Uint8Array.of(1, 2, 3, 9, 4, 5, 6, 9);
    const beside = { width: 2, height: 1, data, stride: 4, colours: 3, type: "bytes", white: 255 } as const;
    expect(pixels(beside)).toEqual([1, 2, 3, 4, 5, 6]);
    const plain = { ...beside, data: Uint8Array.of(1, 2, 3, 4, 5, 6), stride: 3 };
    expect(photographFrom("a.png", plain).data).toBe(plain.data);
  });

  it("lays what is see-through over black", () => {
    const samples = seeThrough(200, 100, 50, 255, 200, 100, 50, 51);
    expect(pixels(samples)).toEqual([200, 100, 50, 40, 20, 10]);
    const deep = { ...samples, data: Uint16Array.from(samples.data, (value) => value * 257), white: 65535 };
    expect(pixels(deep)).toEqual([200, 100, 50, 40, 20, 10]);
  });

  it("takes dark bytes, and what is black throughout", () => {
    expect(pixels(grey(Uint8Array.of(0, 10), 255))).toEqual(spread(0, 10));
    expect(pixels(grey(Uint16Array.of(0, 0), 65535))).toEqual(spread(0, 0));
    expect(pixels(grey(Uint16Array.of(1, 16384), 65535))).toEqual(spread(0, 64));
    // Of 12 bits that are said to be so, a quarter is no less than it says.
    expect(pixels(grey(Uint16Array.of(0, 1000), 4095))).toEqual(spread(0, 62));
  });

  it.each<[string, Samples, string]>([
    [
      "no white",
      grey(Int16Array.of(1), undefined, { type: "signed integers of 16 bits" }),
      "holds signed integers of 16 bits, for which nobody has agreed on black and white; save it with unsigned ones of 8 or 16 bits",
    ],
    ["no numbers", grey(Float32Array.of(0.5, Number.NaN), 1), "holds samples that are not finite numbers"],
    [
      "infinite ones",
      grey(Float32Array.of(Number.POSITIVE_INFINITY), 1),
      "holds samples that are not finite numbers",
    ],
    [
      "less than black",
      grey(Float32Array.of(-0.5, 1), 1),
      "holds numbers from -0.5 to 1, but black is 0 and white 1; scale them",
    ],
    [
      "more than white",
      grey(Float32Array.of(0, 255.12345), 1),
      "holds numbers from 0 to 255.123, but black is 0 and white 1; scale them",
    ],
    [
      "fewer bits than its type",
      grey(Uint16Array.of(0, 16383), 65535),
      "holds numbers of which the brightest is 16383, where white is 65535; scale them to the whole range",
    ],
    [
      "floats of a small range",
      grey(Float32Array.of(0, 0.25), 1),
      "holds numbers of which the brightest is 0.25, where white is 1; scale them to the whole range",
    ],
    [
      "colours under nothing",
      {
        width: 1,
        height: 1,
        data: Uint8Array.of(200, 200, 200, 15),
        stride: 4,
        colours: 3,
        alpha: 3,
        type: "bytes",
        white: 255,
      },
      "is emptied by its transparency alone: its colours lie under an alpha channel of next to nothing",
    ],
  ])("refuses %s", (_, samples, reason) => {
    expect(() => photographFrom("a.tif", samples)).toThrow(new ImageFileError("a.tif", reason));
  });

  it("takes colours under a sixteenth of an alpha channel", () => {
    expect(pixels(seeThrough(200, 200, 200, 17))).toEqual([13, 13, 13]);
  });
});

// From samples to a mask: which levels mark, and what is refused with what was found.

import { describe, expect, it } from "vitest";
import { maskFrom } from "./mask.ts";
import type { Samples } from "./samples.ts";

const grey = (data: Samples["data"], more: Partial<Samples> = {}): Samples => ({
  ...{ width: data.length, height: 1, data, stride: 1, colours: 1, type: "numbers", white: 255 },
  ...more,
});
/** So many pixels of each level. */
const levels = (counts: Readonly<Record<number, number>>): number[] =>
  Object.entries(counts).flatMap(([level, count]) => new Array<number>(count).fill(Number(level)));
const bytes = (counts: Readonly<Record<number, number>>) => grey(Uint8Array.from(levels(counts)));
const marked = (samples: Samples) => maskFrom("a.png", samples).data.reduce((sum, value) => sum + value, 0);
const refusal = (samples: Samples) => {
  try {
    maskFrom("a.png", samples);
  } catch (error) {
    return (error as Error).message.replace("a.png: is no mask (black and white): ", "");
  }
  return "nothing is refused";
};

describe("a mask of two levels", () => {
  it("is marked by the upper one, whatever they are", () => {
    for (const [black, mark] of [
      [0, 255],
      [0, 1],
      [7, 9],
      [100, 101],
    ])
      expect(marked(bytes({ [black]: 30, [mark]: 12 })), `${black}, ${mark}`).toBe(12);
    expect(marked(grey(Float32Array.from(levels({ "-1": 30, 0.5: 12 }))))).toBe(12);
  });

  it("may have a few pixels of a third and a fourth, which go to the nearer one", () => {
    expect(marked(bytes({ 0: 100, 255: 60, 90: 5, 200: 7 }))).toBe(67);
    // Whichever comes first in the picture.
    expect(marked(bytes({ 30: 3, 40: 100, 60: 9, 240: 60 }))).toBe(60);
    expect(refusal(bytes({ 0: 100, 255: 20, 90: 3, 200: 3 }))).toBe("it has the 4 levels 0, 90, 200, 255");
    expect(refusal(bytes({ 0: 100, 128: 5, 255: 19 }))).toBe("it has the 3 levels 0, 128, 255");
    expect(marked(bytes({ 0: 100, 128: 5, 255: 20 }))).toBe(25);
  });

  it("is full where its one level is white, empty where that is 0, and refused elsewhere", () => {
    expect([255, 1, 0].map((level) => marked(bytes({ [level]: 5 })))).toEqual([5, 5, 0]);
    expect(refusal(bytes({ 7: 5 }))).toBe("all of its pixels are 7");
  });
});

describe("a mask of many levels", () => {
  /** 100 of each end, and so many of each of the levels that are given. */
  const edges = (count: number, ...between: readonly number[]) =>
    bytes({ 0: 100, 255: 100, ...Object.fromEntries(between.map((level) => [level, count])) });

  it("may have levels within 48 of 255 of its ends, and few others", () => {
    expect(marked(edges(20, 10, 20, 47, 208, 220, 250))).toBe(160);
    expect(refusal(edges(20, 10, 20, 48, 208, 220, 250))).toBe(
      "its levels run from 0 to 255, and 6.3 % of its pixels are neither black nor white",
    );
    expect(refusal(edges(20, 10, 20, 47, 207, 220, 250))).toContain("6.3 % of its pixels");
    expect(marked(edges(3, 10, 20, 100, 101, 128, 220))).toBe(106);
  });
});

describe("what is refused", () => {
  it("are numbers that are not finite", () => {
    for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
      expect(refusal(grey(Float32Array.of(0, 1, wrong, 1)))).toBe(
        "it holds samples that are not finite numbers",
      );
  });

  it("are levels of which none is above 0", () => {
    expect(refusal(grey(Int8Array.of(-7, -7, -3, 0)))).toBe(
      "its levels run from -7 to 0, and which of them marks is not known",
    );
  });

  it("are colours: of more than a hundredth, or of more than a tenth of what is marked", () => {
    /** Pixels of red, green and blue. */
    const coloured = (...pixels: readonly (readonly [number, number, number, number])[]) => {
      const data = Uint8Array.from(
        pixels.flatMap(([count, ...rgb]) => Array.from({ length: count }, () => rgb).flat()),
      );
      return grey(data, { width: data.length / 3, stride: 3, colours: 3 });
    };
    const plain = [
      [900, 0, 0, 0],
      [100, 255, 255, 255],
    ] as const;
    expect(marked(coloured(...plain, [9, 255, 200, 255]))).toBe(109);
    expect(refusal(coloured(...plain, [11, 255, 200, 255]))).toBe("1.1 % of its pixels are coloured");
    // The brightest colour is the level: this red is white.
    expect(marked(coloured(...plain, [9, 255, 232, 240]))).toBe(109);
    expect(refusal(coloured([900, 0, 0, 0], [20, 255, 255, 255], [3, 255, 0, 0]))).toBe(
      "0.3 % of its pixels are coloured",
    );
  });

  it("is what its transparency alone empties or draws", () => {
    const veiled = (pairs: readonly (readonly [number, number])[]) =>
      grey(Uint8Array.from(pairs.flat()), { width: pairs.length, stride: 2, alpha: 1 });
    expect(
      marked(
        veiled([
          [255, 255],
          [0, 255],
          [255, 0],
        ]),
      ),
    ).toBe(1);
    expect(
      refusal(
        veiled([
          [255, 0],
          [0, 0],
        ]),
      ),
    ).toBe("only its transparency (alpha) empties it; save it without");
    expect(
      refusal(
        veiled([
          [0, 0],
          [0, 255],
        ]),
      ),
    ).toBe("it is black throughout and only its transparency (alpha) differs; save it without");
    expect(
      marked(
        veiled([
          [0, 9],
          [0, 9],
        ]),
      ),
    ).toBe(0);
  });
});

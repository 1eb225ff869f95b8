import { randomState, uniform } from "@saunet/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fieldOfView } from "./field-of-view.ts";
import { coverage, type Mask, type Photograph } from "./image.ts";
import { syntheticFundus } from "./synthetic.ts";

/** Intersection over union. */
function overlap(a: Mask, b: Mask): number {
  let [both, either] = [0, 0];
  a.data.forEach((value, pixel) => {
    both += value & b.data[pixel];
    either += value | b.data[pixel];
  });
  return both / either;
}

function painted(width: number, height: number, level: (x: number, y: number) => number): Photograph {
  const data = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const value = level(pixel % width, Math.floor(pixel / width));
    data.set([value, value * 0.4, value * 0.1], pixel * 3);
  }
  return { width, height, data };
}

/** 1 in the largest region of marked pixels, the first of several; by a flood from each of them. */
function largestRegion(
  width: number,
  height: number,
  isMarked: (x: number, y: number) => boolean,
): readonly number[] {
  const seen = new Set<number>();
  let largest = new Set<number>();
  for (let start = 0; start < width * height; start++) {
    const region = new Set<number>();
    const waiting = [start];
    for (let pixel = waiting.pop(); pixel !== undefined; pixel = waiting.pop()) {
      const [x, y] = [pixel % width, Math.floor(pixel / width)];
      if (x < 0 || y < 0 || y >= height || !isMarked(x, y) || seen.has(pixel)) continue;
      seen.add(pixel);
      region.add(pixel);
      if (x > 0) waiting.push(pixel - 1);
      if (x < width - 1) waiting.push(pixel + 1);
      waiting.push(pixel - width, pixel + width);
    }
    if (region.size > largest.size) largest = region;
  }
  return Array.from({ length: width * height }, (_, pixel) => (largest.has(pixel) ? 1 : 0));
}

const inCircle = (x: number, y: number, cx: number, cy: number, radius: number) =>
  Math.hypot(x - cx, y - cy) < radius;

describe("fieldOfView", () => {
  it("finds the circle of synthetic photographs", () => {
    const seeds = fc.record({ seed: fc.nat(), size: fc.integer({ min: 100, max: 160 }) });
    fc.assert(
      fc.property(seeds, ({ seed, size }) => {
        const eye = syntheticFundus({ seed, width: size, height: size });
        expect(overlap(fieldOfView(eye.image), eye.fieldOfView)).toBeGreaterThan(0.95);
      }),
      { numRuns: 12 },
    );
  });

  it("reads RGBA as well as RGB", () => {
    const { image } = syntheticFundus({ seed: 4, width: 80, height: 70 });
    const data = new Uint8ClampedArray(80 * 70 * 4).fill(255);
    for (let pixel = 0; pixel < 80 * 70; pixel++)
      data.set(image.data.subarray(pixel * 3, pixel * 3 + 3), pixel * 4);
    expect(fieldOfView({ width: 80, height: 70, data })).toEqual(fieldOfView(image));
  });

  it("finds a circle that the frame cuts", () => {
    const photograph = painted(150, 100, (x, y) => (inCircle(x, y, 75, 50, 70) ? 150 : 2));
    const wanted = photograph.data.filter((_, i) => i % 3 === 0).map((value) => (value > 100 ? 1 : 0));
    expect(fieldOfView(photograph).data).toEqual(Uint8Array.from(wanted));
  });

  it("finds a dark photograph, one in a grey surround, and its dark rim", () => {
    const circle = (inside: (x: number, y: number) => number, outside: number): Photograph =>
      painted(100, 100, (x, y) => (inCircle(x, y, 50, 50, 40) ? inside(x, y) : outside));
    const wanted = fieldOfView(circle(() => 200, 0));
    expect(coverage(wanted)).toBeCloseTo(Math.PI * 0.4 ** 2, 2);
    expect(fieldOfView(circle(() => 14, 1))).toEqual(wanted);
    expect(fieldOfView(circle(() => 220, 60))).toEqual(wanted);
    // A bay: the rim on the left is as dark as the surround, but lies between bright pixels of its columns.
    const dimmed = fieldOfView(circle((x, y) => (x < 20 && Math.abs(y - 50) < 6 ? 3 : 200), 0));
    expect(overlap(dimmed, wanted)).toBeGreaterThan(0.97);
  });

  it("reads the surround from whichever corner is dark", () => {
    const eye = (x: number, y: number): number => (inCircle(x, y, 50, 50, 48) ? 200 : 1);
    const wanted = fieldOfView(painted(100, 100, eye));
    for (const dark of [0, 1, 2, 3]) {
      // The camera wrote into the others.
      const marked = painted(100, 100, (x, y) => {
        const [isRight, isLow] = [x >= 94, y >= 94];
        const isCorner = (x < 6 || isRight) && (y < 6 || isLow);
        return isCorner && (isRight ? 1 : 0) + (isLow ? 2 : 0) !== dark ? 200 : eye(x, y);
      });
      expect(fieldOfView(marked)).toEqual(wanted);
    }
  });

  it.each([0, 1, 2])("finds an eye that shows in channel %i alone", (channel) => {
    const eye = painted(100, 100, (x, y) => (inCircle(x, y, 50, 50, 40) ? 200 : 1));
    const single = { ...eye, data: eye.data.map((value, i) => (i % 3 === channel ? value : 1)) };
    expect(fieldOfView(single)).toEqual(fieldOfView(eye));
  });

  it("fills holes and leaves out specks", () => {
    const circle = (x: number, y: number): number => (inCircle(x, y, 50, 50, 40) ? 200 : 0);
    const spoiled = painted(100, 100, (x, y) => {
      if (inCircle(x, y, 55, 45, 12)) return 0;
      return inCircle(x, y, 96, 50, 3) ? 255 : circle(x, y);
    });
    expect(fieldOfView(spoiled)).toEqual(fieldOfView(painted(100, 100, circle)));
  });

  it("keeps the largest region, however regions are joined", () => {
    // Few bright pixels among dark ones, in a dark frame, give many regions of odd shapes.
    const pictures = fc.record({
      width: fc.integer({ min: 30, max: 60 }),
      height: fc.integer({ min: 30, max: 60 }),
      seed: fc.nat({ max: 1000 }),
      share: fc.double({ min: 0.3, max: 0.7, noNaN: true }),
    });
    fc.assert(
      fc.property(pictures, ({ width, height, seed, share }) => {
        const random = uniform([height, width], randomState(seed)).data;
        const isMarked = (x: number, y: number) =>
          x > 1 && y > 1 && x < width - 2 && y < height - 2 && random[y * width + x] < share;
        const photograph = painted(width, height, (x, y) => (isMarked(x, y) ? 200 : 0));
        // What lies between two pixels of a row, and then of a column, of the region that a flood fills.
        const region = largestRegion(width, height, isMarked);
        const between = (line: number[]) => {
          const [first, last] = [line.indexOf(1), line.lastIndexOf(1)];
          return line.map((value, i) => (first >= 0 && i >= first && i <= last ? 1 : value));
        };
        const rows = Array.from({ length: height }, (_, y) =>
          between(Array.from({ length: width }, (_, x) => region[y * width + x])),
        );
        const columns = Array.from({ length: width }, (_, x) => between(rows.map((row) => row[x])));
        const wanted = rows.flatMap((row, y) => row.map((_, x) => columns[x][y]));
        expect([...fieldOfView(photograph).data]).toEqual(wanted);
      }),
    );
  });

  it("takes all of a photograph without a surround", () => {
    for (const level of [() => 0, () => 130, (x: number) => 90 + x, (x: number, y: number) => 200 - x - y]) {
      expect(coverage(fieldOfView(painted(60, 50, level)))).toBe(1);
    }
    expect(coverage(fieldOfView(painted(1, 1, () => 7)))).toBe(1);
  });

  it("refuses bytes that do not fill the picture", () => {
    expect(() => fieldOfView({ width: 4, height: 4, data: new Uint8Array(17) })).toThrow(
      "fieldOfView: a photograph of 4 x 4 wants 48 bytes (RGB) or 64 (RGBA) but has 17",
    );
  });
});

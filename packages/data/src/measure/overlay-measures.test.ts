import { expect, it } from "vitest";
import type { MeasuredVessels } from "./measure.ts";
import { MEASURE_COLOURS, overlayMeasures } from "./overlay-measures.ts";
import { blank } from "./testing.ts";

const [width, height] = [60, 40];
const photograph = { width, height, data: new Uint8Array(3 * width * height).fill(100) };

/** What is drawn of some segments, nodes and a disc, as `column row` by colour. */
function drawnOf(measured: Partial<MeasuredVessels>, size = photograph): Record<string, string[]> {
  const vessels = blank(size.width, size.height);
  const { data } = overlayMeasures(size, {
    segments: [],
    nodes: [],
    vessels,
    ...measured,
  } as MeasuredVessels);
  const places: Record<string, string[]> = {};
  for (let pixel = 0; pixel < size.width * size.height; pixel++) {
    const colour = [...data.subarray(3 * pixel, 3 * pixel + 3)].join();
    const [name] = Object.entries(MEASURE_COLOURS).find(([, each]) => each.join() === colour) ?? [undefined];
    if (name === undefined && colour !== "100,100,100") throw new Error(`pixel ${pixel} is ${colour}`);
    if (name !== undefined)
      places[name] = [...(places[name] ?? []), `${pixel % size.width} ${Math.floor(pixel / size.width)}`];
  }
  return places;
}
const lineOf = (points: readonly (readonly [number, number])[], widths: readonly number[]) => ({
  curve: Float64Array.from(points.flat()),
  widths: Float64Array.from(widths),
  length: points.length,
});

it("draws each point of a centre line, with and without a width apart, and none that lies outside of the picture", () => {
  const points = [
    [-1, 3],
    [0, 3],
    [1.4, 3.4],
    [59.4, 20.6],
    [60, 20],
    [10, -1],
    [10, 40],
    [59, 39],
  ] as const;
  const widths = [2, 2, Number.NaN, 2, 2, 2, 2, Number.NaN];
  expect(drawnOf({ segments: [lineOf(points, widths)] })).toEqual({
    width: ["0 3", "59 21"],
    length: ["1 3", "59 39"],
  });
});

it("draws branch points and ends as squares, of 3 pixels on a small picture, 3 of 1,500 on a large one", () => {
  const nodes = [
    { kind: "branch", x: 10, y: 20 },
    { kind: "end", x: 59, y: 0 },
  ] as never;
  const square = (x: number, y: number, half: number) =>
    Array.from({ length: (2 * half + 1) ** 2 }, (_, i) => {
      const [dx, dy] = [(i % (2 * half + 1)) - half, Math.floor(i / (2 * half + 1)) - half];
      return `${x + dx} ${y + dy}`;
    });
  expect(drawnOf({ nodes })).toEqual({
    branchPoint: square(10, 20, 1),
    endPoint: ["58 0", "59 0", "58 1", "59 1"],
  });
  const large = { width: 1500, height: 50, data: new Uint8Array(3 * 1500 * 50).fill(100) };
  const { branchPoint } = drawnOf({ nodes: [{ kind: "branch", x: 10, y: 20 }] as never }, large);
  expect(branchPoint).toEqual(square(10, 20, 3));
});

it("draws the edges of the disc and of both zones as closed circles, as far as they lie in the picture", () => {
  const disc = { x: 30, y: 20, radius: 5 };
  const { zone } = drawnOf({ disc });
  const radii = zone.map((place) => {
    const [x, y] = place.split(" ").map(Number);
    return Math.hypot(x - disc.x, y - disc.y) / disc.radius;
  });
  for (const radius of radii)
    expect(Math.min(...[1, 2, 3, 5].map((each) => Math.abs(each - radius)))).toBeLessThan(0.15);
  // Closed: beside every point of a circle lies a pixel of it.
  const places = zone.map((place) => place.split(" ").map(Number));
  for (let turn = 0; turn < 64; turn++) {
    const angle = (2 * Math.PI * turn) / 64;
    for (const radius of [5, 10, 15]) {
      const [x, y] = [disc.x + radius * Math.cos(angle), disc.y + radius * Math.sin(angle)];
      expect(Math.min(...places.map(([px, py]) => Math.hypot(px - x, py - y)))).toBeLessThan(1);
    }
  }
  expect(drawnOf({}).zone).toBeUndefined();
});

it("tells both sizes where they differ", () => {
  expect(() => drawnOf({ vessels: blank(40, 60) })).toThrow(
    "overlayMeasures: what was measured is 40 x 60 but the photograph is 60 x 40",
  );
});

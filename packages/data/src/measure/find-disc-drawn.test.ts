// Drawn eyes, of which it is known where the disc is and what speaks against it.

import { describe, expect, it } from "vitest";
import type { Mask } from "../image.ts";
import { findDisc } from "./find-disc.ts";
import { drawn, type Point, stroke } from "./testing.ts";

const size = 160;
const middle = size / 2 - 0.5;
const field = drawn(size, size, (x, y) => Math.hypot(x - middle, y - middle) < 78);

interface Spot {
  readonly at: Point;
  readonly radius: number;
  readonly light: number;
}

/** Light of `ground` and of spots on it, later ones over earlier ones. */
function photographOf(spots: readonly Spot[], ground = 100) {
  const data = new Uint8Array(3 * size * size);
  for (let pixel = 0; pixel < size * size; pixel++) {
    const [x, y] = [pixel % size, Math.floor(pixel / size)];
    const own = spots.findLast(({ at, radius }) => Math.hypot(x - at[0], y - at[1]) <= radius);
    data.fill(own?.light ?? ground, 3 * pixel, 3 * pixel + 3);
  }
  return { width: size, height: size, data };
}

/** Thin vessels that run from a place to all sides. */
function vesselsFrom([x, y]: Point, count = 6): Mask {
  const mask = drawn(size, size, () => false);
  for (let i = 0; i < count; i++) {
    const angle = 0.3 + (2 * Math.PI * i) / count;
    stroke(
      mask,
      [
        [x, y],
        [x + 60 * Math.cos(angle), y + 60 * Math.sin(angle)],
      ],
      2,
    );
  }
  return { ...mask, data: mask.data.map((value, i) => value & field.data[i]) };
}

describe("a drawn disc", () => {
  it.each([
    [50, 90, 9],
    [110, 60, 12],
    [80, 40, 15],
  ])("at %i, %i, of radius %i is found, without a doubt", (x, y, radius) => {
    const at: Point = [x, y];
    const photograph = photographOf([{ at, radius, light: 200 }]);
    const found = findDisc(photograph, vesselsFrom(at), field)!;
    expect(found.doubt).toBeUndefined();
    expect(Math.hypot(found.disc.x - x, found.disc.y - y)).toBeLessThan(2);
    expect(Math.abs(found.disc.radius - radius)).toBeLessThan(1);
  });
});

// A frame that cuts the eye: half of the disc is not in the picture, and its middle may lie beyond the edge.
it.each<[string, Point]>([
  ["left", [-4, 80]],
  ["right", [size + 3, 80]],
  ["top", [80, -4]],
  ["bottom", [80, size + 3]],
])("a disc that the %s edge cuts has its middle in the picture", (_, at) => {
  const everywhere = drawn(size, size, () => true);
  const photograph = photographOf([{ at, radius: 14, light: 200 }]);
  const { x, y } = findDisc(photograph, vesselsFrom(at), everywhere)!.disc;
  const onEdge = (value: number) => Math.min(size - 1, Math.max(0, value));
  expect(Math.hypot(x - onEdge(at[0]), y - onEdge(at[1]))).toBeLessThan(3);
  expect([onEdge(x), onEdge(y)]).toEqual([x, y]);
});

describe("a doubt", () => {
  const disc: Spot = { at: [50, 90], radius: 12, light: 200 };
  const far: Spot = { at: [115, 70], radius: 12, light: 200 };
  const doubtOf = (spots: readonly Spot[], vessels = vesselsFrom(disc.at)) =>
    findDisc(photographOf(spots), vessels, field)?.doubt ?? "";

  it("is that vessels come together elsewhere, or nowhere", () => {
    expect(doubtOf([disc], vesselsFrom(far.at))).toContain("few vessels come together there");
    expect(doubtOf([disc])).not.toContain("vessels");
  });

  it("is that another place does nearly as well: one as bright, with as many vessels", () => {
    const both = vesselsFrom(disc.at);
    vesselsFrom(far.at).data.forEach((value, i) => {
      both.data[i] |= value;
    });
    expect(doubtOf([disc, far], both)).toContain("another place does nearly as well");
    expect(doubtOf([disc, far])).not.toContain("another place");
  });

  it("is that there is no edge, nor light", () => {
    expect(doubtOf([])).toContain("it is hardly brighter than what is around it");
    expect(doubtOf([])).toContain("it has no edge");
    expect(doubtOf([disc])).toBe("");
  });

  it("is that there are two edges as strong", () => {
    const rings = [
      { ...disc, radius: 17, light: 150 },
      { ...disc, radius: 8, light: 230 },
    ];
    expect(doubtOf(rings)).toContain("its radius is not clear");
  });
});

import { ShapeError } from "@saunet/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Mask } from "../image.ts";
import { syntheticFundus } from "../synthetic.ts";
import { type VesselColumn, vesselColumns } from "./columns.ts";
import { measureVessels, type VesselFigures } from "./measure.ts";
import { MEASURE_COLOURS, overlayMeasures } from "./overlay-measures.ts";
import { blank, drawn, enlarged, mirrored, type Point, stroke, turned } from "./testing.ts";

const { vessels, fieldOfView, classes } = syntheticFundus({ seed: 5, width: 480, height: 480 });
const plain = measureVessels(vessels, { fieldOfView }).figures;

/** Every number of a document. */
function numbersOf(value: unknown): number[] {
  if (typeof value === "number") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(numbersOf) : [];
}

/** The figures that neither a turn nor a mirror image should change, and those that grow with the picture, made comparable. */
const comparable = (
  { length, vesselWidth, tortuosity, fractal, vesselDensity, branchingAngle }: VesselFigures,
  factor = 1,
) => ({
  density: vesselDensity ?? 0,
  length: length / factor,
  width: (vesselWidth?.mean ?? 0) / factor,
  medianWidth: (vesselWidth?.median ?? 0) / factor,
  arcOverChord: tortuosity?.arcOverChord ?? 0,
  curvature: factor * (tortuosity?.curvature ?? 0),
  angle: branchingAngle?.mean ?? 0,
  d0: fractal?.d0.value ?? 0,
  d2: fractal?.d2.value ?? 0,
});

function expectAlike(found: VesselFigures, bounds: Partial<Record<string, number>>, factor = 1): void {
  const wanted: Record<string, number> = comparable(plain);
  for (const [name, value] of Object.entries(comparable(found, factor))) {
    expect(Math.abs(value / wanted[name] - 1), name).toBeLessThan(bounds[name] ?? 0.01);
  }
}

describe("the same vessels seen otherwise", () => {
  it.each([
    ["turned", turned],
    ["mirrored", mirrored],
  ] as const)("%s have the same figures", (_, change) => {
    const { figures } = measureVessels(change(vessels), { fieldOfView: change(fieldOfView) });
    // Half of these vessels are narrower than 1.6 pixels.
    expectAlike(figures, { angle: 0.05, curvature: 0.02, medianWidth: 0.02 });
    expect(Math.abs(figures.branchPoints - plain.branchPoints)).toBeLessThanOrEqual(2);
    expect(Math.abs(figures.endPoints - plain.endPoints)).toBeLessThanOrEqual(2);
  });

  // Each pixel becomes a square, whose corners the smoothing of 4 pixels takes off; what it leaves of them at the smaller size
  // is curvature. Lines that are drawn at two sizes have theirs within 6 % (shapes.test.ts).
  it("at twice the size have the same figures, scaled", () => {
    const { figures } = measureVessels(enlarged(vessels, 2), { fieldOfView: enlarged(fieldOfView, 2) });
    expectAlike(
      figures,
      { length: 0.03, width: 0.03, medianWidth: 0.05, angle: 0.1, curvature: 0.45, arcOverChord: 0.02 },
      2,
    );
  });
});

describe("masks that are poor", () => {
  const full = drawn(40, 30, () => true);
  const noise = drawn(200, 200, (x, y) => (x * 7919 + y * 104729 + x * y * 31) % 97 < 20);
  it.each<[string, Mask]>([
    ["empty", blank(50, 40)],
    ["full", full],
    ["of one pixel", drawn(9, 9, (x, y) => x === 4 && y === 4)],
    ["one pixel small", drawn(1, 1, () => true)],
    ["noisy", noise],
  ])("%s give finite figures or reasons", (_, mask) => {
    const { figures } = measureVessels(mask, { disc: { x: 0, y: 0, radius: 3 } });
    expect(numbersOf(figures).filter((value) => !Number.isFinite(value))).toEqual([]);
    for (const name of ["vesselWidth", "branchingAngle", "fractal", "tortuosity", "calibres"] as const) {
      expect(figures[name] === undefined, name).toBe(figures.reasons[name] !== undefined);
    }
  });

  it("any at all do, in any field of view", () => {
    const mask = fc
      .tuple(fc.integer({ min: 1, max: 24 }), fc.integer({ min: 1, max: 24 }))
      .chain(([width, height]) =>
        fc.record({
          width: fc.constant(width),
          height: fc.constant(height),
          data: fc.uint8Array({ min: 0, max: 1, minLength: width * height, maxLength: width * height }),
          field: fc.uint8Array({ min: 0, max: 1, minLength: width * height, maxLength: width * height }),
        }),
      );
    fc.assert(
      fc.property(mask, ({ width, height, data, field }) => {
        const { figures } = measureVessels(
          { width, height, data },
          {
            fieldOfView: { width, height, data: field },
            disc: { x: 0, y: 0, radius: 2 },
            micrometresPerPixel: 6,
          },
        );
        expect(numbersOf(figures).every(Number.isFinite)).toBe(true);
      }),
      { numRuns: 300, seed: 7 },
    );
  });

  it("say what they lack", () => {
    expect(measureVessels(blank(50, 40)).figures.reasons).toEqual({
      vesselWidth: "no vessel in the field of view",
      branchingAngle: "no branch point with three segments long enough",
      fractal: "the vessels are less than 64 pixels across: too small for five sizes of boxes",
      tortuosity: "no segment runs freely for 12 pixels",
      calibres: "wants the optic disc, and masks of arteries and of veins",
    });
    const nowhere = measureVessels(full, { fieldOfView: blank(40, 30) }).figures;
    expect([nowhere.vesselDensity, nowhere.reasons.lengthDensity]).toEqual([
      undefined,
      "the field of view is empty",
    ]);
  });
});

it("vessels outside of the field of view do not count, and what it cuts is no end", () => {
  const mask = drawn(200, 60, (_, y) => y >= 28 && y < 33);
  const field = drawn(200, 60, (x) => x >= 50 && x < 150);
  const { figures } = measureVessels(mask, { fieldOfView: field });
  expect(figures).toMatchObject({ fieldPixels: 6000, vesselDensity: 5 / 60, endPoints: 0, cutEnds: 2 });
  expect(figures.length).toBeLessThan(100);
});

it("refuses what makes no sense", () => {
  const mask = blank(8, 6);
  expect(() => measureVessels({ ...mask, data: mask.data.map(() => 255) })).toThrow(
    /^measureVessels: mask must hold 0 and 1 but holds 255/,
  );
  for (const name of ["fieldOfView", "arteries", "veins"]) {
    expect(() => measureVessels(mask, { [name]: blank(6, 8) })).toThrow(
      new ShapeError(`measureVessels: ${name} is 6 x 8 but mask is 8 x 6`),
    );
    expect(() => measureVessels(mask, { [name]: { ...mask, data: mask.data.map(() => 2) } })).toThrow(
      `measureVessels: ${name} must hold 0 and 1 but holds 2`,
    );
  }
  for (const micrometresPerPixel of [1e6, Number.NaN, Number.POSITIVE_INFINITY])
    expect(() => measureVessels(mask, { micrometresPerPixel })).toThrow(
      `measureVessels: micrometresPerPixel must be above 0 and below 1,000,000 but is ${micrometresPerPixel}`,
    );
  expect(() => measureVessels(mask, { micrometresPerPixel: 0 })).toThrow(
    /^measureVessels: micrometresPerPixel must be above 0/,
  );
  expect(() => measureVessels(mask, { disc: { x: 9, y: 0, radius: 1 } })).toThrow(/^measureVessels: disc x/);
  expect(() => measureVessels(mask, { disc: { x: 1, y: 1, radius: 0 } })).toThrow(
    /^measureVessels: disc radius must be above 0/,
  );
});

describe("around the optic disc", () => {
  /** Vessels of these widths from the disc outwards, evenly around it. */
  const star = (widths: readonly number[], turn: number): Mask => {
    const mask = blank(600, 600);
    for (const [i, width] of widths.entries()) {
      const angle = turn + (2 * Math.PI * i) / widths.length;
      const at = (radius: number): Point => [300 + radius * Math.cos(angle), 300 + radius * Math.sin(angle)];
      stroke(mask, [at(20), at(280)], width);
    }
    return mask;
  };
  const disc = { x: 300, y: 300, radius: 50 };
  const arteries = star([7, 8, 9, 10, 11, 12, 5], 0.1);
  const veins = star([9, 10, 11, 12, 13, 14], 0.5);
  const data = arteries.data.map((value, i) => value | veins.data[i]) as Uint8Array;
  const all = { ...arteries, data };

  it("finds the vessels of zone B and their central equivalents", () => {
    const { calibres, reasons } = measureVessels(all, {
      disc,
      arteries,
      veins,
      micrometresPerPixel: 10,
    }).figures;
    expect(calibres?.arteries).toHaveLength(7);
    [12, 11, 10, 9, 8, 7, 5].forEach((width, i) => {
      expect(Math.abs((calibres?.arteries[i] ?? 0) - width)).toBeLessThan(0.5);
    });
    const { knudtson, hubbard } = calibres ?? {};
    // By hand: pairs (12, 7), (11, 8), (10, 9); then the largest with the smallest; then the two that are left.
    const join = (c: number, a: number, b: number) => c * Math.sqrt(a * a + b * b);
    const three = [join(0.88, 12, 7), join(0.88, 11, 8), join(0.88, 10, 9)].sort((a, b) => a - b);
    const crae = join(0.88, join(0.88, three[2], three[0]), three[1]);
    expect(Math.abs((knudtson?.crae ?? 0) / crae - 1)).toBeLessThan(0.03);
    expect(knudtson?.avr).toBeCloseTo((knudtson?.crae ?? 0) / (knudtson?.crve ?? 1), 12);
    expect(hubbard?.crve).toBeGreaterThan(hubbard?.crae ?? 0);
    expect(Object.keys(reasons)).not.toContain("calibres");
  });

  it("measures zones, of which a part may lie outside of the picture", () => {
    const whole = measureVessels(all, { disc }).figures.zones;
    expect(whole?.b.visible).toBe(1);
    expect(whole?.c.width?.mean).toBeGreaterThan(5);
    const cut = measureVessels(all, { disc: { x: 0, y: 300, radius: 50 } }).figures.zones;
    expect(Math.abs((cut?.b.visible ?? 0) - 0.5)).toBeLessThan(0.01);
  });

  it("names what is missing", () => {
    const few = measureVessels(all, { disc, arteries: star([7, 8, 9], 0), veins }).figures;
    expect(few.calibres?.knudtson).toBeUndefined();
    expect(few.reasons.knudtson).toBe(
      "zone B has 3 arteries and 6 veins that run through half of it, and the definition wants 6 of each",
    );
    const unscaled = measureVessels(all, { disc, arteries, veins }).figures;
    expect(unscaled.calibres?.knudtson).toBeDefined();
    expect(unscaled.reasons.hubbard).toBe("its formulas want micrometres, and the scale is not given");
  });
});

it("arteries and veins of a synthetic fundus can be measured apart", () => {
  for (const kind of [1, 2]) {
    const data = classes.data.map((value) => (value === kind ? 1 : 0)) as Uint8Array;
    const { figures } = measureVessels({ width: 480, height: 480, data }, { fieldOfView });
    expect(figures.length).toBeLessThan(plain.length);
    expect(figures.vesselWidth?.mean).toBeGreaterThan(1);
  }
});

describe("columns", () => {
  const figureOf = (columns: readonly VesselColumn[], name: string) =>
    columns.find((column) => column.name === name)?.value ?? Number.NaN;

  it("are the same of every mask that is measured alike, with a value or a reason, and names that end in units", () => {
    const columns = vesselColumns(plain);
    const names = columns.map(({ name }) => name);
    expect(vesselColumns(measureVessels(blank(50, 40)).figures).map(({ name }) => name)).toEqual(names);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, unit, value, reason } of [
      ...columns,
      ...vesselColumns(measureVessels(blank(50, 40), { disc: { x: 0, y: 0, radius: 3 } }).figures),
    ]) {
      expect(name.endsWith(unit)).toBe(true);
      expect((value === undefined) !== (reason === undefined), name).toBe(true);
    }
  });

  it("on the retina are those in pixels times powers of the scale", () => {
    const scaled = vesselColumns(measureVessels(vessels, { fieldOfView, micrometresPerPixel: 8 }).figures);
    for (const [pixels, retina, factor] of [
      ["length_px", "length_mm", 0.008],
      ["length_density_per_px", "length_density_per_mm", 125],
      ["width_p95_px", "width_p95_um", 8],
      ["curvature_rad_per_px", "curvature_rad_per_mm", 125],
      ["squared_curvature_rad2_per_px2", "squared_curvature_rad2_per_mm2", 125 ** 2],
    ] as const) {
      // Both are rounded to ten digits.
      const ratio = figureOf(scaled, retina) / figureOf(scaled, pixels);
      expect(ratio / factor, retina).toBeCloseTo(1, 8);
    }
  });
});

describe("the overlay", () => {
  const photograph = { width: 60, height: 40, data: new Uint8Array(3 * 2400).fill(100) };
  const at = (x: number, y: number, { data }: { readonly data: ArrayLike<number> }) =>
    [0, 1, 2].map((c) => data[3 * (60 * y + x) + c]);

  it("shows centre lines, ends, vessels and the disc, and leaves the rest", () => {
    const bar = drawn(60, 40, (x, y) => x >= 10 && x < 50 && y >= 18 && y < 23);
    const found = measureVessels(bar, { disc: { x: 30, y: 20, radius: 5 } });
    const picture = overlayMeasures(photograph, found);
    expect(at(28, 20, picture)).toEqual(MEASURE_COLOURS.width);
    const end = found.nodes.find(({ x }) => x < 30);
    expect(at(end?.x ?? 0, end?.y ?? 0, picture)).toEqual(MEASURE_COLOURS.endPoint);
    expect(at(28, 22, picture)).toEqual([50, 107, 139]);
    expect(at(30, 10, picture)).toEqual(MEASURE_COLOURS.zone);
    expect(at(5, 5, picture)).toEqual([100, 100, 100]);
    expect(() => overlayMeasures(photograph, measureVessels(blank(40, 60)))).toThrow(ShapeError);
  });
});

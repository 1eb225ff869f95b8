// Figures inside the field of view, of one image and of all.

import type { Mask } from "@saunet/data";
import { calibrationError } from "@saunet/model";
import { expect, it } from "vitest";
import { type FieldFigures, fieldFigures, summariseField } from "./field-figures.ts";

const mask = (...rows: readonly string[]): Mask => ({
  width: rows[0].length,
  height: rows.length,
  data: Uint8Array.from(rows.join(""), Number),
});
/** A reliability diagram all of whose pixels are in the middle bin. */
const binsOf = (pixels: number, vessels: number, probabilities: number) =>
  Array.from({ length: 15 }, (_, i) =>
    i === 7 ? { pixels, vessels, probabilities } : { pixels: 0, vessels: 0, probabilities: 0 },
  );
const bins = binsOf(10, 4, 5);
const of = (clDice: number, more: Partial<FieldFigures> = {}): FieldFigures => ({
  ...{ clDice, pieces: 1, missed: 0, spurious: 2 },
  ...more,
});

it("what lies outside the field of view is no vessel to either", () => {
  const truth = mask("1111100000", "0000000000", "0000000111");
  const found = mask("1101100000", "0000000000", "0000000000");
  const left = mask("1111100000", "1111100000", "1111100000");
  // One vessel in two pieces; the one on the right is not looked at.
  expect(fieldFigures(found, truth, left)).toMatchObject({ pieces: 2, missed: 0, spurious: 0 });
  const everything = mask("1111111111", "1111111111", "1111111111");
  expect(fieldFigures(found, truth, everything)).toMatchObject({ pieces: 2, missed: 1, spurious: 0 });
  const nothing = mask("0000000000", "0000000000", "0000000000");
  expect(fieldFigures(nothing, nothing, everything)).toMatchObject({
    clDice: Number.NaN,
    pieces: Number.NaN,
  });
});

it("means are of the images that have a figure, and bins of all are pooled", () => {
  const summary = summariseField([
    { id: "a", field: of(0.5, { bins, pieces: Number.NaN }) },
    { id: "b", field: of(0.7, { bins, pieces: 3 }) },
  ]);
  const ece = calibrationError(bins);
  expect(ece).toBeCloseTo(0.1, 12);
  expect(summary.images[0]).toEqual({
    id: "a",
    clDice: 0.5,
    pieces: Number.NaN,
    missed: 0,
    spurious: 2,
    ece,
  });
  expect(summary.mean).toMatchObject({ clDice: 0.6, pieces: 3, missed: 0, spurious: 2 });
  expect(summary.mean.ece).toBeCloseTo(0.1, 12);
  expect(summary.intervals.clDice).toEqual([0.5, 0.7]);
  expect(summary.pooled?.error).toBeCloseTo(0.1, 12);
  expect(summary.pooled?.bins).toEqual(binsOf(20, 8, 10));
});

it("masks have no calibration, and a single image no intervals", () => {
  const { images, intervals, mean, pooled } = summariseField([{ id: "a", field: of(0.5) }]);
  expect([images[0].ece, mean.ece, pooled, intervals]).toEqual([Number.NaN, Number.NaN, null, {}]);
  // Of two images of which one is a mask, the other's bins are all that there are.
  const mixed = summariseField([
    { id: "a", field: of(0.5) },
    { id: "b", field: of(0.5, { bins }) },
  ]);
  expect(mixed.pooled?.bins).toEqual(bins);
  expect(mixed.mean.ece).toBeCloseTo(0.1, 12);
});

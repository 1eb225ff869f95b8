// What an evaluation of classes is in words and as CSV, and the means in it.

import { type ClassMetrics, type ClassSegmenter, METRIC_NAMES, type SegmentOptions } from "@saunet/model";
import { expect, it } from "vitest";
import {
  type ClassEvaluation,
  type ClassFigures,
  csvOfClasses,
  describeClasses,
  evaluateSample,
  macroOf,
} from "./class-evaluation.ts";
import { syntheticSamples } from "./synthetic-samples.ts";
import { metricsFrom } from "./testing-evaluation.ts";

const classes = ["background", "artery", "vein"];
/** A tenth between one class and the next, and the mean after them. */
const figuresFrom = (first: number): ClassMetrics => ({
  byClass: Object.fromEntries(classes.map((name, i) => [name, metricsFrom(first + i / 10)])),
  mean: metricsFrom(first + 0.3),
});
const imageOf = (id: string, first: number): ClassFigures => ({
  id,
  full: figuresFrom(first),
  fov: figuresFrom(first + 0.4),
});
const evaluation: ClassEvaluation = {
  ...{ dataset: "synthetic", weights: "run/a\u001b.safetensors", classes, seconds: 12.34 },
  images: [imageOf("x", 0.01), imageOf("y", 0.02)],
  macro: { full: figuresFrom(0.11), fov: figuresFrom(0.51) },
};
const digits = (first: number) => METRIC_NAMES.map((_, i) => (first + i / 100).toFixed(4));

it("an evaluation of classes says what was tested and has a table with a line a class and region", () => {
  const [head, tables, ...rest] = describeClasses(evaluation).split("\n\n");
  expect(rest).toEqual([]);
  expect(head).toBe(
    "2 synthetic images, weights run/a\\x1b.safetensors, macro averages; segmentation took 12.3 s",
  );
  const [title, ...lines] = tables.trimEnd().split("\n");
  expect(title).toBe("each class against all others");
  expect(lines.map((line) => line.trim().split(/ {2,}/))).toEqual([
    ["pixels", "class", ...METRIC_NAMES],
    ["full frame", "background", ...digits(0.11)],
    ["artery", ...digits(0.21)],
    ["vein", ...digits(0.31)],
    ["mean without background", ...digits(0.41)],
    ["field of view", "background", ...digits(0.51)],
    ["artery", ...digits(0.61)],
    ["vein", ...digits(0.71)],
    ["mean without background", ...digits(0.81)],
  ]);
  // Names stand under their heading, whether or not a region stands before them.
  const at = lines[0].indexOf("class");
  for (const [i, name] of ["background", "artery", "vein", "mean without background"].entries())
    for (const line of [lines[1 + i], lines[5 + i]]) expect(line.indexOf(name)).toBe(at);
});

it("an evaluation of classes as CSV has a line an image and class, its cells under their names", () => {
  const [heading, ...rows] = csvOfClasses(evaluation)
    .trimEnd()
    .split("\n")
    .map((line) => line.split(","));
  expect(heading).toEqual([
    ...["id", "class"],
    ...["full", "fov"].flatMap((region) => METRIC_NAMES.map((name) => `${region}_${name}`)),
  ]);
  expect(rows.map((row) => row.slice(0, 2))).toEqual(
    ["x", "y"].flatMap((id) => classes.map((name) => [id, name])),
  );
  const veinOfY = [0.22, 0.62].flatMap((first) => Object.values(metricsFrom(first)));
  for (const [i, cell] of rows[5].slice(2).entries()) expect(Number(cell)).toBeCloseTo(veinOfY[i], 12);
  expect(rows[5]).toHaveLength(16);
});

it("a picture is held against its true classes, in the whole frame and in its field of view", async () => {
  const [sample] = syntheticSamples(1, 48);
  const field = (await sample.fieldOfView()).data;
  const truth = sample.classes(classes).data;
  const asked: unknown[] = [];
  /** Right in the field of view; outside of it, where nothing is, all veins. */
  const segmenter: Pick<ClassSegmenter, "classes" | "segment"> = {
    classes,
    async segment(photograph, options) {
      asked.push([photograph, options]);
      const probability = new Float32Array(3 * truth.length);
      for (let pixel = 0; pixel < truth.length; pixel++)
        probability[3 * pixel + (field[pixel] === 1 ? truth[pixel] : 2)] = 1;
      return { ...photograph, scale: 1, probability, classes: sample.classes(classes) };
    },
  };
  const options: SegmentOptions = { maxPixels: 9999 };
  const { figures, seconds } = await evaluateSample(segmenter as ClassSegmenter, sample, options);
  expect(asked).toEqual([[await sample.image(), options]]);
  expect(seconds).toBeGreaterThanOrEqual(0);
  expect(figures.id).toBe("synthetic-100");
  expect([figures.fov.mean.f1, figures.fov.byClass.vein.f1, figures.full.byClass.artery.f1]).toEqual([
    1, 1, 1,
  ]);
  const veins = truth.filter((kind) => kind === 2).length;
  const outside = field.filter((value) => value === 0).length;
  expect(figures.full.byClass.vein.f1).toBeCloseTo((2 * veins) / (2 * veins + outside), 12);
});

it("macro averages are the mean over pictures of each class and region, and of the pictures' means", () => {
  const macro = macroOf([imageOf("x", 0.1), imageOf("y", 0.2)], classes);
  for (const [region, first] of [
    ["full", 0.15],
    ["fov", 0.55],
  ] as const) {
    const { byClass, mean } = macro[region];
    expect(Object.keys(byClass)).toEqual(classes);
    for (const [i, metrics] of [...classes.map((name) => byClass[name]), mean].entries()) {
      const wanted = metricsFrom(first + i / 10);
      for (const name of METRIC_NAMES) expect(metrics[name]).toBeCloseTo(wanted[name], 12);
    }
  }
});

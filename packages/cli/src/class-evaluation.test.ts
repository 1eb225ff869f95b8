import { type ClassSegmenter, evaluateClasses } from "@saunet/model";
import { expect, it } from "vitest";
import {
  type ClassEvaluation,
  csvOfClasses,
  describeClasses,
  evaluateSample,
  macroOf,
} from "./class-evaluation.ts";
import { syntheticSamples } from "./synthetic-samples.ts";

const classes = ["background", "artery", "vein"];
const [first, second] = syntheticSamples(2, 48);
/** Says of every third pixel that it is of one class, and is not sure. */
const probability = Float32Array.from({ length: 48 * 48 * 3 }, (_, i) =>
  Math.floor(i / 3) % 3 === i % 3 ? 0.5 : 0.25,
);
const asked: unknown[] = [];
const segmenter: Partial<ClassSegmenter> = {
  classes,
  async segment(photograph, options) {
    asked.push(options);
    const { width, height } = photograph;
    return { width, height, scale: 1, probability, classes: { width, height, data: new Uint8Array(0) } };
  },
};
const of = (sample: typeof first) => evaluateSample(segmenter as ClassSegmenter, sample, { scale: 1 });

it("a picture is held against its true classes, as a whole and in its field of view", async () => {
  const { figures, seconds } = await of(first);
  const truth = first.classes(classes).data;
  const fieldOfView = (await first.fieldOfView()).data;
  expect(figures).toEqual({
    id: "synthetic-100",
    full: evaluateClasses({ probability, truth }, classes),
    fov: evaluateClasses({ probability, truth, fieldOfView }, classes),
  });
  expect(asked).toEqual([{ scale: 1 }]);
  expect(seconds).toBeGreaterThanOrEqual(0);
});

it("figures of classes are a table and CSV, a line a class, under their names", async () => {
  const images = [(await of(first)).figures, (await of(second)).figures];
  const macro = macroOf(images, classes);
  const mean = (images[0].fov.byClass.vein.f1 + images[1].fov.byClass.vein.f1) / 2;
  expect(macro.fov.byClass.vein.f1).toBeCloseTo(mean, 12);
  const weights = "w.safetensors";
  const evaluation: ClassEvaluation = { dataset: "synthetic", weights, classes, images, macro, seconds: 3 };
  const lines = describeClasses(evaluation).split("\n");
  expect(lines.slice(0, 3)).toEqual([
    "2 synthetic images, weights w.safetensors, macro averages; segmentation took 3.0 s",
    ...["", "each class against all others"],
  ]);
  expect(lines[3]).toMatch(/^pixels +class +f1 +jaccard +sensitivity +specificity +accuracy +mcc +auc$/);
  expect(lines.slice(4, 12).map((line) => line.replace(/ +-?[\d.]+/g, "").trim())).toEqual([
    ...["full frame     background", "artery", "vein", "mean without background"],
    ...["field of view  background", "artery", "vein", "mean without background"],
  ]);
  expect(lines[10]).toContain(` ${mean.toFixed(4)} `);
  const rows = csvOfClasses(evaluation).trimEnd().split("\n");
  expect(rows[0]).toMatch(/^id,class,full_f1,full_jaccard,.*,fov_auc$/);
  expect(rows.slice(1).map((row) => row.split(",").slice(0, 2))).toEqual(
    ["synthetic-100", "synthetic-101"].flatMap((id) => classes.map((name) => [id, name])),
  );
  expect(Number(rows[2].split(",")[2])).toBeCloseTo(images[0].full.byClass.artery.f1, 9);
});

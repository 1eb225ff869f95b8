import { noGrad, randomState } from "@saunet/core";
import { labelledImage } from "@saunet/data";
import {
  classSegmenterOf,
  evaluateClasses,
  forward,
  initialize,
  type NetworkConfig,
  paperLoss,
  segmenterOf,
  type Weights,
  withClasses,
} from "@saunet/model";
import { expect, it } from "vitest";
import { paddedBatch, tensorsOf } from "./batches.ts";
import type { Progress } from "./output.ts";
import { smallFundus, tiny } from "./testing.ts";
import { watchPrograms } from "./testing-engine.ts";
import type { Picture } from "./training-data.ts";
import { classValidator, paperValidator, pictureValidator, type Validator } from "./validation.ts";

const bar: Progress = { advance() {}, show() {}, print() {}, warn() {}, stop() {} };
const { signal } = new AbortController();
const weightsOf = (config: NetworkConfig): Weights => ({
  config,
  parameters: initialize(config, randomState(1)),
  metadata: { scale: "1" },
});
const CLASSES = 3;
const pictures: readonly Picture[] = [1, 2, 3].map((seed) => {
  const { image, vessels, fieldOfView } = smallFundus(seed);
  const classes = { ...vessels, data: vessels.data.map((vessel, i) => (vessel === 1 ? 1 + (i % 2) : 0)) };
  return { id: `${seed}`, photograph: image, vessels, fieldOfView, classes };
});
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const shareOf = (pixels: ArrayLike<number>, isRight: (i: number) => boolean) =>
  Array.from(pixels, (_, i) => (isRight(i) ? 1 : 0)).reduce((sum: number, one) => sum + one, 0) /
  pixels.length;

it("pictures are judged one by one, and their figures averaged", async () => {
  const weights = weightsOf(tiny);
  const segmenter = segmenterOf(weights);
  const shares: number[] = [];
  for (const { photograph, vessels } of pictures) {
    const { mask } = await segmenter.segment(photograph);
    shares.push(shareOf(mask.data, (i) => mask.data[i] === vessels.data[i]));
  }
  const found = await pictureValidator(weights, pictures, bar).validate(signal);
  expect(found?.accuracy).toBeCloseTo(mean(shares), 12);
  expect(new Set(shares).size).toBe(3);
});

it("classes: accuracy is the share of pixels in their class, a mean over the pictures, and so is F1 over the classes", async () => {
  const weights = weightsOf(withClasses(tiny, ["artery", "vein"]));
  const segmenter = classSegmenterOf(weights);
  const shares: number[] = [];
  const scores: number[] = [];
  for (const { photograph, classes: truth } of pictures) {
    const { classes, probability } = await segmenter.segment(photograph);
    shares.push(shareOf(classes.data, (i) => classes.data[i] === truth?.data[i]));
    scores.push(evaluateClasses({ probability, truth: truth?.data ?? [] }, segmenter.classes).mean.f1);
  }
  expect(segmenter.classes).toHaveLength(CLASSES);
  const found = await classValidator(weights, pictures, bar).validate(signal);
  expect(found?.accuracy).toBeCloseTo(mean(shares), 12);
  expect(found?.f1).toBeCloseTo(mean(scores), 12);
});

it.each([
  ["also where the last batch is smaller", 2],
  ["also where they fill their batches", 3],
])("paper: loss and accuracy are means over all augmented pictures, %s", async (_, batch) => {
  const weights = weightsOf(tiny);
  const side = 56;
  const augmented = pictures.map(({ photograph, vessels, fieldOfView }) =>
    labelledImage(photograph, vessels, fieldOfView),
  );
  const each = augmented.map((picture) => {
    const { x, target } = tensorsOf(paddedBatch([picture], side));
    const logits = noGrad(() => forward(weights.config, weights.parameters, x));
    const isVessel = (i: number) => logits.data[i] > 0 === target.data[i] > 0.5;
    return { right: shareOf(target.data, isVessel) };
  });
  const validator = paperValidator(weights, pictures, { pictures: augmented, side }, batch, bar);
  const found = await validator.validate(signal);
  expect(found?.accuracy).toBeCloseTo(mean(each.map(({ right }) => right)), 12);
  const lossOf = (from: number, to: number) => {
    const { x, target } = tensorsOf(paddedBatch(augmented.slice(from, to), side));
    return noGrad(() => paperLoss()(forward(weights.config, weights.parameters, x), target)).item();
  };
  const wanted = batch === 3 ? lossOf(0, 3) : (2 * lossOf(0, 2) + lossOf(2, 3)) / 3;
  expect(found?.loss).toBeCloseTo(wanted, 5);
  // F1 is that of the pictures as they are.
  expect(found?.f1).toBe((await pictureValidator(weights, pictures, bar, side).validate(signal))?.f1);
  validator.release();
});

it.each<[string, () => Validator]>([
  ["pictures", () => pictureValidator(weightsOf(tiny), pictures, bar)],
  ["classes", () => classValidator(weightsOf(withClasses(tiny, ["artery", "vein"])), pictures, bar)],
  [
    "paper",
    () => {
      const augmented = pictures.map(({ photograph, vessels, fieldOfView }) =>
        labelledImage(photograph, vessels, fieldOfView),
      );
      return paperValidator(weightsOf(tiny), pictures, { pictures: augmented, side: 56 }, 2, bar);
    },
  ],
])("%s: every program that was prepared is given back", async (_, validatorOf) => {
  const { held } = await watchPrograms();
  const validator = validatorOf();
  await validator.validate(signal);
  expect(held.size).toBeGreaterThan(0);
  validator.release();
  expect([...held]).toEqual([]);
});

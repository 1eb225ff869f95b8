// What options make of a recipe, and which of them do not go together.

import { describe, expect, it } from "vitest";
import { UsageError } from "./errors.ts";
import { recipes } from "./recipes.ts";
import { type RunOptions, settingsOf } from "./settings.ts";

const usual: RunOptions = {
  recipe: "best",
  dataset: ["folder"],
  data: ["photographs"],
  ...{ validateEvery: 1, pictureSize: 512, seed: 1, maxPixels: 1e7 },
};
const synthetic = { dataset: ["synthetic"], data: undefined } as unknown as Partial<RunOptions>;
const of = (options: Partial<RunOptions> = {}) => settingsOf({ ...usual, ...options });

describe("a run's settings", () => {
  it("are its recipe's where no option says otherwise, and nothing more", () => {
    const { recipe: _, dataset: __, data: ___, ...plain } = usual;
    for (const recipe of ["best", "paper", "adapt"] as const)
      expect(of({ recipe })).toEqual({
        ...recipes[recipe],
        ...plain,
        recipe,
        sets: [{ dataset: "folder", data: "photographs" }],
      });
  });

  it("are what options say", () => {
    const options = {
      ...{ epochs: 3, steps: 5, learningRate: 0.5, microBatch: 1, minutes: 7, weights: "w.safetensors" },
      ...{ validateEvery: 2, pictureSize: 64, seed: 9, maxPixels: 99 },
    };
    expect(of({ ...options, batch: 4, validation: 0 })).toMatchObject({ ...options, batch: 4, keepBack: 0 });
    expect(of({ validation: 6 })).toMatchObject({ keepBack: 6 });
  });

  it("have crops of the side and number that is asked for, at the recipe's stages and scales", () => {
    const { crops = [] } = recipes.best;
    expect(of({ crop: 64 }).crops).toEqual(crops.map((stage) => ({ ...stage, side: 64 })));
    expect(of({ batch: 7 }).crops).toEqual(crops.map((stage) => ({ ...stage, batch: 7 })));
  });

  it("see classes at the picture's own scale, in crops near it", () => {
    const { scale, crops = [], sets } = of({ ...synthetic, classes: ["artery", "vein"] });
    expect([scale, sets]).toEqual([1, []]);
    for (const stage of crops) expect(stage.scale).toEqual([0.9, 1.1]);
    expect(of(synthetic)).toMatchObject({ scale: "auto", sets: [], crops: recipes.best.crops });
  });

  it("name each data set with its folder, and of which photographs and observer", () => {
    const two = { dataset: ["drive", "chase"], data: ["a", "b"] } as const;
    expect(of({ ...two, limit: 3, observer: "2nd" }).sets).toEqual([
      { dataset: "drive", data: "a", limit: 3, observer: "2nd" },
      { dataset: "chase", data: "b", limit: 3, observer: "2nd" },
    ]);
  });
});

it.each<[options: Partial<RunOptions>, message: string]>([
  [
    { dataset: undefined } as unknown as Partial<RunOptions>,
    "option '--dataset <kind>' not specified: what to train on",
  ],
  [
    { dataset: ["synthetic", "drive"], data: ["a"] },
    "option '--dataset synthetic' stands alone: it reads no folder and does not mix",
  ],
  [
    { dataset: ["synthetic"], data: ["a"] },
    "option '--dataset synthetic' stands alone: it reads no folder and does not mix",
  ],
  [
    { dataset: ["synthetic", "synthetic"], data: [] },
    "option '--dataset synthetic' stands alone: it reads no folder and does not mix",
  ],
  [
    { dataset: ["drive", "chase"], data: ["a"] },
    "option '--data <folder>' not specified: each of drive, chase needs one, in the same order",
  ],
  [
    { dataset: ["drive"], data: ["a", "b"] },
    "option '--data <folder>' given too often: each of drive needs one, in the same order",
  ],
  [
    { classes: ["artery"] },
    "option '--classes <names>' needs '--dataset synthetic': masks drawn by hand tell no classes apart",
  ],
  [
    { ...synthetic, observer: "2nd" },
    "option '--observer <name>' needs photographs: nobody drew synthetic pictures",
  ],
  [
    { recipe: "paper", crop: 64 },
    "option '--crop <n>' does not go with '--recipe paper', which shows pictures whole",
  ],
  [
    { ...synthetic, recipe: "paper" },
    "option '--recipe paper' needs photographs; synthetic pictures have no end",
  ],
  [
    { recipe: "paper", validation: 0 },
    "option '--recipe paper' follows the loss on images kept back: '--validation 0' leaves none",
  ],
])("%j do not go together", (options, message) => {
  expect(() => of(options)).toThrow(new UsageError(message));
});

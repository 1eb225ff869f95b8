// What a training run is made of: the options of the command with everything that they leave open filled in from the
// recipe. It is what config.json holds, so that `--resume` needs nothing else.

import type { DatasetKind } from "@saunet/data/files";
import { UsageError } from "./errors.ts";
import { CLASS_SCALE, type Recipe, type RecipeName, recipes } from "./recipes.ts";
import type { SetOfPictures } from "./training-data.ts";

/** Options of `saunet train` that make up a run. */
export interface RunOptions {
  readonly recipe: RecipeName;
  readonly dataset?: readonly (DatasetKind | "synthetic")[];
  readonly data?: readonly string[];
  /** Classes to be told apart, without the background. */
  readonly classes?: readonly string[];
  readonly network?: string;
  readonly weights?: string;
  readonly epochs?: number;
  readonly steps?: number;
  readonly batch?: number;
  readonly microBatch?: number;
  readonly crop?: number;
  readonly learningRate?: number;
  readonly validation?: number;
  readonly validateEvery: number;
  readonly pictureSize: number;
  readonly minutes?: number;
  readonly seed: number;
  readonly maxPixels: number;
  /** Of the data set: so many of its photographs, and whose vessels, where not the reference's. */
  readonly limit?: number;
  readonly observer?: string;
}

/** A run with all of its settings. */
export interface Settings extends Recipe {
  readonly recipe: RecipeName;
  /** Data sets that are mixed, each seen equally often; none means synthetic pictures. */
  readonly sets: readonly SetOfPictures[];
  /** Weights file that the run starts from. */
  readonly weights?: string;
  /** Pictures of each data set to keep back, or 0 for none; default: a tenth. */
  readonly keepBack?: number;
  readonly validateEvery: number;
  readonly pictureSize: number;
  readonly minutes?: number;
  readonly seed: number;
  readonly maxPixels: number;
}

/**
 * Fills in what the options leave open.
 *
 * @throws UsageError where options do not go together
 */
export function settingsOf(options: RunOptions): Settings {
  const { recipe: name, dataset: kinds, data, crop, batch, epochs, steps, learningRate } = options;
  const { weights, validation: keepBack, minutes } = options;
  const recipe = recipes[name];
  const { limit, observer } = options;
  const sets = setsOf(kinds, data).map((set) => ({
    ...set,
    ...(limit && { limit }),
    ...(observer && { observer }),
  }));
  if (options.classes !== undefined && sets.length > 0) {
    throw new UsageError(
      "option '--classes <names>' needs '--dataset synthetic': masks drawn by hand tell no classes apart",
    );
  }
  if (observer !== undefined && sets.length === 0) {
    throw new UsageError("option '--observer <name>' needs photographs: nobody drew synthetic pictures");
  }
  if (crop !== undefined && recipe.crops === undefined) {
    throw new UsageError(
      `option '--crop <n>' does not go with '--recipe ${name}', which shows pictures whole`,
    );
  }
  if (sets.length === 0 && recipe.crops === undefined) {
    throw new UsageError(`option '--recipe ${name}' needs photographs; synthetic pictures have no end`);
  }
  if (keepBack === 0 && recipe.schedule === "plateau") {
    throw new UsageError(
      `option '--recipe ${name}' follows the loss on images kept back: '--validation 0' leaves none`,
    );
  }
  const crops = recipe.crops?.map((stage) => ({
    ...stage,
    side: crop ?? stage.side,
    batch: batch ?? stage.batch,
    ...(options.classes && { scale: CLASS_SCALE }),
  }));
  return {
    recipe: name,
    ...recipe,
    sets,
    seed: options.seed,
    validateEvery: options.validateEvery,
    pictureSize: options.pictureSize,
    maxPixels: options.maxPixels,
    ...(options.classes && { scale: 1 }),
    ...(crops && { crops }),
    ...(batch && { batch }),
    ...(options.microBatch && { microBatch: options.microBatch }),
    ...(epochs && { epochs }),
    ...(steps && { steps }),
    ...(learningRate && { learningRate }),
    ...(weights && { weights }),
    ...(keepBack !== undefined && { keepBack }),
    ...(minutes && { minutes }),
  };
}

function setsOf(kinds: RunOptions["dataset"], data: RunOptions["data"] = []): SetOfPictures[] {
  if (kinds === undefined) throw new UsageError("option '--dataset <kind>' not specified: what to train on");
  const isSynthetic = kinds.includes("synthetic");
  if (isSynthetic && kinds.length + data.length > 1) {
    throw new UsageError("option '--dataset synthetic' stands alone: it reads no folder and does not mix");
  }
  if (isSynthetic) return [];
  if (kinds.length !== data.length) {
    const missing = data.length < kinds.length;
    throw new UsageError(
      `option '--data <folder>' ${missing ? "not specified" : "given too often"}: ` +
        `each of ${kinds.join(", ")} needs one, in the same order`,
    );
  }
  return kinds.map((dataset, i) => ({ dataset: dataset as DatasetKind, data: data[i] }));
}

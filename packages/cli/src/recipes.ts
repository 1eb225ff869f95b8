// Two ways to train, and one to adapt. docs/training.md says what each choice of `best` is worth.

import type { AugmentOptions } from "@saunet/data";

/** Crops of one size, until a share of the run is over. */
export interface CropStage {
  readonly until: number;
  readonly side: number;
  readonly batch: number;
  /** From the scale at which the segmenter would show a picture to the network, by factors from the first to the second. */
  readonly scale: readonly [number, number];
}

/** The choices that make up a way to train; command-line options replace some of them. */
export interface Recipe {
  readonly epochs: number;
  /** Steps an epoch; as many as show every picture once where left out. */
  readonly steps?: number;
  readonly learningRate: number;
  /** How large and how many crops are, in turn; whole pictures, `batch` at a time, where left out. */
  readonly crops?: readonly CropStage[];
  readonly batch: number;
  /** Pictures of a batch that are in memory at a time, see `TrainingRun.microBatch`; all of them where left out. */
  readonly microBatch?: number;
  /** A share of DropBlock other than the network's own. */
  readonly dropBlockRate?: number;
  readonly averageDecay?: number;
  readonly clipNorm?: number;
  readonly schedule: "cosine" | "plateau";
  /** What the weights ask for when they segment: see `SegmentOptions.scale`. */
  readonly scale: "auto" | 1;
  /** The figure, on the images kept back, that the best weights have the most of. */
  readonly select: "f1" | "accuracy";
  /** The weights that the run begins with are judged, too, and stay the best ones where no epoch does better. */
  readonly judgeStart?: true;
}

/** Names of the recipes. */
export type RecipeName = "best" | "paper" | "adapt";

/** Those that `saunet train` offers; `saunet adapt` has its own. */
export const TRAINING_RECIPES: readonly RecipeName[] = ["best", "paper"];

/** How crops of `best` vary: an eye may be turned and mirrored; cameras differ in light, colour, focus and grain. */
export const VARIATION: AugmentOptions = {
  orientations: true,
  rotation: 45,
  stretch: 0.15,
  brightness: 0.35,
  contrast: 0.5,
  gamma: 0.8,
  colour: 0.5,
  mixing: 0.8,
  illumination: 0.4,
  blur: 0.8,
  noise: 0.05,
};

/** How crops vary of which classes are told apart: what tells an artery from a vein is how bright and how wide it is. */
export const CLASS_VARIATION: AugmentOptions = { orientations: true, rotation: 45 };

/** Such crops lie near the scale of the picture itself, at which the network then sees it. */
export const CLASS_SCALE: readonly [number, number] = [0.9, 1.1];

/** Share of crops that are laid around a vessel; the others show whatever they show, such as rim and surround. */
export const AROUND_VESSEL = 0.7;

const best: Recipe = {
  epochs: 20,
  steps: 400,
  learningRate: 2e-3,
  crops: [
    { until: 0.25, side: 160, batch: 6, scale: [0.5, 1.5] },
    { until: 0.6, side: 256, batch: 3, scale: [0.6, 1.4] },
    { until: 0.85, side: 352, batch: 2, scale: [0.7, 1.3] },
    { until: 1, side: 576, batch: 1, scale: [0.8, 1.25] },
  ],
  batch: 3,
  dropBlockRate: 0,
  averageDecay: 0.998,
  clipNorm: 1,
  schedule: "cosine",
  scale: "auto",
  select: "f1",
};

export const recipes: Readonly<Record<RecipeName, Recipe>> = {
  best,
  // The end of `best`, short: what the network sees lies near the segmenter's scale, and the average forgets faster.
  adapt: {
    ...best,
    epochs: 6,
    steps: 60,
    learningRate: 1e-3,
    crops: [
      { until: 0.7, side: 256, batch: 3, scale: [0.8, 1.25] },
      { until: 1, side: 352, batch: 2, scale: [0.8, 1.25] },
    ],
    averageDecay: 0.98,
    judgeStart: true,
  },
  // Every constant as in the authors' notebooks for DRIVE: Adam at 1e-3, batches of 8 whole pictures, 150 epochs,
  // DropBlock 0.15, the checkpoint with the highest accuracy on validation.
  paper: {
    epochs: 150,
    learningRate: 1e-3,
    batch: 8,
    microBatch: 1,
    schedule: "plateau",
    scale: 1,
    select: "accuracy",
  },
};

/** The notebook's ReduceLROnPlateau and EarlyStopping on the validation's loss. */
export const PLATEAU = { factor: 0.5, patience: 10, minimum: 1e-6 } as const;
export const STOPPING = { patience: 20 } as const;

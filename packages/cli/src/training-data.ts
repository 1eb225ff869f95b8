// What a network is trained on: pictures to learn from, and whole pictures kept back to validate with.

import { permutation, randomState } from "@saunet/core";
import {
  type LabelledImage,
  labelledImage,
  type Mask,
  type Photograph,
  paperAugmentation,
  syntheticFundus,
} from "@saunet/data";
import { type DatasetKind, readDataset, type Sample } from "@saunet/data/files";
import {
  type BatchPlan,
  type Source,
  STREAMS,
  sourceOf,
  stateOfStep,
  syntheticSeed,
  type WholePictures,
} from "./batches.ts";
import { WorkError } from "./errors.ts";

/** A photograph with its labels, in memory as bytes: as floats a data set would take four times as much. */
export interface Picture {
  readonly id: string;
  readonly photograph: Photograph;
  readonly vessels: Mask;
  readonly fieldOfView: Mask;
}

/** A data set in a folder. */
export interface SetOfPictures {
  readonly dataset: DatasetKind;
  readonly data: string;
}

/** What training needs of its data sets. */
export interface TrainingData {
  /** Names of the pictures learned from; endless synthetic ones have none. */
  readonly training: readonly string[];
  readonly validation: readonly Picture[];
  readonly plan: BatchPlan;
  /** The pictures kept back as the paper's recipe sees them: augmented and padded. */
  readonly validationBatches?: WholePictures;
}

/** The part of a data set that is trained on. A plain folder has no parts; others keep their test images to themselves. */
export function trainingSamples({ dataset, data }: SetOfPictures): Promise<Sample[]> {
  return readDataset({ kind: dataset, directory: data, split: dataset === "folder" ? "all" : "train" });
}

/** Both eyes of a person have names that differ in L and R; they are kept back together or not at all. */
const personOf = (id: string): string => id.replace(/[_-]?[LR]$/i, "");

/**
 * Chooses pictures to keep back, by the seed, a person's all or none.
 *
 * @param count how many to keep back at least, or 0 for none; a tenth, at least one, when left out
 */
export function splitOff<T extends { readonly id: string }>(
  samples: readonly T[],
  count: number | undefined,
  seed: number,
): { readonly training: T[]; readonly validation: T[] } {
  const wanted = count ?? Math.ceil(samples.length / 10);
  const persons = [...new Set(samples.map(({ id }) => personOf(id)))];
  const order = permutation(persons.length, randomState(seed, STREAMS.split));
  const kept = new Set<string>();
  const isKept = ({ id }: T) => kept.has(personOf(id));
  for (const index of order) if (samples.filter(isKept).length < wanted) kept.add(persons[index]);
  const training = samples.filter((sample) => !isKept(sample));
  if (training.length === 0) {
    throw new WorkError(
      `${samples.length} training images are too few to keep ${wanted} back for validation and train on the rest`,
    );
  }
  return { training, validation: samples.filter(isKept) };
}

/** Reads a sample. */
export async function load(sample: Sample): Promise<Picture> {
  return {
    id: sample.id,
    vessels: await sample.vessels(),
    fieldOfView: await sample.fieldOfView(),
    photograph: await sample.image(),
  };
}

/** What all pictures of a run may take together: HRF and CHASE_DB1 need 1.1 GB, the 600 of FIVES at full size 17. */
const MEMORY = 6 * 2 ** 30;

/**
 * Ready for crops.
 *
 * @param count how many such pictures there are
 */
export const cropSource = ({ photograph, vessels, fieldOfView }: Picture, count: number): Source =>
  sourceOf(photograph, vessels, fieldOfView, MEMORY / count);

/** The paper's thirteen pictures of one, to be shown whole. */
export function paperPictures(
  { photograph, vessels, fieldOfView }: Picture,
  seed: number,
  number: number,
): LabelledImage[] {
  const random = stateOfStep(seed, STREAMS.pictures, number);
  return paperAugmentation(photograph, vessels, fieldOfView, random).map((variant) =>
    labelledImage(variant.photograph, variant.vessels, variant.fieldOfView),
  );
}

/** A side must be a multiple of this: so the paper's pictures of 584 rows become 592 x 592, and those of 700, 704 x 704. */
const SIDE_MULTIPLE = 16;

/** The square that holds every one of these pictures. */
export function sideOf(pictures: readonly { readonly width: number; readonly height: number }[]): number {
  const longest = Math.max(...pictures.map(({ width, height }) => Math.max(width, height)));
  return Math.ceil(longest / SIDE_MULTIPLE) * SIDE_MULTIPLE;
}

/** Synthetic pictures: endless ones to learn from, and some of their own to validate with. */
export function syntheticData(size: number, validation: number, seed: number): TrainingData {
  const kept = Array.from({ length: validation }, (_, i) => {
    const own = syntheticSeed(seed, -1 - i);
    const { image, vessels, fieldOfView } = syntheticFundus({ seed: own, width: size, height: size });
    return { id: `synthetic-${own}`, photograph: image, vessels, fieldOfView };
  });
  return { training: [], validation: kept, plan: { kind: "synthetic", seed, size } };
}

// What a network is trained on: batches of varied crops, and whole pictures kept back to validate with.

import { draw, permutation, type RandomState, randomState, Tensor } from "@saunet/core";
import {
  type AugmentOptions,
  augment,
  labelledImage,
  type Mask,
  type Photograph,
  syntheticFundus,
} from "@saunet/data";
import type { Sample } from "@saunet/data/files";
import type { Batch } from "@saunet/model";
import { WorkError } from "./errors.ts";

/** A photograph with its labels, in memory as bytes: as floats a data set would take four times as much. */
export interface Picture {
  readonly id: string;
  readonly photograph: Photograph;
  readonly vessels: Mask;
  readonly fieldOfView: Mask;
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

/** Pictures to learn from. */
export interface TrainingData {
  /** Names of the pictures learned from; endless synthetic ones have none. */
  readonly training: readonly string[];
  readonly validation: readonly Picture[];
  /** The picture for the next crop. */
  readonly pick: (random: RandomState) => Picture;
}

/** Streams of random numbers that one seed gives. */
export const STREAMS = { weights: 0, dropBlock: 1, crops: 2, split: 3, pictures: 4 } as const;

/**
 * Keeps some pictures back, chosen by the seed, and trains on the others.
 *
 * @param count how many to keep back; a tenth, at least one, when left out
 */
export function splitOff(images: readonly Picture[], count: number | undefined, seed: number): TrainingData {
  const kept = count ?? Math.ceil(images.length / 10);
  if (kept >= images.length) {
    throw new WorkError(
      `${images.length} training images are too few to keep ${kept} back for validation and train on the rest`,
    );
  }
  const order = permutation(images.length, randomState(seed, STREAMS.split));
  const part = (indices: number[]) => indices.sort((a, b) => a - b).map((index) => images[index]);
  const validation = part(order.slice(0, kept));
  const training = part(order.slice(kept));
  return {
    training: training.map(({ id }) => id),
    validation,
    pick: (random) => training[Math.floor(draw(random) * training.length)],
  };
}

/** The built-in picture of `saunet segment` and its like have smaller seeds: they are never trained on. */
const FIRST_SEED = 1000;
/** Pictures that crops are drawn from at a time. */
const SHELF = 8;
/** Crops taken between two new pictures: drawing one takes as long as training on a few crops. */
const CROPS_PER_PICTURE = 4;

/** Synthetic pictures without end: the oldest of a few gives way to a new one every few crops. */
export function syntheticData(size: number, validation: number, seed: number): TrainingData {
  const seeds = randomState(seed, STREAMS.pictures);
  const next = (): Picture => {
    const own = FIRST_SEED + Math.floor(draw(seeds) * 2 ** 24);
    const { image, vessels, fieldOfView } = syntheticFundus({ seed: own, width: size, height: size });
    return { id: `synthetic-${own}`, photograph: image, vessels, fieldOfView };
  };
  const kept = Array.from({ length: validation }, next);
  const shelf: Picture[] = [];
  let crops = 0;
  return {
    training: [],
    validation: kept,
    pick(random) {
      if (crops++ % CROPS_PER_PICTURE === 0) shelf.push(next());
      if (shelf.length > SHELF) shelf.shift();
      return shelf[Math.floor(draw(random) * shelf.length)];
    },
  };
}

/** How crops vary: an eye may be turned and mirrored, cameras differ in light and colour. */
const VARIATION: AugmentOptions = {
  holdsVessel: true,
  orientations: true,
  rotation: 45,
  scale: 0.2,
  brightness: 0.2,
  contrast: 0.2,
  gamma: 0.2,
  colour: 0.1,
};

/** A batch of `count` square crops. */
export function nextBatch({ pick }: TrainingData, count: number, side: number, random: RandomState): Batch {
  const x = new Float32Array(count * side * side * 3);
  const target = new Float32Array(count * side * side);
  for (let n = 0; n < count; n++) {
    const { photograph, vessels, fieldOfView } = pick(random);
    const labelled = labelledImage(photograph, vessels, fieldOfView);
    const crop = augment(labelled, { ...VARIATION, width: side, height: side }, random);
    x.set(crop.image, n * side * side * 3);
    target.set(crop.vessels, n * side * side);
  }
  return { x: new Tensor(x, [count, side, side, 3]), target: new Tensor(target, [count, side, side, 1]) };
}

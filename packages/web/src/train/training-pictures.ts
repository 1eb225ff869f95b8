// What the network learns from here: synthetic photographs without end, whose vessels are known exactly.

import { draw, type RandomState, randomState } from "@saunet/core";
import {
  type AugmentOptions,
  augment,
  type LabelledImage,
  labelledImage,
  type SyntheticFundus,
  syntheticFundus,
} from "@saunet/data";

/** Side of the photographs. */
const SIDE = 256;
/** Photographs that crops are taken from at a time, and crops between two new ones: drawing one takes a while. */
const SHELF = 12;
const CROPS_PER_PHOTOGRAPH = 16;
/** Smaller seeds are those of examples, which are never learned from. */
const FIRST_SEED = 1000;

/** Crops vary as eyes and cameras do. */
const VARIATION: AugmentOptions = {
  holdsVessel: true,
  orientations: true,
  rotation: 45,
  scale: [1 / 1.2, 1.2],
  brightness: 0.2,
  contrast: 0.2,
  gamma: 0.2,
  colour: 0.1,
};

/** A photograph with its truth. */
export const fundus = (seed: number): SyntheticFundus => syntheticFundus({ seed, width: SIDE, height: SIDE });

function labelledFundus(seed: number): LabelledImage {
  const { image, vessels, fieldOfView } = fundus(seed);
  return labelledImage(image, vessels, fieldOfView);
}

/** Crops `[count,side,side,3]` and how much of each pixel is vessel `[count,side,side,1]`, 0 … 1. */
export interface FlatBatch {
  readonly x: Float32Array<ArrayBuffer>;
  readonly target: Float32Array<ArrayBuffer>;
}

/** Batches without end; equal seeds give equal batches. */
export function syntheticBatches(seed: number, count: number, side: number): () => FlatBatch {
  const seeds = randomState(seed, 0);
  const crops = randomState(seed, 1);
  const shelf: LabelledImage[] = [];
  let taken = 0;
  const pick = (state: RandomState): LabelledImage => {
    if (taken++ % CROPS_PER_PHOTOGRAPH === 0)
      shelf.push(labelledFundus(FIRST_SEED + Math.floor(draw(seeds) * 2 ** 24)));
    if (shelf.length > SHELF) shelf.shift();
    return shelf[Math.floor(draw(state) * shelf.length)];
  };
  return () => {
    const x = new Float32Array(count * side * side * 3);
    const target = new Float32Array(count * side * side);
    for (let n = 0; n < count; n++) {
      const crop = augment(pick(crops), { ...VARIATION, width: side, height: side }, crops);
      x.set(crop.image, n * side * side * 3);
      target.set(crop.vessels, n * side * side);
    }
    return { x, target };
  };
}

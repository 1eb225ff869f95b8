// What the network learns from here: synthetic photographs without end, whose vessels are known exactly, or those of one's
// own.

import { draw, type RandomState, randomState } from "@saunet/core";
import {
  type AugmentOptions,
  augment,
  type Crop,
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

/** A photograph of one's own, and the factor at which the segmenter would show it to the network. */
export interface ScaledImage {
  readonly labelled: LabelledImage;
  readonly scale: number;
}

/** Crops vary in scale by these factors besides. */
const ZOOM = VARIATION.scale!;

/** Batches of photographs of one's own; each depends on seed and step alone. */
export function ownBatches(
  images: readonly ScaledImage[],
  seed: number,
  count: number,
  side: number,
): (step: number) => FlatBatch {
  return (step) => {
    const random = stateAt(seed, 1, step);
    return batchOfCrops(count, side, () => {
      const { labelled, scale } = images[Math.floor(draw(random) * images.length)];
      const options = { ...VARIATION, width: side, height: side };
      return augment(labelled, { ...options, scale: [ZOOM[0] * scale, ZOOM[1] * scale] }, random);
    });
  };
}

function batchOfCrops(count: number, side: number, crop: (n: number) => Crop): FlatBatch {
  const x = new Float32Array(count * side * side * 3);
  const target = new Float32Array(count * side * side);
  for (let n = 0; n < count; n++) {
    const { image, vessels } = crop(n);
    x.set(image, n * side * side * 3);
    target.set(vessels, n * side * side);
  }
  return { x, target };
}

/** The numbers of one step or photograph: its own 2^32 of the stream. */
function stateAt(seed: number, stream: number, index: number): RandomState {
  const state = randomState(seed, stream);
  state[3] = index;
  return state;
}

/**
 * The batch of a step. It depends on seed and step alone, so a run that is taken up again learns from what it would have
 * learned from. Steps in their order need a new photograph now and then; any other step draws a shelf of them.
 */
export function syntheticBatches(seed: number, count: number, side: number): (step: number) => FlatBatch {
  const shelf = new Map<number, LabelledImage>();
  const photograph = (index: number): LabelledImage => {
    const known = shelf.get(index);
    if (known !== undefined) return known;
    const own = FIRST_SEED + Math.floor(draw(stateAt(seed, 0, index)) * 2 ** 24);
    const drawn = labelledFundus(own);
    shelf.set(index, drawn);
    return drawn;
  };
  return (step) => {
    const random = stateAt(seed, 1, step);
    return batchOfCrops(count, side, (n) => {
      const newest = Math.floor((step * count + n) / CROPS_PER_PHOTOGRAPH);
      const oldest = Math.max(0, newest - SHELF + 1);
      for (const index of shelf.keys()) if (index < oldest || index > newest) shelf.delete(index);
      const chosen = oldest + Math.floor(draw(random) * (newest - oldest + 1));
      // The newest is drawn when its turn comes, so that no step draws two.
      photograph(newest);
      return augment(photograph(chosen), { ...VARIATION, width: side, height: side }, random);
    });
  };
}

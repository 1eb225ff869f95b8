// Batches to train on. Everything random about a batch comes from the seed and the number of its step, so it is the
// same whoever makes it, when, and in whatever order: a thread of its own, ahead of time, or a run that is taken up
// again.

import { draw, permutation, type RandomState, randomState, Tensor } from "@saunet/core";
import {
  type AugmentOptions,
  augment,
  bytesPerPixel,
  type ClassMap,
  type Crop,
  type LabelledImage,
  labelledImage,
  type Mask,
  type Photograph,
  SYNTHETIC_CLASSES,
  type SyntheticFundus,
  syntheticFundus,
} from "@saunet/data";
import { autoScale, type Batch } from "@saunet/model";
import { AROUND_VESSEL, CLASS_VARIATION, VARIATION } from "./recipes.ts";

/** Streams of random numbers that one seed gives. */
export const STREAMS = {
  weights: 0,
  dropBlock: 1,
  crops: 2,
  split: 3,
  pictures: 4,
  order: 5,
  choice: 6,
} as const;

/** The numbers of one step: its own 2^32 of the stream. */
export function stateOfStep(seed: number, stream: number, step: number): RandomState {
  const state = randomState(seed, stream);
  state[3] = step;
  return state;
}

/** A picture to cut crops from. */
export interface Source {
  readonly labelled: LabelledImage;
  /** Factor by which the segmenter would resize what `labelled` holds. */
  readonly scale: number;
}

/** Where batches come from. Plain data: it goes to another thread as it is. */
export type BatchPlan =
  | {
      readonly kind: "crops";
      readonly seed: number;
      /** Data sets, each seen equally often. */
      readonly sets: readonly (readonly Source[])[];
    }
  | {
      readonly kind: "synthetic";
      readonly seed: number;
      /** Side of the pictures. */
      readonly size: number;
      /** Classes that are told apart, the background first; vessels alone where left out. */
      readonly classes?: readonly string[] | undefined;
    }
  | (WholePictures & { readonly kind: "whole"; readonly seed: number });

/** Pictures that are shown whole. */
export interface WholePictures {
  readonly pictures: readonly LabelledImage[];
  /** Side of the square that they are padded to with black, at the bottom and on the right. */
  readonly side: number;
}

/** A batch that is wanted. */
export interface BatchRequest {
  readonly step: number;
  readonly batch: number;
  /** Of crops. */
  readonly side?: number;
  /** Of crops: factors by which the scale of the picture they are cut from varies. */
  readonly scale?: readonly [number, number];
}

/** A batch as flat arrays, `count` pictures of `side` x `side`; the target has a number per pixel, or one per class. */
export interface FlatBatch {
  readonly count: number;
  readonly side: number;
  readonly x: Float32Array;
  readonly target: Float32Array;
}

/**
 * Prepares a picture for crops. One that is finer than the network ever sees it is kept at half its size, and so is one that
 * would take more memory than it may.
 *
 * @param bytes that the picture may take
 * @param classes of the labels, the background included
 */
export function sourceOf(
  photograph: Photograph,
  vessels: Mask | ClassMap,
  fieldOfView: Mask,
  bytes = Number.POSITIVE_INFINITY,
  classes = 2,
): Source {
  const scale = autoScale(photograph);
  // All levels together take 4/3 of the first.
  const whole = (4 / 3) * bytesPerPixel(classes) * photograph.width * photograph.height;
  const forScale = Math.floor(-Math.log2(scale));
  const forMemory = Math.ceil(Math.log2(whole / bytes) / 2);
  const halvings = Math.max(0, forScale, forMemory);
  return {
    labelled: labelledImage(photograph, vessels, fieldOfView, { halvings, classes }),
    scale: scale * 2 ** halvings,
  };
}

/** A function that makes the batches of a plan. */
export function batchMaker(plan: BatchPlan): (request: BatchRequest) => FlatBatch {
  if (plan.kind === "whole") return (request) => wholePictures(plan, request);
  const pick =
    plan.kind === "synthetic"
      ? syntheticPictures(plan)
      : (_: number, random: RandomState) => anyOf(anyOf(plan.sets, random), random);
  const classes = plan.kind === "synthetic" ? plan.classes?.length : undefined;
  return ({ step, batch, side = 0, scale: [low, high] = [1, 1] }) => {
    const random = stateOfStep(plan.seed, STREAMS.crops, step);
    const flat = emptyBatch(batch, side, classes);
    for (let n = 0; n < batch; n++) {
      const { labelled, scale } = pick(step * batch + n, random);
      const options: AugmentOptions = {
        ...(classes === undefined ? VARIATION : CLASS_VARIATION),
        width: side,
        height: side,
        scale: classes === undefined ? [low * scale, high * scale] : [low, high],
        holdsVessel: draw(random) < AROUND_VESSEL,
      };
      const crop = augment(labelled, options, random);
      put(flat, n, crop.image, classes === undefined ? crop.vessels : sharesOf(crop));
    }
    return flat;
  };
}

function emptyBatch(count: number, side: number, classes = 1): FlatBatch {
  return {
    count,
    side,
    x: new Float32Array(count * side * side * 3),
    target: new Float32Array(count * side * side * classes),
  };
}

function put({ x, target }: FlatBatch, n: number, image: Float32Array, labels: Float32Array): void {
  x.set(image, n * image.length);
  target.set(labels, n * labels.length);
}

/** How much of each pixel is of each class, the background first: what no other class takes. */
function sharesOf({ vessels, labels }: Crop): Float32Array {
  const kinds = labels.length / vessels.length;
  const shares = new Float32Array(vessels.length + labels.length);
  for (let pixel = 0; pixel < vessels.length; pixel++) {
    shares[pixel * (kinds + 1)] = 1 - vessels[pixel];
    for (let kind = 0; kind < kinds; kind++)
      shares[pixel * (kinds + 1) + 1 + kind] = labels[pixel * kinds + kind];
  }
  return shares;
}

const anyOf = <T>(list: readonly T[], random: RandomState): T => list[Math.floor(draw(random) * list.length)];

/** Pictures of an epoch in random order, `batch` at a time. */
function wholePictures(
  { seed, pictures, side }: BatchPlan & { kind: "whole" },
  { step, batch }: BatchRequest,
): FlatBatch {
  const stepsPerEpoch = Math.ceil(pictures.length / batch);
  const epoch = Math.floor(step / stepsPerEpoch);
  const order = permutation(pictures.length, stateOfStep(seed, STREAMS.order, epoch));
  const first = (step % stepsPerEpoch) * batch;
  return paddedBatch(
    order.slice(first, first + batch).map((index) => pictures[index]),
    side,
  );
}

/** Pictures as they are, each in the top left corner of a black square. */
export function paddedBatch(pictures: readonly LabelledImage[], side: number): FlatBatch {
  const flat = emptyBatch(pictures.length, side);
  pictures.forEach((picture, n) => {
    const { image, vessels } = padded(picture, side);
    put(flat, n, image, vessels);
  });
  return flat;
}

function padded({ levels: [{ width, height, pixels }] }: LabelledImage, side: number) {
  const image = new Float32Array(side * side * 3);
  const vessels = new Float32Array(side * side);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const from = (y * width + x) * bytesPerPixel();
      const to = y * side + x;
      for (let c = 0; c < 3; c++) image[3 * to + c] = pixels[from + c] / 255;
      vessels[to] = pixels[from + 3] / 255;
    }
  return { image, vessels };
}

/** The built-in picture of `saunet segment` and its like have smaller seeds: they are never trained on. */
const FIRST_SEED = 1000;
/** Synthetic pictures that crops are cut from at a time ... */
const SHELF = 8;
/** ... and crops between two new ones: drawing a picture takes as long as training on a few crops. */
const CROPS_PER_PICTURE = 4;

/** The seed of a synthetic picture by its number; those to validate with have numbers of their own below 0. */
export function syntheticSeed(seed: number, number: number): number {
  const random = stateOfStep(seed, STREAMS.pictures, number + 2 ** 16);
  return FIRST_SEED + Math.floor(draw(random) * 2 ** 24);
}

/** The true classes of a synthetic picture, by their places among `names`; what is not among them is background. */
export function classMapOf({ classes }: SyntheticFundus, names: readonly string[]): ClassMap {
  const numbers = SYNTHETIC_CLASSES.map((name) => Math.max(0, names.indexOf(name)));
  return { ...classes, data: classes.data.map((kind) => numbers[kind]) };
}

/** Synthetic pictures without end: a few at a time, the oldest of which gives way to a new one every few crops. */
export function syntheticPictures({ seed, size, classes }: Omit<BatchPlan & { kind: "synthetic" }, "kind">) {
  const shelf = new Map<number, Source>();
  return (crop: number, random: RandomState): Source => {
    const oldest = Math.floor(crop / CROPS_PER_PICTURE);
    const number = oldest + Math.floor(draw(random) * SHELF);
    for (const old of shelf.keys()) if (old < oldest) shelf.delete(old);
    const known = shelf.get(number);
    if (known !== undefined) return known;
    const fundus = syntheticFundus({ seed: syntheticSeed(seed, number), width: size, height: size });
    const labels = classes === undefined ? fundus.vessels : classMapOf(fundus, classes);
    const source = sourceOf(fundus.image, labels, fundus.fieldOfView, undefined, classes?.length);
    shelf.set(number, source);
    return source;
  };
}

/** What a worker thread receives at its start. */
export interface WorkerPlan {
  readonly plan: BatchPlan;
}

/** A batch as a network takes it. */
export function tensorsOf({ count, side, x, target }: FlatBatch): Batch {
  const channels = target.length / (count * side * side);
  return {
    x: new Tensor(x, [count, side, side, 3]),
    target: new Tensor(target, [count, side, side, channels]),
  };
}

// What a network is trained on: pictures to learn from, and whole pictures kept back to validate with.

import { readFile } from "node:fs/promises";
import { permutation, randomState } from "@saunet/core";
import {
  type ClassMap,
  type LabelledImage,
  labelledImage,
  type Mask,
  type Photograph,
  paperAugmentation,
  syntheticFundus,
} from "@saunet/data";
import type { DatasetKind, Sample } from "@saunet/data/files";
import {
  type BatchPlan,
  classMapOf,
  type Source,
  STREAMS,
  sourceOf,
  stateOfStep,
  syntheticSeed,
  type WholePictures,
} from "./batches.ts";
import { WorkError } from "./errors.ts";
import { sha256, withFile } from "./files.ts";
import { labelledSamples, seenBy } from "./labelled.ts";
import { counted, type Host, progress } from "./output.ts";
import type { Contents } from "./run-config.ts";
import type { Settings } from "./settings.ts";

/** A photograph with its labels, in memory as bytes: as floats a data set would take four times as much. */
export interface Picture {
  readonly id: string;
  readonly photograph: Photograph;
  readonly vessels: Mask;
  /** Where classes are told apart: their numbers. */
  readonly classes?: ClassMap;
  readonly fieldOfView: Mask;
}

/** A data set in a folder. */
export interface SetOfPictures {
  readonly dataset: DatasetKind;
  readonly data: string;
  /** So many of its photographs, chosen by the run's seed; all when left out. */
  readonly limit?: number;
  /** Whose vessels are learned, or all observers'; the reference's when left out. */
  readonly observer?: string;
}

/** SHA-256 of each picture's files, in the order of the names. */
export type PictureContents = Omit<Contents, "weights">;

/** What training needs of its data sets. */
export interface TrainingData {
  /** Names of the pictures learned from; endless synthetic ones have none. */
  readonly training: readonly string[];
  readonly validation: readonly Picture[];
  /** Of the files of every picture; synthetic ones have none. */
  readonly contents: PictureContents;
  readonly plan: BatchPlan;
  /** The pictures kept back as the paper's recipe sees them: augmented and padded. */
  readonly validationBatches?: WholePictures;
}

/** Every observer counts: a photograph stands in the list once for each who drew its vessels. */
export const ALL_OBSERVERS = "all";

/** What stands between the name of a photograph and that of the observer, where every observer counts. */
const BY = ", drawn by ";

/** The photograph that a name is of, whoever drew the vessels. */
const photographOf = (id: string): string => id.split(BY)[0];

/**
 * The part of a data set that is trained on. A plain folder has no parts; others keep their test images to themselves.
 *
 * @throws DatasetError where the folder cannot be read; WorkError where it has too few, or the observer did not draw one of them
 */
export async function trainingSamples({ data, ...set }: SetOfPictures, seed: number): Promise<Sample[]> {
  if (set.observer !== ALL_OBSERVERS) return labelledSamples(data, set, seed);
  const { observer: _, ...anyone } = set;
  const samples = await labelledSamples(data, anyone, seed);
  return samples.flatMap((sample) =>
    sample.observers.map((who) => ({ ...seenBy(sample, who), id: `${sample.id}${BY}${who}` })),
  );
}

/** Both eyes of a person have names that differ in L and R; they are kept back together or not at all, whoever drew them. */
const personOf = (id: string): string => photographOf(id).replace(/[_-]?[LR]$/i, "");

/**
 * Chooses pictures to keep back, by the seed, a person's all or none.
 *
 * @param count how many to keep back at least, or 0 for none; default: a tenth, at least one
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
      `${counted(samples.length, "training image")}: too few to keep ${wanted} back for validation and train on the rest`,
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
export function syntheticData(
  size: number,
  validation: number,
  seed: number,
  classes?: readonly string[],
): TrainingData {
  const kept = Array.from({ length: validation }, (_, i) => {
    const own = syntheticSeed(seed, -1 - i);
    const fundus = syntheticFundus({ seed: own, width: size, height: size });
    const { image, vessels, fieldOfView } = fundus;
    return {
      ...{ id: `synthetic-${own}`, photograph: image, vessels, fieldOfView },
      ...(classes && { classes: classMapOf(fundus, classes) }),
    };
  });
  const contents = { training: [], validation: [] };
  return { training: [], validation: kept, contents, plan: { kind: "synthetic", seed, size, classes } };
}

/** Synthetic pictures to validate with where their number is not given. */
const SYNTHETIC_VALIDATION = 2;

/**
 * Reads what a run trains on, and keeps pictures back to validate with.
 *
 * @param classes that the network tells apart, the background first; only synthetic pictures know them
 * @throws WorkError, DatasetError where a data set cannot be read
 */
export async function openTrainingData(
  settings: Settings,
  host: Host,
  classes?: readonly string[],
): Promise<TrainingData> {
  const { sets, keepBack, pictureSize, seed, crops } = settings;
  if (sets.length === 0) return syntheticData(pictureSize, keepBack ?? SYNTHETIC_VALIDATION, seed, classes);
  await refuseLarge(settings, host);
  if (crops !== undefined) {
    const parts = await readSets(settings, host, cropSource);
    refuseEmpty(parts);
    const plan = { kind: "crops", seed, sets: parts.map(({ prepared }) => prepared) } as const;
    return { ...namesOf(parts), plan };
  }
  let number = 0;
  const augmented = (picture: Picture) => paperPictures(picture, seed, number++);
  const parts = await readSets(settings, host, augmented);
  refuseEmpty(parts);
  const names = namesOf(parts);
  const training = parts.flatMap(({ prepared }) => prepared).flat();
  const validation = names.validation.flatMap(augmented);
  const side = sideOf([...training, ...validation]);
  return {
    ...names,
    plan: { kind: "whole", seed, pictures: training, side },
    validationBatches: { pictures: validation, side },
  };
}

/** Of a handful a tenth is too little to decide by. */
const aThird = (photographs: number): number => Math.max(1, Math.floor(photographs / 3));

/** What was read of one data set. */
interface Part<T> {
  readonly training: readonly string[];
  readonly prepared: readonly T[];
  /** Whether one of the photographs to train on has a vessel. */
  readonly hasVessels: boolean;
  readonly validation: readonly Picture[];
  readonly contents: PictureContents;
}

const namesOf = (parts: readonly Part<unknown>[]) => ({
  training: parts.flatMap(({ training }) => training),
  validation: parts.flatMap(({ validation }) => validation),
  contents: {
    training: parts.flatMap(({ contents }) => contents.training),
    validation: parts.flatMap(({ contents }) => contents.validation),
  },
});

const holdsVessel = ({ vessels }: Picture): boolean => vessels.data.includes(1);

/** A single photograph without vessels may be right; where all are, the masks are of something else, or were lost. */
function refuseEmpty(parts: readonly Part<unknown>[]): void {
  if (!parts.some(({ hasVessels }) => hasVessels))
    throw new WorkError("no photograph to train on has a vessel in its mask");
  const validation = parts.flatMap((part) => part.validation);
  if (validation.length > 0 && !validation.some(holdsVessel))
    throw new WorkError(
      `none of the photographs kept back (${validation.map(({ id }) => id).join(", ")}) has a vessel in its mask, so they decide nothing; another --seed keeps others back`,
    );
}

/** Reads data sets; of the pictures to train on it keeps what `prepare` makes of them, and nothing else; `count` is how many there are. */
async function readSets<T>(
  { sets, keepBack, seed, judgeStart }: Settings,
  host: Host,
  prepare: (picture: Picture, count: number) => T,
): Promise<Part<T>[]> {
  const parts: Part<T>[] = [];
  for (const set of sets) {
    parts.push(
      await withFile(host, set.data, async (directory) => {
        const samples = await trainingSamples({ ...set, data: directory }, seed);
        const { training, validation } = splitOff(
          samples,
          keepBack ?? (judgeStart ? aThird(samples.length) : undefined),
          seed,
        );
        const bar = progress(host, samples.length);
        try {
          const read = async (sample: Sample): Promise<Picture> => {
            bar.advance(`reading ${sample.id}`);
            return load(sample);
          };
          const prepared: T[] = [];
          const count = training.length * sets.length;
          let hasVessels = false;
          for (const sample of training) {
            const picture = await read(sample);
            hasVessels ||= holdsVessel(picture);
            prepared.push(prepare(picture, count));
          }
          const kept: Picture[] = [];
          for (const sample of validation) kept.push(await read(sample));
          const contents = { training: await contentsOf(training), validation: await contentsOf(validation) };
          return { training: training.map(({ id }) => id), prepared, hasVessels, validation: kept, contents };
        } finally {
          bar.stop();
        }
      }),
    );
  }
  return parts;
}

/** Sizes of all photographs, from the headers of their files: what is too large is known before anything is decoded. */
async function refuseLarge({ sets, maxPixels, seed }: Settings, host: Host): Promise<void> {
  for (const set of sets) {
    await withFile(host, set.data, async (directory) => {
      for (const sample of await trainingSamples({ ...set, data: directory }, seed)) {
        const { width, height } = await sample.size();
        if (width * height <= maxPixels) continue;
        throw new WorkError(
          `${sample.id} has ${width} x ${height} pixels; the limit is ${maxPixels} (--max-pixels)`,
        );
      }
    });
  }
}

/** SHA-256 of the files that training reads of each sample: hashed one by one, and then their hashes together. */
async function contentsOf(samples: readonly Sample[]): Promise<string[]> {
  const contents: string[] = [];
  for (const { files, observers } of samples) {
    const hashes: string[] = [];
    for (const path of [files.image, files.vessels[observers[0]], files.fieldOfView])
      if (path !== undefined) hashes.push(sha256(await readFile(path)));
    contents.push(sha256(hashes.join("\n")));
  }
  return contents;
}

// One file a data set; here they come together.

import { chaseFiles } from "./chase.ts";
import { driveFiles } from "./drive.ts";
import { fivesFiles } from "./fives.ts";
import { folderFiles } from "./folder.ts";
import { hrfFiles } from "./hrf.ts";
import { filesOf, picturesByStem, type Sample, type SampleFiles, type Split, sampleOf } from "./sample.ts";
import { stareFiles } from "./stare.ts";

export { filesOf, picturesByStem, type Sample, type SampleFiles, type Split };

/** Data sets that are known: CHASE_DB1, HRF, DRIVE, STARE, FIVES, and a plain folder of images and masks. */
export type DatasetKind = "chase" | "hrf" | "drive" | "stare" | "fives" | "folder";

const READERS: Readonly<Record<DatasetKind, (directory: string, split: Split) => Promise<SampleFiles[]>>> = {
  chase: chaseFiles,
  hrf: hrfFiles,
  drive: driveFiles,
  stare: stareFiles,
  fives: fivesFiles,
  folder: folderFiles,
};

/** The names of the known data sets. */
export const DATASET_KINDS = Object.keys(READERS) as DatasetKind[];

const SPLITS: readonly Split[] = ["train", "test", "all"];

/** Which data set to read, and which part of it. */
export interface DatasetOptions {
  readonly kind: DatasetKind;
  readonly directory: string;
  /** Default `"all"`; a plain folder has no other part. */
  readonly split?: Split;
  /** Pictures with more pixels are refused when they are asked for, before anything is decoded; default: 100 million. */
  readonly maxPixels?: number;
}

/**
 * Lists the samples of a data set in name order. Their pictures are read when asked for.
 *
 * @throws DatasetError where the folder does not look as the data set must, saying how that is
 * @throws RangeError on a kind or split that is not known
 * @example
 * import { mkdirSync } from "node:fs";
 * import { syntheticFundus } from "@saunet/data";
 * import { readDataset, writePng } from "@saunet/data/files";
 *
 * for (const part of ["images", "masks"]) mkdirSync(`own/${part}`, { recursive: true });
 * const { image, vessels } = syntheticFundus({ seed: 1, width: 48, height: 40 });
 * await writePng("own/images/1.png", image);
 * await writePng("own/masks/1.png", vessels);
 * for (const sample of await readDataset({ kind: "folder", directory: "own" })) {
 *   console.log(sample.id, (await sample.image()).width); // 1 48
 * }
 */
export async function readDataset({
  kind,
  directory,
  split = "all",
  ...options
}: DatasetOptions): Promise<Sample[]> {
  expectOneOf("kind", kind, DATASET_KINDS);
  expectOneOf("split", split, SPLITS);
  return (await READERS[kind](directory, split)).map((files) => sampleOf(files, options));
}

function expectOneOf(name: string, value: string, known: readonly string[]): void {
  if (known.includes(value)) return;
  throw new RangeError(`readDataset: ${name} must be ${known.join(" or ")} but is ${value}`);
}

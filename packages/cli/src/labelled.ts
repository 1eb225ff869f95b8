// A few labelled photographs of a data set: so many, chosen by the seed, with the vessels as one observer drew them.

import { permutation, randomState } from "@saunet/core";
import { type DatasetKind, readDataset, type Sample, type Split } from "@saunet/data/files";
import { STREAMS } from "./batches.ts";
import { WorkError } from "./errors.ts";
import { counted } from "./output.ts";

/** Which photographs of a data set. */
export interface LabelledOptions {
  readonly dataset: DatasetKind;
  /** What is trained on, or all of a plain folder, when left out. */
  readonly split?: Split;
  /** How many; all when left out. */
  readonly limit?: number;
  /** The observer whose vessels count; the reference when left out. */
  readonly observer?: string;
  readonly maxPixels?: number;
}

/**
 * Lists them in name order.
 *
 * @throws DatasetError where the folder cannot be read; WorkError where it has too few, or the observer did not draw one of them
 */
export async function labelledSamples(
  directory: string,
  { dataset, split, limit, observer, maxPixels }: LabelledOptions,
  seed: number,
): Promise<Sample[]> {
  const part = split ?? (dataset === "folder" ? "all" : "train");
  const options = { kind: dataset, directory, split: part, ...(maxPixels && { maxPixels }) };
  const all = await readDataset(options);
  if (limit !== undefined && limit > all.length) {
    throw new WorkError(`has ${counted(all.length, "labelled photograph")}, but --limit asks for ${limit}`);
  }
  const chosen = new Set(permutation(all.length, randomState(seed, STREAMS.choice)).slice(0, limit));
  const some = all.filter((_, i) => chosen.has(i));
  return observer === undefined ? some : some.map((sample) => seenBy(sample, observer));
}

/** The same with another observer for the reference. */
export function seenBy(sample: Sample, observer: string): Sample {
  const { id, observers } = sample;
  if (!observers.includes(observer)) {
    throw new WorkError(
      `${id} has no vessels of observer ${observer}; there ${observers.length === 1 ? "is" : "are"} ${observers.join(", ")}`,
    );
  }
  return {
    ...sample,
    observers: [observer, ...observers.filter((other) => other !== observer)],
    vessels: (who = observer) => sample.vessels(who),
  };
}

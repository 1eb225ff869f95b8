// FIVES (Jin et al., Scientific Data 9, 2022): 800 photographs of 2048 x 2048, 200 each of healthy eyes, age-related
// macular degeneration, diabetic retinopathy and glaucoma, with the split that its authors made: 600 train, 200 test.
// One label a photograph, no masks of the field of view.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatasetError } from "../errors.ts";
import { expectMatch, picturesByStem, type SampleFiles, type Split } from "./sample.ts";

const IMAGES = "Original";
const LABELS = "Ground truth";

const LAYOUT =
  `FIVES is one folder with train/${IMAGES}/1_A.png …, train/${LABELS}/1_A.png …, test/${IMAGES}/… and test/${LABELS}/…; ` +
  "figshare gives it out under the name of its paper, Scientific Data 9, 475";

/** The files of FIVES in a folder. Both parts number their pictures from 1, so an id begins with its part. */
export async function fivesFiles(directory: string, split: Split): Promise<SampleFiles[]> {
  const parts = { train: ["train"], test: ["test"], all: ["train", "test"] }[split];
  const samples = await Promise.all(parts.map((part) => partFiles(directory, part)));
  return samples.flat();
}

async function partFiles(directory: string, part: string): Promise<SampleFiles[]> {
  for (const kind of [IMAGES, LABELS]) {
    if (!existsSync(join(directory, part, kind))) {
      throw new DatasetError(directory, `${part}/${kind}/ missing: ${LAYOUT}`);
    }
  }
  const images = await picturesByStem(join(directory, part, IMAGES));
  const labels = await picturesByStem(join(directory, part, LABELS));
  if (images.size === 0) throw new DatasetError(directory, `${part}/${IMAGES}/ is empty: ${LAYOUT}`);
  expectMatch(join(directory, part), [IMAGES, images], [LABELS, labels]);
  return [...images].map(([stem, image]) => ({
    id: `${part}/${stem}`,
    image,
    vessels: { [LABELS]: labels.get(stem) },
  }));
}

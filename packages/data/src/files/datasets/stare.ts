// STARE (Hoover et al., IEEE Transactions on Medical Imaging 19(3), 2000): 20 photographs of 700 x 605, two observers (ah is
// the reference, as in the literature), no masks of the field of view.
//
// The set has no split of its own. Most papers leave one picture out at a time, which costs 20 trainings; SA-UNetv2
// trains on 16 and tests on 4, whose names it does not give. Here the last 4 in name order test, so that everybody
// tests on the same ones. Four pictures are few: look at the interval, not at the fourth digit.

import { join } from "node:path";
import { officialFiles } from "./official.ts";
import type { SampleFiles, Split } from "./sample.ts";

const NUMBERS = [
  ...["0001", "0002", "0003", "0004", "0005", "0044", "0077", "0081", "0082", "0139"],
  ...["0162", "0163", "0235", "0236", "0239", "0240", "0255", "0291", "0319", "0324"],
];
const TRAINING = 16;

/** The archives unpack to these, or straight into one folder. */
const FOLDERS = [".", "stare-images", "labels-ah", "labels-vk"];

const LAYOUT =
  "STARE is one folder with im0001.ppm …, im0001.ah.ppm … (the reference) and im0001.vk.ppm …, each perhaps gzipped, or " +
  "with these in stare-images/, labels-ah/ and labels-vk/; the STARE project of Clemson University gives it out";

/** The files of STARE in a folder. */
export async function stareFiles(directory: string, split: Split): Promise<SampleFiles[]> {
  const files = await officialFiles(directory, FOLDERS, LAYOUT);
  const placesOf = (name: string) =>
    FOLDERS.flatMap((folder) => [join(folder, name), join(folder, `${name}.gz`)]);
  const chosen = { train: NUMBERS.slice(0, TRAINING), test: NUMBERS.slice(TRAINING), all: NUMBERS }[split];
  const samples = chosen.map((number) => ({
    id: `im${number}`,
    image: files.required(...placesOf(`im${number}.ppm`)),
    vessels: {
      ah: files.required(...placesOf(`im${number}.ah.ppm`)),
      vk: files.optional(...placesOf(`im${number}.vk.ppm`)),
    },
  }));
  files.expectComplete();
  return samples;
}

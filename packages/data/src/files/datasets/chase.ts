// CHASE_DB1 (Fraz et al., IEEE Transactions on Biomedical Engineering 59(9), 2012): both eyes of 14 children, 999 x 960,
// two observers, no masks of the field of view. The first 20 pictures train, the last 8 test, as in the literature.

import { numbers, officialFiles } from "./official.ts";
import type { SampleFiles, Split } from "./sample.ts";

const TRAINING = 20;

const LAYOUT =
  "CHASE_DB1 is one folder with Image_01L.jpg … Image_14R.jpg and, beside each, Image_01L_1stHO.png (the reference) " +
  "and Image_01L_2ndHO.png; Kingston University gives it out on its CHASE_DB1 page";

/** The files of CHASE_DB1 in a folder. */
export async function chaseFiles(directory: string, split: Split): Promise<SampleFiles[]> {
  const ids = numbers(1, 14, 2).flatMap((child) => [`Image_${child}L`, `Image_${child}R`]);
  const chosen = { train: ids.slice(0, TRAINING), test: ids.slice(TRAINING), all: ids }[split];
  const files = await officialFiles(directory, ["."], LAYOUT);
  const samples = chosen.map((id) => ({
    id,
    image: files.required(`${id}.jpg`),
    vessels: {
      "1stHO": files.required(`${id}_1stHO.png`),
      "2ndHO": files.optional(`${id}_2ndHO.png`),
    },
  }));
  files.expectComplete();
  return samples;
}

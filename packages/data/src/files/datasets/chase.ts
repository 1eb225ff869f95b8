// CHASE_DB1 (Fraz et al., IEEE Transactions on Biomedical Engineering 59(9), 2012): both eyes of 14 children, 999 x 960,
// two observers, no masks of the field of view. The first 20 pictures train, the last 8 test, as in the literature.

import { join } from "node:path";
import { DatasetError } from "../errors.ts";
import { listFiles, nameSome, type SampleFiles, type Split } from "./sample.ts";

const OBSERVERS = ["1stHO", "2ndHO"];
const TRAINING = 20;

const LAYOUT =
  "CHASE_DB1 is one folder with Image_01L.jpg … Image_14R.jpg and, beside each, Image_01L_1stHO.png (the reference) " +
  "and Image_01L_2ndHO.png; Kingston University gives it out on its CHASE_DB1 page";

/** The files of CHASE_DB1 in a folder. */
export async function chaseFiles(directory: string, split: Split): Promise<SampleFiles[]> {
  const present = new Set(await listFiles(directory));
  const ids = Array.from({ length: 28 }, (_, i) => {
    const child = String(Math.floor(i / 2) + 1).padStart(2, "0");
    return `Image_${child}${i % 2 === 0 ? "L" : "R"}`;
  });
  const wanted = ids.flatMap((id) => [`${id}.jpg`, `${id}_${OBSERVERS[0]}.png`]);
  const missing = wanted.filter((file) => !present.has(file));
  if (missing.length > 0) throw new DatasetError(directory, `${nameSome(missing)} missing: ${LAYOUT}`);
  const chosen = { train: ids.slice(0, TRAINING), test: ids.slice(TRAINING), all: ids }[split];
  return chosen.map((id) => ({
    id,
    image: join(directory, `${id}.jpg`),
    vessels: Object.fromEntries(
      OBSERVERS.map((observer) => [observer, `${id}_${observer}.png`] as const)
        .filter(([, file]) => present.has(file))
        .map(([observer, file]) => [observer, join(directory, file)]),
    ),
  }));
}

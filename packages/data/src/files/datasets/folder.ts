// A folder of one's own: images/ and masks/, masks2/ where there is a second observer, and fov/ where there are masks of
// the field of view, matched by name.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatasetError } from "../errors.ts";
import { expectMatch, picturesByStem, type SampleFiles, type Split } from "./sample.ts";

const LAYOUT =
  "a data set of one's own is a folder with images/a.jpg …, masks/a.png … and perhaps masks2/a.png … (a second observer), fov/a.png …";

/** The files of a plain folder; it has no split. */
export async function folderFiles(directory: string, split: Split): Promise<SampleFiles[]> {
  if (split !== "all") {
    throw new DatasetError(
      directory,
      `a plain folder has no ${split} part; keep one folder for each and read all of it`,
    );
  }
  for (const part of ["images", "masks"]) {
    if (!existsSync(join(directory, part))) throw new DatasetError(directory, `${part}/ missing: ${LAYOUT}`);
  }
  const images = await picturesByStem(join(directory, "images"));
  if (images.size === 0) throw new DatasetError(directory, `images/ is empty: ${LAYOUT}`);
  const matching = async (part: string) => {
    const pictures = await picturesByStem(join(directory, part));
    expectMatch(directory, ["images", images], [part, pictures]);
    return pictures;
  };
  const matchingIfAny = async (part: string) =>
    existsSync(join(directory, part)) ? matching(part) : undefined;
  const masks = await matching("masks");
  const second = await matchingIfAny("masks2");
  const fields = await matchingIfAny("fov");
  return [...images].map(([id, image]) => ({
    id,
    image,
    vessels: { masks: masks.get(id), masks2: second?.get(id) },
    fieldOfView: fields?.get(id),
  }));
}

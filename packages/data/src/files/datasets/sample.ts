// What every data set comes down to, and what reading one needs.

import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { fieldOfView } from "../../field-of-view.ts";
import type { Mask, Photograph } from "../../image.ts";
import { NOT_A_PICTURE } from "../decode.ts";
import { DatasetError, ImageFileError, systemReason } from "../errors.ts";
import type { ReadOptions } from "../open-picture.ts";
import { readMask, readPhotograph, readSize } from "../read.ts";

/** One photograph with its labels. Nothing is read before it is asked for, and nothing is kept. */
export interface Sample {
  /** The name that the data set knows it by. */
  readonly id: string;
  /** Those who drew the vessels; the first is the reference. */
  readonly observers: readonly string[];
  /** What is read. */
  readonly files: SampleFiles;
  /** Size of the photograph, from the header of its file. */
  size(): Promise<{ readonly width: number; readonly height: number }>;
  /** Reads the photograph. */
  image(): Promise<Photograph>;
  /** Reads the vessels as one observer drew them; default: as the reference did. */
  vessels(observer?: string): Promise<Mask>;
  /** Reads the field of view, or finds it where the data set has none. */
  fieldOfView(): Promise<Mask>;
}

/** The parts of a data set: what to train on, what to test on. */
export type Split = "train" | "test" | "all";

/** Where the files of one sample lie. */
export interface SampleFiles {
  readonly id: string;
  readonly image: string;
  /** Path by observer, the reference first; undefined where an observer did not draw this one. */
  readonly vessels: Readonly<Record<string, string | undefined>>;
  readonly fieldOfView?: string | undefined;
}

/**
 * Every file that belongs to a sample.
 *
 * @example
 * import { mkdirSync } from "node:fs";
 * import { syntheticFundus } from "@saunet/data";
 * import { filesOf, readDataset, writePng } from "@saunet/data/files";
 *
 * for (const part of ["images", "masks"]) mkdirSync(`listed/${part}`, { recursive: true });
 * const { image, vessels } = syntheticFundus({ seed: 1, width: 48, height: 40 });
 * await writePng("listed/images/1.png", image);
 * await writePng("listed/masks/1.png", vessels);
 * const [sample] = await readDataset({ kind: "folder", directory: "listed" });
 * console.log(filesOf(sample).length); // 2
 */
export function filesOf({ files: { image, vessels, fieldOfView } }: Sample): string[] {
  return [image, ...Object.values(vessels), fieldOfView].filter((path) => path !== undefined);
}

/** A sample that reads these files. */
export function sampleOf(files: SampleFiles, options: ReadOptions = {}): Sample {
  const observers = Object.keys(files.vessels).filter((observer) => files.vessels[observer] !== undefined);
  return {
    id: files.id,
    observers,
    files,
    size: () => readSize(files.image, options),
    image: () => readPhotograph(files.image, options),
    vessels: async (observer = observers[0]) => {
      const path = files.vessels[observer];
      if (path === undefined) {
        throw new RangeError(
          `vessels: observer of ${files.id} must be ${observers.join(" or ")} but is ${observer}`,
        );
      }
      const mask = await readLabel(path, files.image, options);
      const marked = mask.data.reduce((sum, value) => sum + value, 0);
      if (2 * marked > mask.data.length) {
        throw new ImageFileError(
          path,
          "marks more than half of the picture as vessel; black and white look exchanged",
        );
      }
      return mask;
    },
    fieldOfView: async () =>
      files.fieldOfView === undefined
        ? fieldOfView(await readPhotograph(files.image, options))
        : readLabel(files.fieldOfView, files.image, options),
  };
}

/** Reads a mask that must be as large as its photograph. */
async function readLabel(path: string, image: string, options: ReadOptions): Promise<Mask> {
  const wanted = await readSize(image, options);
  const { width, height } = await readSize(path, options);
  if (width === wanted.width && height === wanted.height) return readMask(path, options);
  throw new ImageFileError(
    path,
    `is ${width} x ${height} but its photograph ${image} is ${wanted.width} x ${wanted.height}`,
  );
}

/** The names of a folder's files in order, without hidden ones. */
export async function listFiles(directory: string): Promise<string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory() && !HIDDEN.test(entry.name))
      .map((entry) => entry.name)
      .sort();
  } catch (error) {
    throw new DatasetError(directory, systemReason(error));
  }
}

/** What file managers leave in folders. */
const HIDDEN = /^\.|^(thumbs\.db|desktop\.ini)$/i;

const PICTURE = /\.(jpe?g|png|tiff?|webp|gif|p[bgp]m|dcm)(\.gz)?$/i;

/**
 * A name whose letters are spelled in one of Unicode's ways: an umlaut is one character or two, by the system that wrote it.
 */
export const spelled = (name: string): string => name.normalize("NFC");

/**
 * The pictures of a folder by their name without its ending, in name order: the full paths.
 *
 * @throws DatasetError where the folder cannot be read, holds something else, or two of its pictures have one name
 * @example
 * import { mkdirSync } from "node:fs";
 * import { picturesByStem, writePng } from "@saunet/data/files";
 *
 * mkdirSync("eyes", { recursive: true });
 * await writePng("eyes/left.png", { width: 2, height: 1, data: Uint8Array.of(0, 1) });
 * console.log([...(await picturesByStem("eyes")).keys()]); // [ 'left' ]
 */
export async function picturesByStem(directory: string): Promise<Map<string, string>> {
  const pictures = new Map<string, string>();
  for (const file of await listFiles(directory)) {
    const path = join(directory, file);
    const name = spelled(file);
    const stem = name.replace(PICTURE, "");
    const other = pictures.get(stem);
    if (stem === name) throw new DatasetError(directory, `${file} ${NOT_A_PICTURE}`);
    if (other !== undefined)
      throw new DatasetError(directory, `${basename(other)} and ${file} have one name`);
    pictures.set(stem, path);
  }
  return pictures;
}

/** Throws, naming what is alone, unless two parts of a data set hold the same names. */
export function expectMatch(directory: string, one: Part, other: Part): void {
  for (const [[name, pictures], [otherName, others]] of [
    [one, other],
    [other, one],
  ]) {
    const lonely = [...pictures.keys()].filter((id) => !others.has(id));
    if (lonely.length === 0) continue;
    throw new DatasetError(directory, `${otherName}/ has nothing for ${nameSome(lonely)} of ${name}/`);
  }
}

/** A folder's name and its pictures. */
type Part = readonly [name: string, pictures: ReadonlyMap<string, string>];

/** Names a few of many: `a, b, c and 4 more`. */
export function nameSome(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(", ");
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}

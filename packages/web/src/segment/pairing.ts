// Which photograph a mask belongs to, by names and sizes. The public sets name them so:
//
//   CHASE_DB1  Image_01L.jpg    Image_01L_1stHO.png, Image_01L_2ndHO.png
//   DRIVE      21_training.tif  21_manual1.gif, 21_training_mask.gif
//   HRF        01_h.jpg         01_h.tif, 01_h_mask.tif
//   STARE      im0001.ppm       im0001.ah.ppm, im0001.vk.ppm
//   FIVES      1_A.png          1_A.png in another folder
//
// A mask of another eye must never be taken for the right one: where names do not agree, a person decides.

import { stemOf } from "../ui/download.ts";

/** What is compared of a picture. */
export interface Named {
  readonly id: number;
  /** As the file is called, without its folder. */
  readonly fileName: string;
  readonly width: number;
  readonly height: number;
}

/** A photograph for a mask, or why there is none. */
export type Pairing =
  | { readonly photograph: number }
  | { readonly photograph: undefined; readonly reason: string };

/** Words that say what a file is, not which eye it shows. */
const ROLES = new Set(
  (
    "training train test testing valid validation manual manual1 manual2 1stho 2ndho ah vk av mask masks truth gt " +
    "groundtruth label labels vessel vessels seg segmentation segmented annotation annotated expert observer reader " +
    "fov field roi image photo photograph fundus synthetic"
  ).split(" "),
);

/** An umlaut is one character or two, by the system that wrote the name. */
const plainStemOf = (fileName: string): string => stemOf(fileName.normalize("NFC")).toLowerCase();

/** The words of a name that tell one eye from another. */
function keyOf(fileName: string): string {
  const words = plainStemOf(fileName)
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== "" && !ROLES.has(word));
  return words.join(" ");
}

/** How surely a mask of this name belongs to a photograph of that one: 0 not at all, 3 the same name. */
function agreement(photograph: string, mask: string): 0 | 1 | 2 | 3 {
  const [own, other] = [plainStemOf(photograph), plainStemOf(mask)];
  if (own === other) return 3;
  if (other.startsWith(own) && /^[^\p{L}\p{N}]/u.test(other.slice(own.length))) return 2;
  const key = keyOf(mask);
  return key !== "" && key === keyOf(photograph) ? 1 : 0;
}

const sizeOf = ({ width, height }: Named): string => `${width} × ${height}`;

/** Finds the photograph of a mask: of its size, and named alike. */
export function pairOf(mask: Named, photographs: readonly Named[]): Pairing {
  const fits = photographs.filter(({ width, height }) => width === mask.width && height === mask.height);
  const rated = (list: readonly Named[]) =>
    list
      .map((photograph) => ({ photograph, rate: agreement(photograph.fileName, mask.fileName) }))
      .filter(({ rate }) => rate > 0)
      .sort((a, b) => b.rate - a.rate || b.photograph.fileName.length - a.photograph.fileName.length);
  const [best] = rated(fits);
  if (best !== undefined) return { photograph: best.photograph.id };
  // "mask.png" names no eye; where there is one photograph, there is no doubt.
  if (keyOf(mask.fileName) === "" && photographs.length === 1 && fits.length === 1)
    return { photograph: fits[0].id };
  const [namesake] = rated(photographs);
  const reason =
    namesake !== undefined
      ? `it has ${sizeOf(mask)} pixels, ${namesake.photograph.fileName} has ${sizeOf(namesake.photograph)}`
      : fits.length > 0
        ? "no photograph here has a name like it"
        : `no photograph here has its ${sizeOf(mask)} pixels`;
  return { photograph: undefined, reason };
}

/** A name that none of the others has: a number goes before the ending. */
export function distinct(name: string, taken: ReadonlySet<string>): string {
  const [, stem, ending] = /^(.*?)(\.[^.]*)?$/s.exec(name)!;
  for (let n = 1; ; n++) {
    const candidate = n === 1 ? name : `${stem} (${n})${ending ?? ""}`;
    if (!taken.has(candidate)) return candidate;
  }
}

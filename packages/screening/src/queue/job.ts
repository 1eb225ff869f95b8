// What a job is: a reference to a photograph and all that decides its result, never pixels.

import { join, parse } from "node:path";
import { sha256 } from "saunet/internal";
import type { HowToSegment } from "../compute.ts";
import { isUrl } from "../reference.ts";

export interface ScreeningJob {
  /** An absolute path that every worker sees, or a URL. */
  readonly reference: string;
  /** Of the file that lies there. */
  readonly sha256: string;
  /** The hash decides; the file says where they lie, and is left out for those that come with the command. */
  readonly weights: { readonly file?: string; readonly sha256: string };
  readonly options: HowToSegment;
  /** The folder of the results, an absolute path that every worker sees. */
  readonly out: string;
}

/**
 * The same photograph, weights, options and folder are one job, however often they are submitted. Two files with the same
 * bytes are two: two patients may share a black picture, and each wants a row.
 */
export function idOf({ reference, sha256: hash, weights, options, out }: ScreeningJob): string {
  const { threshold = null, scale = null, padTo = null, maxPixels = null } = options;
  return sha256(JSON.stringify([reference, hash, weights.sha256, threshold, scale, padTo, maxPixels, out]));
}

/** Where the results of a job lie. */
export interface Places {
  /** Holds what is being written: a folder for each try. */
  readonly aside: string;
  /** The part of the table that is this job's row. It is written last: where it is, the job is done. */
  readonly row: string;
  /** Path of a picture, relative to the folder of the results. */
  picture(kind: string): string;
}

/** Characters of a photograph's name in those of its pictures: at most 128 bytes. */
const NAME_CHARACTERS = 32;
/** Of the job's id: 64 bits, so that a million pictures of one name meet with a chance of 3 in 100 million. */
const ID_CHARACTERS = 16;

export function placesOf({ out, reference }: ScreeningJob, id: string): Places {
  const path = isUrl(reference) ? new URL(reference).pathname : reference;
  const plain = parse(path).name.replace(/[^\p{L}\p{N}._ -]/gu, "_");
  const name = [...plain].slice(0, NAME_CHARACTERS).join("");
  // A folder of 300,000 files is slow on some drives.
  const shard = id.slice(0, 2);
  return {
    aside: join(out, ASIDE),
    row: join(out, ROWS, shard, `${id}.csv`),
    picture: (kind) => join(PICTURES, shard, `${name}-${id.slice(0, ID_CHARACTERS)}-${kind}.png`),
  };
}

/** Folders in that of the results. */
export const ROWS = "rows";
const PICTURES = "pictures";
const ASIDE = "aside";

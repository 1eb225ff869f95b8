// What a process that computes does with one photograph: read it, segment it, encode what is asked for.

import { readFile } from "node:fs/promises";
import { fieldOfView, type Photograph, photographWarnings } from "@saunet/data";
import { decodePhotograph, ImageFileError, knownSystemReason } from "@saunet/data/files";
import { readWeights, type SegmentOptions } from "@saunet/model";
import {
  markedPng,
  type Painted,
  type Painter,
  type PhotographArray,
  painterOf,
  sha256,
  weightsFile,
} from "saunet/internal";
import { readReference } from "./reference.ts";

/** Where a photograph comes from: the bytes of a file, pixels, or a reference and the SHA-256 of what lies there. */
export type Source =
  | { readonly bytes: Uint8Array }
  | { readonly photograph: Photograph }
  | { readonly reference: string; readonly sha256: string };

/** A network: a weights file, or the weights that come with the command; and the hash that the file must have. */
export interface WeightsReference {
  readonly file?: string;
  readonly sha256?: string;
}

/** How a photograph is to be segmented. */
export type HowToSegment = Pick<SegmentOptions, "threshold" | "padTo" | "scale" | "maxPixels">;

/** One photograph to be segmented. */
export interface Request {
  readonly source: Source;
  readonly weights: WeightsReference;
  readonly options: HowToSegment;
  /** Kinds of pictures to be encoded: `probability`, `mask`, `overlay`, `classes`; or all that there are. */
  readonly pictures: readonly string[] | "all";
  /** Names of arrays that are wanted: `probability`, `mask`, `classes`. */
  readonly arrays: readonly string[];
}

/** What was found in a photograph. */
export interface Figures extends Omit<Painted, "pictures" | "arrays" | "f1"> {
  /** What makes the picture look like no fundus photograph. */
  readonly warnings: readonly string[];
}

/** What came of a request. */
export interface Answer {
  readonly figures: Figures;
  /** PNG by kind, as `saunet segment` writes them. */
  readonly pictures: Readonly<Record<string, Uint8Array>>;
  readonly arrays: Readonly<Record<string, PhotographArray>>;
}

/** A photograph that cannot be read or segmented, whoever tries and however often. */
export class PhotographError extends Error {
  override readonly name = "PhotographError";
}

/** What a system says for a while: a network drive, or a machine with too much to do. */
const PASSING = ["EAGAIN", "EBUSY", "EIO", "EMFILE", "ENFILE", "ENOMEM", "ESTALE", "ETIMEDOUT"];

/** A painter, and the hash of its weights. */
interface Network {
  readonly painter: Painter;
  readonly sha256: string;
}

/** Networks that stay loaded. */
const NETWORKS_KEPT = 2;

/**
 * Makes the function that answers requests. It remembers the last networks.
 *
 * @returns rejects with PhotographError where it is the photograph's fault
 */
export function computing(): (request: Request) => Promise<Answer> {
  const networks = new Map<string, Network>();
  const networkOf = async ({ file, sha256: wanted }: WeightsReference): Promise<Network> => {
    const path = weightsFile(file);
    const known = networks.get(path);
    const network = wanted === undefined || known?.sha256 === wanted ? known : undefined;
    const found = network ?? (await load(path, wanted));
    networks.delete(path);
    networks.set(path, found);
    for (const old of [...networks.keys()].slice(0, -NETWORKS_KEPT)) networks.delete(old);
    return found;
  };
  return async ({ source, weights, options, pictures, arrays }) => {
    const { painter } = await networkOf(weights);
    const photograph = await photographOf(source, options);
    const field = fieldOfView(photograph);
    const painted = await painter
      .paint({ photograph, fieldOfView: field }, options)
      .catch((error: unknown) => {
        // Sizes beyond the limits.
        if (error instanceof RangeError) throw new PhotographError(error.message, { cause: error });
        throw error;
      });
    const { pictures: encoders, arrays: found, ...figures } = painted;
    const encoded: Record<string, Uint8Array> = {};
    for (const kind of pictures === "all" ? painter.kinds : pictures)
      encoded[kind] = markedPng(await encoders[kind]());
    return {
      figures: { ...figures, warnings: photographWarnings(photograph, field) },
      pictures: encoded,
      arrays: Object.fromEntries(arrays.map((name) => [name, found[name]])),
    };
  };
}

async function load(path: string, wanted: string | undefined): Promise<Network> {
  const bytes = await readFile(path);
  const hash = sha256(bytes);
  if (wanted !== undefined && hash !== wanted) {
    throw new Error(
      `${path}: these are other weights (SHA-256 ${hash.slice(0, 12)}…) than those that were asked for (${wanted.slice(0, 12)}…)`,
    );
  }
  return { painter: painterOf(readWeights(bytes)), sha256: hash };
}

async function photographOf(source: Source, { maxPixels }: HowToSegment): Promise<Photograph> {
  if ("photograph" in source) return source.photograph;
  const limit = maxPixels === undefined ? {} : { maxPixels };
  try {
    if ("bytes" in source) return await decodePhotograph(source.bytes, limit);
    const { reference, sha256: wanted } = source;
    const bytes = await readReference(reference);
    if (sha256(bytes) !== wanted) {
      throw new PhotographError(`${reference}: has changed since it was submitted`);
    }
    return await decodePhotograph(bytes, { name: reference, ...limit });
  } catch (error) {
    throw isPhotographsFault(error) ? photographError(error, source) : error;
  }
}

function isPhotographsFault(error: unknown): boolean {
  if (error instanceof ImageFileError) return true;
  const { code } = error as NodeJS.ErrnoException;
  return knownSystemReason(error) !== undefined && !PASSING.includes(code ?? "");
}

function photographError(error: unknown, source: Source): PhotographError {
  const reason = knownSystemReason(error);
  const name = "reference" in source ? source.reference : "photograph";
  return new PhotographError(reason === undefined ? (error as Error).message : `${name}: ${reason}`, {
    cause: error,
  });
}

// Reads pictures and segments them, away from the page. One picture is held at a time.

import { readSafetensors } from "@saunet/core";
import { fieldOfView, type Photograph, syntheticFundus } from "@saunet/data";
import { loadSegmenter, type Segmenter, segmenterOf } from "@saunet/model";
import { expose } from "comlink";
import { startEngine } from "../engine.ts";
import { readBundledWeights } from "../model-host.ts";
import { decodePicture, pixelsOf, pngOf, shrink } from "../pictures/decode.ts";
import { filed } from "../pictures/filed.ts";
import { kindOfMask, maskOf, type PictureKind } from "../pictures/kind.ts";
import { opaque } from "../pictures/paint.ts";
import { densityAt, STEPS, type Tally, tallyOf } from "../pictures/tally.ts";
import { sha256, weightsIn } from "../weights.ts";
import { doubtsOf } from "./doubts.ts";

/** A picture that has been read. */
export interface ReadPicture {
  readonly kind: PictureKind;
  readonly width: number;
  readonly height: number;
  /** Of a photograph: a small copy. */
  readonly thumbnail?: Blob;
  /** Of a mask: a byte a pixel, 0 or 1. */
  readonly mask?: Blob;
}

/** A photograph that has been segmented. Blobs pass from thread to thread without being copied. */
export interface Segmented {
  readonly width: number;
  readonly height: number;
  /** A 32-bit float a pixel. */
  readonly probability: Blob;
  /** A byte a pixel, 1 in the field of view. */
  readonly field: Blob;
  readonly tally: Tally;
  /** Why the result is doubtful. */
  readonly doubts: readonly string[];
  /** The factor by which the network saw the photograph resized. */
  readonly scale: number;
  /** What the network took. */
  readonly seconds: number;
}

/** What is told of the network that segments. */
export interface NetworkInUse {
  readonly name: string;
  /** How the file of its weights stores their numbers, where it says so. */
  readonly stored: string | undefined;
}

/** The synthetic photograph with its exact truth. */
export interface Example {
  readonly width: number;
  readonly height: number;
  readonly photograph: Blob;
  readonly truth: Blob;
}

const THUMBNAIL_SIDE = 144;
/** The picture that `npm start` segments too. */
const EXAMPLE_SEED = 1;

let segmenter: Promise<Segmenter> | undefined;
let held: Photograph | undefined;
/** The run at hand, or the last one. */
let running: Promise<unknown> = Promise.resolve();
/** Of the photograph that was segmented last. */
let lastSize = "";
/** Aborted when a person wants no more of the run at hand. */
let stopping = new AbortController();

/**
 * With nothing to do for so long, the engine gives its memory back: 0.1 to 1.3 GB, by the size of the photograph. The next
 * photograph has its program planned anew, which takes about as long as segmenting one of 592 x 592.
 */
const IDLE_MS = 30_000;
let idle: ReturnType<typeof setTimeout> | undefined;

function restWhenIdle(): void {
  clearTimeout(idle);
  idle = setTimeout(async () => {
    (await segmenter)?.release();
    lastSize = "";
  }, IDLE_MS);
}

const blobOf = (array: Uint8Array | Float32Array): Blob => new Blob([array as Uint8Array<ArrayBuffer>]);

const api = {
  /** The weights are fetched while the engine starts. */
  up(): void {
    segmenter ??= loadSegmenter();
    // Whoever uses it hears of it.
    segmenter.catch(() => {});
  },

  start: startEngine,

  /** Resolves when everything is there for the first photograph: which network it is, and how its file stores its numbers. */
  async network(): Promise<NetworkInUse> {
    const { config, metadata } = (await segmenter)!;
    return { name: config.name, stored: metadata.stored };
  },

  /** SHA-256 of a weights file, and of that which it was rounded from, where it says so; default: the shipped ones. */
  async hashes(weights?: Uint8Array): Promise<string[]> {
    const bytes = weights ?? (await readBundledWeights());
    const { rounded_from: original } = readSafetensors(bytes).metadata;
    return [await sha256(bytes), ...(original === undefined ? [] : [original])];
  },

  /** Segments with other weights from here on; default: the shipped ones. */
  async use(weights?: Uint8Array): Promise<void> {
    const next = weights === undefined ? await loadSegmenter() : segmenterOf(weightsIn(weights));
    await running;
    (await segmenter)?.release();
    segmenter = Promise.resolve(next);
  },

  async read(file: Blob): Promise<ReadPicture> {
    const bitmap = await decodePicture(file);
    const pixels = pixelsOf(bitmap);
    const { width, height } = bitmap;
    const mask = maskOf(pixels);
    if (mask !== undefined) {
      bitmap.close();
      return { kind: kindOfMask(mask), width, height, mask: blobOf(mask.data) };
    }
    held = pixels;
    const small = await shrink(bitmap, THUMBNAIL_SIDE);
    bitmap.close();
    const thumbnail = await pngOf(pixelsOf(small));
    small.close();
    return { kind: "photograph", width, height, thumbnail };
  },

  /** Segments the photograph that was read last. */
  async segment(): Promise<Segmented> {
    if (held === undefined) throw new Error("segment: no photograph has been read");
    const photograph = held;
    held = undefined;
    const { signal } = stopping;
    api.up();
    await startEngine();
    const started = performance.now();
    const { segment, release } = await segmenter!;
    // A program of another size would lie idle beside the one that is needed: 0.3 GB for the example's.
    const size = `${photograph.width} x ${photograph.height}`;
    if (size !== lastSize) release();
    lastSize = size;
    const field = fieldOfView(photograph);
    clearTimeout(idle);
    const run = segment(photograph, { fieldOfView: field, signal }).finally(restWhenIdle);
    running = run.catch(() => {});
    const { width, height, scale, probability } = await run;
    const seconds = (performance.now() - started) / 1000;
    const tally = tallyOf({ probability, field: field.data });
    const vesselShare = densityAt(tally, STEPS / 2, true);
    const doubts = doubtsOf({ photograph, field, vesselShare });
    const blobs = {
      probability: await filed(blobOf(probability)),
      field: await filed(blobOf(field.data)),
    };
    return { width, height, scale, ...blobs, tally, doubts, seconds };
  },

  /** Ends the run at hand; on one thread only when it is over. */
  stop(): void {
    stopping.abort();
    stopping = new AbortController();
  },

  async example(): Promise<Example> {
    const { image, vessels } = syntheticFundus({ seed: EXAMPLE_SEED });
    const { width, height } = image;
    return { width, height, photograph: await pngOf(opaque(image)), truth: blobOf(vessels.data) };
  },
};

/** What the page may ask of this worker. */
export type SegmentWorker = typeof api;

expose(api);

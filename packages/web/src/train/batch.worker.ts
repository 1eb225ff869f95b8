// Draws batches on a thread of its own. The first message says of what; every other is a step, and its batch comes back.

import { BATCH, CROP, SEED } from "./batch.ts";
import { type OwnPicture, readForTraining } from "./own-pictures.ts";
import { type FlatBatch, ownBatches, syntheticBatches } from "./training-pictures.ts";

/** Photographs of one's own; synthetic ones where there are none. */
export type BatchesAsked = { readonly pictures: readonly OwnPicture[] };
/** A batch, or why there is none; first of all, that the worker is up. */
export type BatchAnswer = FlatBatch | { readonly failure: string } | "up";

let batchOf: Promise<(step: number) => FlatBatch> | undefined;

async function open({ pictures }: BatchesAsked): Promise<(step: number) => FlatBatch> {
  if (pictures.length === 0) return syntheticBatches(SEED, BATCH, CROP);
  const images = [];
  // One after the other: a photograph takes much more memory while it is decoded.
  for (const picture of pictures) {
    try {
      images.push(await readForTraining(picture));
    } catch (error) {
      throw new Error(`${picture.name} ${(error as Error).message}`);
    }
  }
  return ownBatches(images, SEED, BATCH, CROP);
}

postMessage("up" satisfies BatchAnswer);

addEventListener("message", async ({ data }: MessageEvent<BatchesAsked | number>) => {
  if (typeof data !== "number") {
    batchOf = open(data);
    batchOf.catch(() => {});
    return;
  }
  try {
    const batch = (await batchOf!)(data);
    postMessage(batch satisfies BatchAnswer, { transfer: [batch.x.buffer, batch.target.buffer] });
  } catch (error) {
    postMessage({ failure: (error as Error).message } satisfies BatchAnswer);
  }
});

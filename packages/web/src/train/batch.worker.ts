// Draws batches on a thread of its own. The first message says of what, and brings a port: a step that is asked for there is
// answered by its batch.

import { BATCH, CROP, SEED } from "./batch.ts";
import { type OwnPicture, readForTraining } from "./own-pictures.ts";
import { type FlatBatch, ownBatches, syntheticBatches } from "./training-pictures.ts";

/** What is drawn, and for whom. */
export interface BatchesAsked {
  /** Photographs of one's own; synthetic ones where there are none. */
  readonly pictures: readonly OwnPicture[];
  readonly port: MessagePort;
}
/** A batch, or why there is none; first of all, that the worker is up. */
export type BatchAnswer = FlatBatch | { readonly failure: string } | "up";

async function open(pictures: readonly OwnPicture[]): Promise<(step: number) => FlatBatch> {
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

addEventListener("message", ({ data: { pictures, port } }: MessageEvent<BatchesAsked>) => {
  const answer = (what: BatchAnswer, transfer: Transferable[] = []) => port.postMessage(what, transfer);
  answer("up");
  const batchOf = open(pictures);
  batchOf.catch(() => {});
  port.onmessage = async ({ data: step }: MessageEvent<number>) => {
    try {
      const batch = (await batchOf)(step);
      answer(batch, [batch.x.buffer, batch.target.buffer]);
    } catch (error) {
      answer({ failure: (error as Error).message });
    }
  };
});

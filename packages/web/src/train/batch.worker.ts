// Draws batches on a thread of its own: every message is a step, and its batch comes back.

import { BATCH, CROP, SEED } from "./batch.ts";
import { syntheticBatches } from "./training-pictures.ts";

const batchOf = syntheticBatches(SEED, BATCH, CROP);

addEventListener("message", ({ data: step }: MessageEvent<number>) => {
  const batch = batchOf(step);
  postMessage(batch, { transfer: [batch.x.buffer, batch.target.buffer] });
});

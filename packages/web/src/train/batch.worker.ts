// Draws batches on a thread of its own: one comes back for every message, in their order.

import { BATCH, CROP, SEED } from "./batch.ts";
import { syntheticBatches } from "./training-pictures.ts";

const next = syntheticBatches(SEED, BATCH, CROP);

addEventListener("message", () => {
  const batch = next();
  postMessage(batch, { transfer: [batch.x.buffer, batch.target.buffer] });
});

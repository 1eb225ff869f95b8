// What the drawing worker needs of a photograph and its result.

import type { Item, Result } from "./items.ts";
import type { FoundBlobs, Saved } from "./view.worker.ts";

export type { Download } from "./view.worker.ts";

/** A result without what only the page needs of it. */
export const foundOf = ({ probability, field, truth }: FoundBlobs): FoundBlobs => ({
  probability,
  field,
  truth,
});

/** A photograph's result, to be written as a picture. */
export const savedOf = ({ file }: Item, result: Result): Saved => ({
  file,
  width: result.width,
  height: result.height,
  found: foundOf(result),
});

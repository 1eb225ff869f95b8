// The trained network in the reader's browser, on the thread of the page: it answers the book's eye in less than a second.

import { loadSegmenter, type Segmenter } from "@saunet/model";
import weights from "@saunet/model/weights";
import { accelerate } from "@saunet/wasm";

let opened: Promise<Segmenter> | undefined;

/** Loads the weights and makes the engine fast, once. */
export function openNetwork(): Promise<Segmenter> {
  opened ??= accelerate({ threads: 1 }).then(() => loadSegmenter({ weights }));
  return opened;
}

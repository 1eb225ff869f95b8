import { readFile } from "node:fs/promises";

/** The weights that come with this package, as Node reads them. */
export function readBundledWeights(): Promise<Uint8Array> {
  return readFile(new URL("../../weights/sa-unet-v2.safetensors", import.meta.url));
}

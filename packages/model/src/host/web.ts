/**
 * The weights that come with this package, as a browser reads them: the module, in 16 bits. Every bundler carries that along;
 * for the URL of the exact file some would put that beside it, twice as large, whether it is asked for or not.
 */
export async function readBundledWeights(): Promise<Uint8Array> {
  const { default: weights } = await import("../../weights/sa-unet-v2.js");
  return weights;
}

/** A browser has no paths: everything is fetched, relative to the page. */
export async function readLocal(_source: string | URL, _expect?: unknown): Promise<Uint8Array | undefined> {
  return undefined;
}

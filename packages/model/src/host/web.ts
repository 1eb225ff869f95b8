import { NOT_BESIDE } from "../source.ts";

/** The weights that come with this package, as a browser reads them. Bundlers recognise this form of URL. */
export async function readBundledWeights(): Promise<Uint8Array> {
  const url = new URL("../../weights/sa-unet-v2.safetensors", import.meta.url);
  const response = await fetch(url);
  if (!response.ok)
    throw new Error(`${NOT_BESIDE} (${url} answered ${response.status} ${response.statusText})`);
  return new Uint8Array(await response.arrayBuffer());
}

/** A browser has no paths: everything is fetched, relative to the page. */
export async function readLocal(_source: string | URL, _expect?: unknown): Promise<Uint8Array | undefined> {
  return undefined;
}

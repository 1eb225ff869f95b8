import { readFile } from "node:fs/promises";

/** The weights that come with this package, as Node reads them. */
export function readBundledWeights(): Promise<Uint8Array> {
  return readFile(new URL("../../weights/sa-unet-v2.safetensors", import.meta.url));
}

/** Node fetches no file: it is read, by path or by `file:` URL. Everything else is left to fetch. */
export async function readLocal(source: string | URL): Promise<Uint8Array | undefined> {
  const isFile = source instanceof URL ? source.protocol === "file:" : !/^[a-z][a-z0-9+.-]+:/i.test(source);
  if (isFile) return readFile(source);
  return String(source).startsWith("file:") ? readFile(new URL(source)) : undefined;
}

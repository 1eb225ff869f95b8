// References to photographs in shared storage: an absolute path, or an http(s) URL.

import { open } from "node:fs/promises";
import { ImageFileError } from "@saunet/data/files";

/** A photograph of 100 million pixels of 16 bits as plain TIFF has 0.6 GB. Larger files are refused before they are read. */
const MOST_BYTES = 2 ** 30;

/** How long a server may take for one photograph. */
const MOST_MS = 120_000;

/** Whether a reference is a URL. */
export const isUrl = (reference: string): boolean => /^https?:\/\//i.test(reference);

/**
 * The bytes that lie at a reference.
 *
 * @throws ImageFileError where there is no such photograph; what the system or the network complains of otherwise
 */
export async function readReference(reference: string): Promise<Uint8Array> {
  return isUrl(reference) ? download(reference) : readWhole(reference);
}

async function readWhole(path: string): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const status = await file.stat();
    if (status.isDirectory()) throw new ImageFileError(path, "is a folder, not a picture");
    if (!status.isFile()) throw new ImageFileError(path, "is not an ordinary file");
    if (status.size > MOST_BYTES) throw tooLarge(path);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

const tooLarge = (reference: string) =>
  new ImageFileError(reference, `is larger than ${MOST_BYTES / 2 ** 20} MB`);

async function download(url: string): Promise<Uint8Array> {
  const response = await fetch(url, { signal: AbortSignal.timeout(MOST_MS) });
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    const reason = `the server answers ${response.status}`;
    // What is not there will not be there; a server that is busy, slow or broken may recover.
    if (response.status >= 400 && response.status < 500 && ![408, 425, 429].includes(response.status))
      throw new ImageFileError(url, reason);
    throw new Error(`${url}: ${reason}`);
  }
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body) {
    length += part.length;
    if (length > MOST_BYTES) throw tooLarge(url);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

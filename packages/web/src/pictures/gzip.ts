// Gzipped pictures, as STARE comes (.ppm.gz).

/** A picture may unpack to so much: 100 million pixels of three bytes, and their header. */
const MOST_UNPACKED = 2 ** 29;

export const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/**
 * Unpacks a gzipped file. It stops as soon as there is too much, however much a small file would unpack to.
 *
 * @returns undefined where it unpacks to more than `most` bytes
 * @throws TypeError where the file is damaged
 */
export async function unpack(file: Blob, most = MOST_UNPACKED): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const reader = file.stream().pipeThrough(new DecompressionStream("gzip")).getReader();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
    length += value!.length;
    if (length > most) {
      await reader.cancel();
      return undefined;
    }
    parts.push(value as Uint8Array<ArrayBuffer>);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

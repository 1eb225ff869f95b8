// Results as blobs that lie in files. Chromium moves large blobs out of the page's memory by itself; Firefox keeps
// them there, except those that were read from its database, whose files stay until nobody holds the blob any more.

import { createStore, del, get, set, type UseStore } from "idb-keyval";

/** Nothing but the browser's name tells where its blobs lie. */
const keepsBlobsInMemory = (): boolean => /firefox/i.test(navigator.userAgent);

/** Holds nothing beyond the moment in which a blob passes through. */
export const PASSAGE = { database: "saunet-results", store: "blobs" } as const;
let store: UseStore | undefined;

/** The same bytes in a file, where the browser does not see to that; in memory where it keeps no files. */
export async function filed(blob: Blob): Promise<Blob> {
  if (!keepsBlobsInMemory()) return blob;
  try {
    store ??= createStore(PASSAGE.database, PASSAGE.store);
    const key = crypto.randomUUID();
    await set(key, blob, store);
    const copy = await get<Blob>(key, store);
    await del(key, store);
    return copy ?? blob;
  } catch {
    return blob;
  }
}

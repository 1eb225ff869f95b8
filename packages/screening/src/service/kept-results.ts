// Pictures of the last segmentations, for the links of a JSON answer: in memory alone, since they show patients' eyes, and
// no more and no longer than stated.

import { randomUUID } from "node:crypto";
import type { Figures } from "../compute.ts";

/** A segmentation that is kept. */
export interface KeptResult {
  readonly figures: Figures;
  /** PNG by kind. */
  readonly pictures: Readonly<Record<string, Uint8Array>>;
  /** As ISO 8601 has it. */
  readonly expires: string;
}

/** Segmentations by their ids, which nobody can guess. */
export interface KeptResults {
  /** @returns its id, and what is kept */
  keep(result: Omit<KeptResult, "expires">): [id: string, kept: KeptResult];
  find(id: string): KeptResult | undefined;
  /** @returns whether it was there */
  forget(id: string): boolean;
  clear(): void;
}

/** How long a link holds. */
export const KEPT_MINUTES = 10;
/** About 600 photographs of 592 x 592. */
const MOST_BYTES = 2 ** 28;

export function keptResults(mostBytes = MOST_BYTES): KeptResults {
  const results = new Map<string, { result: KeptResult; bytes: number; timer: NodeJS.Timeout }>();
  let total = 0;
  const forget = (id: string): boolean => {
    const found = results.get(id);
    if (found === undefined) return false;
    clearTimeout(found.timer);
    results.delete(id);
    total -= found.bytes;
    return true;
  };
  return {
    keep(given) {
      const id = randomUUID();
      const result = { ...given, expires: new Date(Date.now() + KEPT_MINUTES * 60_000).toISOString() };
      const bytes = Object.values(result.pictures).reduce((sum, png) => sum + png.length, 0);
      const timer = setTimeout(() => forget(id), KEPT_MINUTES * 60_000).unref();
      results.set(id, { result, bytes, timer });
      total += bytes;
      // The newest stays, however large it is.
      for (const old of results.keys()) if (total > mostBytes && old !== id) forget(old);
      return [id, result];
    },
    find: (id) => results.get(id)?.result,
    forget,
    clear() {
      for (const id of results.keys()) forget(id);
    },
  };
}

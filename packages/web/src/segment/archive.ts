// Masks, probabilities and the table of all photographs in one ZIP file. Pictures are made one after the other while the
// archive is written, and the browser keeps what has been written outside of the page's memory.

import { signal } from "@preact/signals";
import { makeZip } from "client-zip";
import { download, stemOf } from "../ui/download.ts";
import { calibration, isAtCalibration } from "./calibration.ts";
import { CORRECTED } from "./correcting.ts";
import { csvOf } from "./csv.ts";
import { type Item, items, notice, resultOf } from "./items.ts";
import { fieldOnly, look, threshold } from "./look.ts";
import { maskInUse } from "./masks.ts";
import { figuresOf, wantsFigures } from "./measuring.ts";
import { distinct } from "./pairing.ts";
import { type Download, savedOf } from "./saved.ts";
import { view } from "./view.ts";

/** How far the archive is, while one is written. */
export const archiving = signal<{ readonly done: number; readonly all: number } | undefined>(undefined);
let stopping = new AbortController();

/** Every photograph's row at the threshold that is set. */
export const tableOfAll = (): string =>
  csvOf({
    items: items.value,
    step: threshold.value,
    calibration: isAtCalibration.value ? calibration.value?.name : undefined,
    fieldOnly: fieldOnly.value,
    truthOf: ({ id }) => maskInUse(id, "vessels")?.name,
    figuresOf: wantsFigures.value ? figuresOf : undefined,
  });

/** Hands the person the archive of everything that is finished. */
export async function saveAll(): Promise<void> {
  stopping = new AbortController();
  const { signal: stop } = stopping;
  const finished = items.value.filter((item) => resultOf(item) !== undefined);
  archiving.value = { done: 0, all: finished.length };
  try {
    const archive = await new Response(makeZip(filesOf(finished, stop))).blob();
    download("saunet.zip", archive);
  } catch (error) {
    if (!stop.aborted) notice.value = `The ZIP could not be written: ${(error as Error).message}.`;
  } finally {
    archiving.value = undefined;
  }
}

/** Ends what {@link saveAll} has begun. */
export const stopSaving = (): void => stopping.abort();

interface ArchivedFile {
  readonly name: string;
  readonly input: Blob | string;
}

async function* filesOf(finished: readonly Item[], stop: AbortSignal): AsyncGenerator<ArchivedFile> {
  const style = look.value;
  yield { name: "saunet.csv", input: tableOfAll() };
  const taken = new Set<string>();
  for (const [done, item] of finished.entries()) {
    archiving.value = { done, all: finished.length };
    const result = resultOf(item)!;
    // eye.png and eye.tif must not end in one file.
    const stem = distinct(stemOf(item.name), taken);
    taken.add(stem);
    const isCorrected = maskInUse(item.id, "vessels")?.name.endsWith(CORRECTED);
    const kinds: readonly Download[] = ["mask", "probability", ...(isCorrected ? (["truth"] as const) : [])];
    for (const kind of kinds) {
      stop.throwIfAborted();
      yield { name: `${stem}-${kind}.png`, input: await view.png(savedOf(item, result), kind, style) };
    }
  }
}

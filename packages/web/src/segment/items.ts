// The photographs on the page and what became of each. Their bytes and results are blobs, which browsers keep outside of
// the page's memory and move to disk when there are many.

import { signal } from "@preact/signals";
import type { Tally } from "../pictures/tally.ts";
import type { Size } from "./camera.ts";
import type { FoundBlobs } from "./view.worker.ts";

/** What was found in a photograph. */
export interface Result extends FoundBlobs {
  readonly width: number;
  readonly height: number;
  /** The factor by which the network saw it resized. */
  readonly scale: number;
  readonly seconds: number;
  readonly threads: number;
  /** Whose weights were used. */
  readonly weights: string;
  /** Counted in `field`, against `truth`. */
  readonly tally: Tally;
  /** The field of view as it was detected; `field` may be a mask's instead. */
  readonly detected: Blob;
  /** Why the result is doubtful. */
  readonly doubts: readonly string[];
}

/** What became of a photograph. */
export type Progress =
  | { readonly kind: "waiting" | "reading" | "segmenting" | "cancelled" }
  | { readonly kind: "failed"; readonly message: string }
  | { readonly kind: "done"; readonly result: Result };

/** One photograph. */
export interface Item {
  readonly id: number;
  /** Unlike every other's: doubles are numbered. */
  readonly name: string;
  /** As the file is called; masks are paired by it. */
  readonly fileName: string;
  readonly file: Blob;
  readonly progress: Progress;
  /** Known as soon as it has been read, with the address of a small copy. */
  readonly size?: Size;
  readonly thumbnail?: string;
}

export const items = signal<readonly Item[]>([]);
export const selectedId = signal<number | undefined>(undefined);
/** What a person should know beside any photograph. */
export const notice = signal<string | undefined>(undefined);

export const itemOf = (id: number): Item | undefined => items.value.find((item) => item.id === id);

/** The photograph that is shown. */
export function selected(): Item | undefined {
  return selectedId.value === undefined ? undefined : itemOf(selectedId.value);
}

/** The result of a photograph, once there is one. */
export function resultOf(item: Item | undefined): Result | undefined {
  return item?.progress.kind === "done" ? item.progress.result : undefined;
}

export function change(id: number, changes: Partial<Item>): void {
  items.value = items.value.map((item) => (item.id === id ? { ...item, ...changes } : item));
}

/** Whether a photograph is being worked on or waits for it. */
export const isOpen = (item: Item): boolean => item.progress.kind === "waiting" || isBusy(item);

export const isBusy = ({ progress: { kind } }: Item): boolean => kind === "reading" || kind === "segmenting";

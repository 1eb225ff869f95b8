// The photographs that were dropped, and what became of each. One is worked on at a time. Their bytes and results are
// held as blobs, which browsers keep outside of the page's memory and move to disk when there are many.

import { signal } from "@preact/signals";
import { type Remote, wrap } from "comlink";
import type { EngineReport } from "../engine.ts";
import type { Tally } from "../pictures/tally.ts";
import type { Size } from "./camera.ts";
import type { ReadPicture, SegmentWorker } from "./segment.worker.ts";
import type { FoundBlobs, ViewWorker } from "./view.worker.ts";

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
  readonly tally: Tally;
}

/** What became of a photograph. */
export type Progress =
  | { readonly kind: "waiting" | "reading" | "segmenting" | "cancelled" }
  | { readonly kind: "failed"; readonly message: string }
  | { readonly kind: "done"; readonly result: Result };

/** One photograph. */
export interface Item {
  readonly id: number;
  readonly name: string;
  readonly file: Blob;
  readonly progress: Progress;
  /** What was dropped along with it. */
  readonly masks?: { readonly truth?: Blob; readonly field?: Blob };
  /** Known as soon as it has been read, with the address of a small copy. */
  readonly size?: Size;
  readonly thumbnail?: string;
}

/** A mask that waits for its photograph. */
interface WaitingMask {
  readonly name: string;
  readonly picture: ReadPicture;
  /** The photograph that it was chosen for. */
  readonly target: number | undefined;
}

export const items = signal<readonly Item[]>([]);
export const selectedId = signal<number | undefined>(undefined);
export const engineReport = signal<EngineReport | undefined>(undefined);
/** Something that went wrong beside any photograph, or that a person should know. */
export const notice = signal<string | undefined>(undefined);
/** Weights in use: their name, and their bytes where they are not the shipped ones. */
export const weightsInUse = signal<{ readonly name: string; readonly bytes?: Uint8Array }>({
  name: "shipped",
});

/** Draws the photographs. */
export const view: Remote<ViewWorker> = wrap(
  new Worker(new URL("./view.worker.ts", import.meta.url), { type: "module" }),
);

let worker: Worker;
let engine: Remote<SegmentWorker>;
let ready: Promise<void>;

/** Starts the engine, and starts it anew where it was stopped in the middle of something. */
export function startWorker(): void {
  worker?.terminate();
  worker = new Worker(new URL("./segment.worker.ts", import.meta.url), { type: "module" });
  engine = wrap<SegmentWorker>(worker);
  const started = engine;
  const failed = new Promise<never>((_, reject) => {
    worker.onerror = (event) =>
      reject(new Error(event.message || "the engine's worker could not be started"));
  });
  ready = Promise.race([failed, begin(started)]);
  ready.catch((error: Error) => {
    notice.value = `The engine did not start: ${error.message}`;
  });
}

/** Resolves when the engine is ready, and rejects where it cannot be. */
export const engineStarted = (): Promise<void> => ready;

async function begin(started: Remote<SegmentWorker>): Promise<void> {
  const { bytes } = weightsInUse.value;
  if (bytes !== undefined) await started.use(bytes);
  engineReport.value = await started.start();
  // For whoever measures how long that took since the page was asked for.
  performance.mark("saunet-ready");
}

let nextId = 1;
const waitingMasks: WaitingMask[] = [];
/** Pictures that are still to be read, in their order; `target` is the photograph that a mask was chosen for. */
const unread: { readonly id: number; readonly target?: number | undefined }[] = [];
let works = false;
/** Aborted when the engine is stopped in the middle of something. */
let stopping = new AbortController();

/** The photograph that is shown. */
export function selected(): Item | undefined {
  return selectedId.value === undefined ? undefined : itemOf(selectedId.value);
}

/** Puts pictures into the queue; `target` is the photograph that a mask among them was chosen for. */
export function addFiles(files: readonly File[], target?: number): void {
  notice.value = undefined;
  const added = files.map(
    (file): Item => ({ id: nextId++, name: file.name, file, progress: { kind: "waiting" } }),
  );
  items.value = [...items.value, ...added];
  unread.push(...added.map(({ id }) => ({ id, target })));
  if (target === undefined && added.length > 0) selectedId.value = added[0].id;
  void work();
}

/** Adds the synthetic photograph, which brings its exact truth. */
export async function addExample(): Promise<void> {
  try {
    const { photograph, truth } = await engine.example();
    const id = nextId;
    addFiles([new File([photograph], "synthetic.png", { type: "image/png" })]);
    change(id, { masks: { truth } });
  } catch (error) {
    notice.value = `The synthetic photograph could not be drawn: ${(error as Error).message}.`;
  }
}

function change(id: number, changes: Partial<Item>): void {
  items.value = items.value.map((item) => (item.id === id ? { ...item, ...changes } : item));
}

async function work(): Promise<void> {
  if (works) return;
  works = true;
  for (let next = unread.shift(); next !== undefined; next = unread.shift()) await workOn(next);
  works = false;
  await placeMasks();
}

const itemOf = (id: number): Item | undefined => items.value.find((item) => item.id === id);

async function workOn({ id, target }: (typeof unread)[number]): Promise<void> {
  const item = itemOf(id);
  if (item === undefined) return;
  const { signal: stop } = stopping;
  // A worker that was ended never answers.
  const stopped = new Promise<undefined>((resolve) =>
    stop.addEventListener("abort", () => resolve(undefined)),
  );
  try {
    await ready;
    if (itemOf(id)?.progress.kind !== "waiting") return;
    change(id, { progress: { kind: "reading" } });
    const picture = await Promise.race([engine.read(item.file), stopped]);
    // It may have been taken out meanwhile.
    if (picture === undefined || itemOf(id) === undefined) return;
    if (picture.kind !== "photograph") {
      waitingMasks.push({ name: item.name, picture, target });
      remove(id);
      return;
    }
    if (item.thumbnail !== undefined) URL.revokeObjectURL(item.thumbnail);
    const { width, height, thumbnail } = picture;
    change(id, {
      progress: { kind: "segmenting" },
      size: { width, height },
      thumbnail: URL.createObjectURL(thumbnail!),
    });
    const { value: weights } = weightsInUse;
    const segmented = await Promise.race([engine.segment(), stopped]);
    if (segmented === undefined) return;
    const threads = engineReport.value?.threads ?? 1;
    const found: Result = { ...segmented, threads, weights: weights.name };
    const along = itemOf(id)?.masks;
    const result = along ? await judged({ ...found, ...along }) : found;
    // Others may have come into use meanwhile.
    if (weights === weightsInUse.value) change(id, { progress: { kind: "done", result } });
    else again(id);
  } catch (error) {
    if (!stop.aborted)
      change(id, { progress: { kind: "failed", message: messageOf(item.name, error as Error) } });
  }
}

function messageOf(name: string, { name: kind, message }: Error): string {
  return kind === "PictureError" ? `${name} ${message}.` : `${name} could not be segmented: ${message}.`;
}

async function judged(result: Result): Promise<Result> {
  const { probability, field, truth } = result;
  return { ...result, tally: await view.judge({ probability, field, truth }) };
}

/** Whether a photograph is being worked on or waits for it. */
export function isOpen({ progress: { kind } }: Item): boolean {
  return kind === "waiting" || isBusy({ progress: { kind } });
}

const isBusy = ({ progress: { kind } }: { progress: { kind: string } }): boolean =>
  kind === "reading" || kind === "segmenting";

/** Stops what is being worked on and drops what waits. */
export function cancel(): void {
  const busy = items.value.some(isBusy);
  unread.length = 0;
  items.value = items.value.map((item) =>
    isOpen(item) ? { ...item, progress: { kind: "cancelled" } } : item,
  );
  if (!busy) return;
  // A run on one thread hears of nothing before it has ended; so it is ended with its worker.
  stopping.abort();
  stopping = new AbortController();
  startWorker();
}

/** Works on a photograph again: one that was cancelled, or one that other weights have segmented. */
export function again(id: number): void {
  change(id, { progress: { kind: "waiting" } });
  unread.push({ id });
  void work();
}

/** Takes a photograph out. */
export function remove(id: number): void {
  const at = items.value.findIndex((item) => item.id === id);
  const { thumbnail } = items.value[at];
  if (thumbnail !== undefined) URL.revokeObjectURL(thumbnail);
  items.value = items.value.filter((item) => item.id !== id);
  if (selectedId.value === id) selectedId.value = (items.value[at] ?? items.value[at - 1])?.id;
}

/** Uses other weights, and segments with them what has been segmented. */
export async function useWeights(name: string, bytes?: Uint8Array): Promise<void> {
  await ready;
  await engine.use(bytes);
  weightsInUse.value = bytes === undefined ? { name } : { name, bytes };
  for (const { id, progress } of items.value) if (progress.kind === "done") again(id);
}

/** Gives every waiting mask to a photograph of its size: the one it was chosen for, or the one named most alike. */
async function placeMasks(): Promise<void> {
  const given = new Set<string>();
  for (const { name, picture, target } of waitingMasks.splice(0)) {
    const { width, height, kind, mask } = picture;
    const [best] = items.value
      .filter(({ id, size }) => (target ?? id) === id && size?.width === width && size.height === height)
      .sort((a, b) => alikeness(b.name, name) - alikeness(a.name, name));
    if (best === undefined) {
      notice.value = `${name} is a mask of ${width} × ${height} pixels, and no photograph here has that size.`;
      continue;
    }
    // Where two people have drawn the vessels, the first is the truth.
    const place = `${kind} ${best.id}`;
    if (given.has(place)) continue;
    given.add(place);
    const own = kind === "vessels" ? { truth: mask! } : { field: mask! };
    change(best.id, { masks: { ...best.masks, ...own } });
    if (best.progress.kind !== "done") continue;
    const result = await judged({ ...best.progress.result, ...own });
    change(best.id, { progress: { kind: "done", result } });
  }
}

/** How many characters two names begin with in common. */
function alikeness(a: string, b: string): number {
  let count = 0;
  while (count < a.length && a[count].toLowerCase() === b[count]?.toLowerCase()) count++;
  return count;
}

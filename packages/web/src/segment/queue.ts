// Works on the photographs, one at a time, in a worker that can be stopped in the middle of one.

import { signal } from "@preact/signals";
import type { EngineReport } from "../engine.ts";
import type { Found } from "../ui/dropped.ts";
import { count } from "../ui/format.ts";
import { type Started, started, startUp, WorkerError, within } from "../ui/worker.ts";
import {
  change,
  type Item,
  isBusy,
  isOpen,
  itemOf,
  items,
  notice,
  type Result,
  selectedId,
} from "./items.ts";
import { addMask, forgetPhotograph, judge, pairMasks, settle } from "./masks.ts";
import { distinct } from "./pairing.ts";
import type { NetworkInUse, SegmentWorker } from "./segment.worker.ts";

export const engineReport = signal<EngineReport | undefined>(undefined);
/** Weights in use: their name, and their bytes where they are not the shipped ones. */
export const weightsInUse = signal<{ readonly name: string; readonly bytes?: Uint8Array }>({
  name: "shipped",
});

/** Why the weights that were opened last are not in use. */
export const weightsRefusal = signal<string | undefined>(undefined);

/** The network that they belong to. */
export const networkInUse = signal<NetworkInUse | undefined>(undefined);

/** Why the engine did not start, until it is tried again. */
export const engineFailure = signal<string | undefined>(undefined);

let worker: Started<SegmentWorker> | undefined;
const engine = () => worker!.remote;
let ready: Promise<void>;
/** Counts starts: a later one overtakes an earlier. */
let starts = 0;

/** Starts the engine, and starts it anew where it was stopped in the middle of something. */
export function startWorker(): void {
  const own = ++starts;
  worker?.end();
  engineFailure.value = undefined;
  ready = begin(() => {
    if (own !== starts) throw new Error("the engine was started anew");
    worker = started(new Worker(new URL("./segment.worker.ts", import.meta.url), { type: "module" }));
    return worker;
  });
  ready.catch(({ message }: Error) => {
    if (own === starts) engineFailure.value = message;
  });
}

/** Tries it again where it did not start, and takes up what waited for it. */
export function startAgain(): void {
  startWorker();
  resume();
}

/** Resolves when the engine is ready, and rejects where it cannot be. */
export const engineStarted = (): Promise<void> => ready;

async function begin(make: () => Started<SegmentWorker>): Promise<void> {
  const report = await startUp(make);
  const { bytes } = weightsInUse.value;
  if (bytes !== undefined) await engine().use(bytes);
  networkInUse.value = await engine().network();
  engineReport.value = report;
  // For whoever measures how long that took since the page was asked for.
  performance.mark("saunet-ready");
}

let nextId = 1;
/** A number that no photograph and no mask has. */
export const newId = (): number => nextId++;
/** Pictures that are still to be read, in their order; `target` is the photograph that a mask was chosen for. */
const unread: { readonly id: number; readonly target?: number | undefined }[] = [];
let works = false;
/** Aborted when the engine is stopped in the middle of something. */
let stopping = new AbortController();
/** Resolves when what was stopped last is at rest. */
let halting: Promise<unknown> = Promise.resolve();

/** Puts pictures into the queue; `target` is the photograph that a mask among them was chosen for. */
export function addFiles(files: readonly File[], target?: number): void {
  if (files.length === 0) return;
  notice.value = undefined;
  weightsRefusal.value = undefined;
  enqueue(files, target);
}

function enqueue(files: readonly File[], target?: number): void {
  const taken = new Set(items.value.map(({ name }) => name));
  const added = files.map((file): Item => {
    const name = distinct(file.name, taken);
    taken.add(name);
    return { id: nextId++, name, fileName: file.name, file, progress: { kind: "waiting" } };
  });
  items.value = [...items.value, ...added];
  unread.push(...added.map(({ id }) => ({ id, target })));
  if (target === undefined) selectedId.value = added[0].id;
  void work();
}

/** Puts the pictures of folders into the queue. */
export function addFound({ files, others }: Found): void {
  addFiles(files);
  if (files.length === 0) notice.value = "There are no pictures among these files.";
  else if (others > 0) notice.value = `${count(others, "file")} of the folder left out: no pictures.`;
}

/** What the synthetic photograph is called. */
export const EXAMPLE = "synthetic.png";

/** Adds the synthetic photograph, which brings its exact truth. */
export async function addExample(): Promise<void> {
  try {
    const { photograph, truth, width, height } = await engine().example();
    const id = nextId;
    // It may come by itself, so it takes no notice away.
    enqueue([new File([photograph], EXAMPLE, { type: "image/png" })]);
    change(id, { size: { width, height } });
    const name = "synthetic-truth.png";
    await addMask({ id: nextId++, name, kind: "vessels", width, height, mask: truth }, id);
  } catch (error) {
    notice.value = `The synthetic photograph could not be drawn: ${(error as Error).message}.`;
  }
}

async function work(): Promise<void> {
  if (works) return;
  works = true;
  for (let next = unread.shift(); next !== undefined; next = unread.shift()) await workOn(next);
  works = false;
}

async function workOn({ id, target }: (typeof unread)[number]): Promise<void> {
  const item = itemOf(id);
  if (item === undefined) return;
  const { signal: stop } = stopping;
  // A worker that was ended never answers.
  const stopped = new Promise<undefined>((resolve) =>
    stop.addEventListener("abort", () => resolve(undefined)),
  );
  try {
    try {
      await halting;
      await ready;
      // It has nothing to do between photographs, so it answers at once, unless it is stuck.
      await within(ANSWER_PATIENCE_MS, engine().up()).catch(startWorker);
      await ready;
    } catch {
      // The stage says why, and offers to try again.
      change(id, { progress: { kind: "cancelled" } });
      return;
    }
    if (itemOf(id)?.progress.kind !== "waiting") return;
    const { failed } = worker!;
    change(id, { progress: { kind: "reading" } });
    const picture = await Promise.race([engine().read(item.file), stopped, failed]);
    // It may have been taken out meanwhile.
    if (picture === undefined || itemOf(id) === undefined) return;
    const { kind, width, height } = picture;
    if (kind !== "photograph") {
      remove(id);
      freeName(item);
      await addMask({ id, name: item.fileName, kind, width, height, mask: picture.mask! }, target);
      return;
    }
    if (target !== undefined)
      notice.value = `${item.name} is not black and white, so it is no mask: it was taken for a photograph.`;
    if (item.thumbnail !== undefined) URL.revokeObjectURL(item.thumbnail);
    change(id, {
      progress: { kind: "segmenting" },
      size: { width, height },
      thumbnail: URL.createObjectURL(picture.thumbnail!),
    });
    await pairMasks();
    if (stop.aborted) return;
    const { value: weights } = weightsInUse;
    const segmented = await Promise.race([engine().segment(), stopped, failed]);
    if (segmented === undefined) return;
    const threads = engineReport.value?.threads ?? 1;
    const found: Result = { ...segmented, detected: segmented.field, threads, weights: weights.name };
    const result = (await judge(id, found)) ?? found;
    // Others may have come into use meanwhile.
    if (weights !== weightsInUse.value) again(id);
    else {
      change(id, { progress: { kind: "done", result } });
      await settle(id);
    }
  } catch (error) {
    if (error instanceof WorkerError) startWorker();
    if (!stop.aborted)
      change(id, { progress: { kind: "failed", message: messageOf(item.name, error as Error) } });
  }
}

/** A mask and its photograph are often called the same; the name is the photograph's then. */
function freeName({ name, fileName }: Item): void {
  const next = items.value.find((item) => item.fileName === fileName);
  if (next !== undefined && name === fileName) change(next.id, { name });
}

function messageOf(name: string, { name: kind, message }: Error): string {
  return kind === "PictureError" ? `${name} ${message}.` : `${name} could not be segmented: ${message}.`;
}

/** An engine that does not answer for so long, when asked whether it is there or told to stop, is started anew. */
const ANSWER_PATIENCE_MS = 5000;

/** Stops what is being worked on and drops what waits. */
export function cancel(): void {
  const busy = items.value.find(isBusy)?.progress.kind;
  unread.length = 0;
  items.value = items.value.map((item) =>
    isOpen(item) ? { ...item, progress: { kind: "cancelled" } } : item,
  );
  if (busy === undefined) return;
  stopping.abort();
  stopping = new AbortController();
  // Decoding cannot be ended, and a run on one thread hears of nothing before it is over: they end with their worker.
  if (busy === "segmenting" && (engineReport.value?.threads ?? 1) > 1)
    halting = within(ANSWER_PATIENCE_MS, engine().stop()).catch(startWorker);
  else startWorker();
}

/** Takes up everything that was cancelled. */
export function resume(): void {
  for (const { id, progress } of items.value) if (progress.kind === "cancelled") again(id);
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
  forgetPhotograph(id);
  if (selectedId.value === id) selectedId.value = (items.value[at] ?? items.value[at - 1])?.id;
}

/** Uses other weights, and segments with them what has been segmented. */
export async function useWeights(name: string, bytes?: Uint8Array): Promise<void> {
  await ready;
  await engine().use(bytes);
  networkInUse.value = await engine().network();
  weightsInUse.value = bytes === undefined ? { name } : { name, bytes };
  for (const { id, progress } of items.value) if (progress.kind === "done") again(id);
}

/** SHA-256 of the file of the weights in use, and of the file that it was rounded from: what was fitted to one suits the other. */
export async function hashesOfWeights(): Promise<readonly string[]> {
  await ready;
  return engine().hashes(weightsInUse.value.bytes);
}

/** Opens a weights file of the person's own; where that cannot be used, the tabs that show its network say why. */
export async function openWeights(file: File): Promise<void> {
  weightsRefusal.value = undefined;
  try {
    await useWeights(file.name, new Uint8Array(await file.arrayBuffer()));
  } catch (error) {
    weightsRefusal.value = `${file.name} could not be used: ${(error as Error).message}.`;
  }
}

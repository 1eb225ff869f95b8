// What is looked at, and what is known of it.

import { effect, signal } from "@preact/signals";
import { type Item, items, selectedId } from "../segment/items.ts";
import { weightsInUse } from "../segment/queue.ts";
import { tab } from "../tabs.ts";
import { type Started, started, startUp, WorkerError, within } from "../ui/worker.ts";
import type { Anatomy, ChannelReport, InsideWorker, LayerReport, Taken } from "./inside.worker.ts";
import { linkOf, type Place, placeOf } from "./link.ts";

/** A network on a photograph, with the photograph's name. */
export interface Specimen extends Anatomy {
  readonly name: string;
}

export const specimen = signal<Specimen | undefined>(undefined);
export const isLooking = signal(false);
export const failure = signal<string | undefined>(undefined);
/** The layer that was clicked, by the path of its parameters. */
export const layerId = signal("encoder1.conv1");

/** All that is shown of a layer; it changes as one, so that no number stands beside another layer's name. */
export interface Detail extends Taken {
  readonly id: string;
  readonly layer: LayerReport;
  readonly channels: readonly ImageData[];
  readonly channel: number;
  readonly report: ChannelReport;
  /** Of the number that is taken apart. */
  readonly row: number;
  readonly column: number;
}

export const detail = signal<Detail | undefined>(undefined);
/** The pixel under the pointer, while it is over the channel. */
export const hovered = signal<{ readonly row: number; readonly column: number } | undefined>(undefined);

let worker: Started<InsideWorker> | undefined;
const workerThere = (anew = false): Started<InsideWorker> => {
  if (anew) worker = undefined;
  worker ??= started(new Worker(new URL("./inside.worker.ts", import.meta.url), { type: "module" }));
  return worker;
};
const inside = () => workerThere().remote;

/** Questions about a layer are answered within a tenth of a second; a worker that takes so long is stuck. */
const ANSWER_PATIENCE_MS = 10_000;

/** Whether the worker runs the network; it answers nothing meanwhile. */
let isRunning = false;

/** Waits for an answer about a layer; where there is none, it must be looked at anew. */
async function ask<T>(answer: Promise<T>): Promise<T> {
  // Another photograph is being looked at, which takes a while and comes first.
  if (isRunning) return answer;
  try {
    return await within(ANSWER_PATIENCE_MS, answer);
  } catch (error) {
    if (error instanceof WorkerError) giveUp(`The layers cannot be shown: ${error.message}.`);
    throw error;
  }
}

/** Ends a worker that answers nothing more. */
function endWorker(): void {
  worker?.end();
  worker = undefined;
  seen = undefined;
}

/** Another tab is open for so long: what every layer has computed, some 500 MB, is let go, and computed anew when needed. */
const IDLE_MS = 30_000;

effect(() => {
  if (tab.value === "inside") return;
  const leave = setTimeout(() => {
    if (!isLooking.value) endWorker();
  }, IDLE_MS);
  return () => clearTimeout(leave);
});

/** Ends the worker for good; the page offers to try again. */
function giveUp(message: string): void {
  endWorker();
  failure.value = message;
}

/** Photographs that can be looked at. */
export function candidates(): readonly Item[] {
  return items.value.filter(({ size }) => size !== undefined);
}

let seen: { readonly file: Blob; readonly weights: Uint8Array | undefined } | undefined;
/** The photograph that `place` belongs to. */
let lookedAt: Blob | undefined;
/** What is looked at in every layer, as shares of width and height; a vessel until a person chooses. */
let place: { readonly x: number; readonly y: number } | undefined;

/** Runs the network on the photograph that the first tab shows, unless it has just been. */
export async function lookAt(): Promise<void> {
  const item = candidates().find(({ id }) => id === selectedId.value) ?? candidates()[0];
  const { bytes } = weightsInUse.value;
  if (item === undefined || isLooking.value) return;
  if (seen !== undefined && seen.file === item.file && seen.weights === bytes) {
    writeAddress();
    return;
  }
  isLooking.value = true;
  failure.value = undefined;
  try {
    await startUp(workerThere);
    await look(item, bytes).catch(async (error: unknown) => {
      if (!(error instanceof WorkerError)) throw error;
      // It broke, or is stuck (its engine may start threads again at any time): another one is tried once.
      endWorker();
      await startUp(workerThere);
      await look(item, bytes);
    });
  } catch (error) {
    seen = undefined;
    const message = `${item.name} could not be looked into: ${(error as Error).message}.`;
    if (error instanceof WorkerError) giveUp(message);
    else failure.value = message;
  } finally {
    isLooking.value = false;
  }
  // Another photograph, or other weights, may have been chosen meanwhile.
  if (failure.value === undefined) await lookAt();
}

/** Runs the network on a photograph and shows what has been asked for of it. */
async function look(item: Item, weights: Uint8Array | undefined): Promise<void> {
  seen = { file: item.file, weights };
  if (lookedAt !== item.file) place = undefined;
  lookedAt = item.file;
  failure.value = undefined;
  const { remote, failed } = workerThere();
  isRunning = true;
  try {
    const anatomy = await Promise.race([remote.look(item.file, weights), failed]);
    specimen.value = { ...anatomy, name: item.name };
  } finally {
    isRunning = false;
  }
  await showPlace(placeOf(location.hash) ?? { id: layerId.value, channel: detail.value?.channel ?? 0 });
}

/** Counts choices: a later one overtakes an earlier. */
let turn = 0;

const layerOf = (id: string): LayerReport | undefined =>
  specimen.value?.layers.find((layer) => layer.id === id);

/** Shows a place of the network; what is not there is replaced by what comes next to it. */
export async function openPlace(place: Place): Promise<void> {
  try {
    await showPlace(place);
  } catch (error) {
    // The page has been told by then.
    if (!(error instanceof WorkerError)) throw error;
  }
}

async function showPlace({ id, channel, at }: Place): Promise<void> {
  const layer = layerOf(id) ?? specimen.value?.layers[0];
  if (layer === undefined) return;
  const within = (value: number, size: number) => Math.min(Math.max(value, 0), size - 1);
  if (at !== undefined) {
    const [column, row] = [within(at.column, layer.width), within(at.row, layer.height)];
    place = { x: (column + 0.5) / layer.width, y: (row + 0.5) / layer.height };
  }
  const own = ++turn;
  layerId.value = layer.id;
  const known = detail.value?.id === layer.id && detail.value.layer === layer ? detail.value : undefined;
  const channels = known?.channels ?? (await ask(inside().channels(layer.id)));
  const shown = within(channel, layer.channels);
  const report = known?.channel === shown ? known.report : await ask(inside().channel(layer.id, shown));
  const { x, y } = place ?? specimen.value!.vessel;
  const column = within(Math.floor(x * layer.width), layer.width);
  const row = within(Math.floor(y * layer.height), layer.height);
  const taken = await ask(inside().probe(layer.id, row, column, shown));
  if (own !== turn) return;
  hovered.value = undefined;
  detail.value = { ...taken, id: layer.id, layer, channels, channel: shown, report, row, column };
  writeAddress();
}

/** Shows a layer, at the place that is looked at. */
export const chooseLayer = (id: string, channel = 0): Promise<void> => openPlace({ id, channel });

/** Shows another channel of the layer. */
export async function chooseChannel(channel: number): Promise<void> {
  if (detail.value !== undefined) await openPlace({ id: detail.value.id, channel });
}

/** Takes the number of another place of the channel apart. */
export async function choosePlace(row: number, column: number): Promise<void> {
  const { value: shown } = detail;
  if (shown !== undefined) await openPlace({ id: shown.id, channel: shown.channel, at: { row, column } });
}

/** The address follows what is looked at, and leads back to it. */
function writeAddress(): void {
  const { value: shown } = detail;
  if (tab.value !== "inside" || shown === undefined) return;
  const { id, channel, row, column } = shown;
  history.replaceState(history.state, "", linkOf({ id, channel, at: { row, column } }));
}

addEventListener("hashchange", () => {
  const target = placeOf(location.hash);
  if (target !== undefined && specimen.value !== undefined && !isLooking.value) void openPlace(target);
});

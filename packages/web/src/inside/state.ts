// What is looked at, and what is known of it.

import { signal } from "@preact/signals";
import { type Remote, wrap } from "comlink";
import { type Item, items, selectedId } from "../segment/items.ts";
import { weightsInUse } from "../segment/queue.ts";
import type { Anatomy, ChannelReport, InsideWorker } from "./inside.worker.ts";
import type { Probe } from "./trace.ts";

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
export interface Detail {
  readonly id: string;
  readonly channels: readonly ImageData[];
  readonly channel: number;
  readonly report: ChannelReport;
  /** Of the number that is taken apart. */
  readonly row: number;
  readonly column: number;
  readonly probe: Probe;
}

export const detail = signal<Detail | undefined>(undefined);

let worker: Remote<InsideWorker> | undefined;
const inside = (): Remote<InsideWorker> => {
  worker ??= wrap<InsideWorker>(
    new Worker(new URL("./inside.worker.ts", import.meta.url), { type: "module" }),
  );
  return worker;
};

/** Photographs that can be looked at. */
export function candidates(): readonly Item[] {
  return items.value.filter(({ size }) => size !== undefined);
}

let seen: { readonly file: Blob; readonly weights: Uint8Array | undefined } | undefined;

/** Runs the network on the photograph that the first tab shows, unless it has just been. */
export async function lookAt(): Promise<void> {
  const item = candidates().find(({ id }) => id === selectedId.value) ?? candidates()[0];
  const { bytes } = weightsInUse.value;
  if (item === undefined || isLooking.value) return;
  if (seen !== undefined && seen.file === item.file && seen.weights === bytes) return;
  seen = { file: item.file, weights: bytes };
  isLooking.value = true;
  failure.value = undefined;
  try {
    const anatomy = await inside().look(item.file, bytes);
    specimen.value = { ...anatomy, name: item.name };
    await chooseLayer(layerId.value);
  } catch (error) {
    seen = undefined;
    failure.value = `${item.name} could not be looked into: ${(error as Error).message}.`;
  } finally {
    isLooking.value = false;
  }
}

/** Counts choices: a later one overtakes an earlier. */
let turn = 0;

/** Shows a layer, beginning with the first of its channels. */
export async function chooseLayer(id: string): Promise<void> {
  layerId.value = id;
  const own = ++turn;
  const channels = await inside().channels(id);
  if (own === turn) await show(id, channels, 0);
}

/** Shows another channel of the layer. */
export async function chooseChannel(channel: number): Promise<void> {
  if (detail.value !== undefined) await show(detail.value.id, detail.value.channels, channel);
}

/** Shows a channel, and takes its strongest number apart. */
async function show(id: string, channels: readonly ImageData[], channel: number): Promise<void> {
  const own = ++turn;
  const report = await inside().channel(id, channel);
  const { row, column } = report.peak;
  const probe = await inside().probe(id, row, column, channel);
  if (own === turn) detail.value = { id, channels, channel, report, row, column, probe };
}

/** Takes the number of another place of the channel apart. */
export async function choosePlace(row: number, column: number): Promise<void> {
  const own = ++turn;
  const { value: shown } = detail;
  if (shown === undefined) return;
  const probe = await inside().probe(shown.id, row, column, shown.channel);
  if (own === turn) detail.value = { ...shown, row, column, probe };
}

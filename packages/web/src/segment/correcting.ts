// Correcting a mask by hand: what is drawn becomes the truth of its photograph.

import { effect, signal } from "@preact/signals";
import { stemOf } from "../ui/download.ts";
import type { Point } from "./brush.ts";
import { itemOf, notice, resultOf, selected, selectedId } from "./items.ts";
import { isCorrecting, isOpening } from "./look.ts";
import { addMask, masksOf, removeMask } from "./masks.ts";
import { newId } from "./queue.ts";
import { view } from "./view.ts";

/** What the brush does. */
export const tool = signal<"add" | "erase">("add");
/** Across, in pixels of the photograph. */
export const brushSize = signal(6);
/** Strokes that can be taken back. */
export const strokes = signal(0);

/** The photograph whose mask is drawn on. */
let corrected: number | undefined;
/** Where the stroke at hand has come. */
let last: Point | undefined;

/** What corrected masks are called after their photograph; the ZIP has those too. */
export const CORRECTED = "-corrected.png";

/** Begins with the truth of the photograph that is shown, or with what was found in it. */
export async function beginCorrecting(): Promise<void> {
  const item = selected();
  if (resultOf(item) === undefined || isOpening.value) return;
  corrected = item!.id;
  strokes.value = 0;
  // At once: a stroke that follows immediately reaches the worker after this call, and none is lost.
  isCorrecting.value = true;
  if (!(await view.beginCorrecting()) && corrected === item!.id) void discard();
}

/** Begins a stroke at a point of the photograph. */
export function beginStroke(at: Point): void {
  strokes.value++;
  draw(at, at, true);
}

/** Goes on with it. */
export function goOn(at: Point): void {
  if (last !== undefined) draw(last, at, false);
}

export function endStroke(): void {
  last = undefined;
}

export const isDrawing = (): boolean => last !== undefined;

function draw(from: Point, to: Point, isFirst: boolean): void {
  last = to;
  void view.stroke({ from, to, radius: brushSize.value / 2, isMarking: tool.value === "add", isFirst });
}

/** Takes the last stroke back. */
export function undo(): void {
  if (strokes.value === 0) return;
  endStroke();
  strokes.value--;
  void view.undo();
}

/** Keeps what was drawn as the photograph's truth. */
export async function keep(): Promise<void> {
  const item = corrected === undefined ? undefined : itemOf(corrected);
  const mask = await end();
  if (item?.size === undefined || mask === undefined) return;
  const name = stemOf(item.name) + CORRECTED;
  const before = masksOf(item.id, "vessels").find((each) => each.name === name);
  if (before !== undefined) await removeMask(before.id);
  await addMask({ id: newId(), name, kind: "vessels", ...item.size, mask }, item.id);
}

/** Forgets what was drawn. */
export async function discard(): Promise<void> {
  await end();
}

function end(): Promise<Blob | undefined> {
  corrected = undefined;
  endStroke();
  isCorrecting.value = false;
  return view.endCorrecting();
}

// Whoever turns to another photograph does not lose what was drawn.
effect(() => {
  const { value: now } = selectedId;
  if (corrected === undefined || now === corrected) return;
  const name = itemOf(corrected)?.name;
  if (strokes.peek() === 0 || name === undefined) void discard();
  else
    void keep().then(() => {
      notice.value = `The corrected mask of ${name} was kept as its truth.`;
    });
});

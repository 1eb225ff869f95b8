// Masks that were dropped: whose vessels or field of view they mark, and the figures that follow. A mask stays until it
// is taken out, with a photograph or without one, and a person can give it to another.

import { signal } from "@preact/signals";
import { change, type Item, itemOf, items, notice, type Result, resultOf } from "./items.ts";
import { pairOf } from "./pairing.ts";
import { view } from "./view.ts";

/** A mask, and the photograph it belongs to. */
export interface MaskFile {
  readonly id: number;
  /** As the file is called. */
  readonly name: string;
  readonly kind: "vessels" | "field";
  readonly width: number;
  readonly height: number;
  /** A byte a pixel, 0 or 1. */
  readonly mask: Blob;
  readonly photograph: number | undefined;
  /** Why it has no photograph. */
  readonly reason?: string;
}

export const masks = signal<readonly MaskFile[]>([]);
/** Photographs whose mask is not the first that belongs to them: by photograph and kind, that mask; null for none. */
const chosen = signal<ReadonlyMap<string, number | null>>(new Map());

/** Why a mask has no photograph where a person took it from one: names must not give it back. */
const ASIDE = "it was put aside";

/** The masks of a photograph, in the order of their names: the first observer before the second. */
export function masksOf(photograph: number, kind: MaskFile["kind"]): readonly MaskFile[] {
  return masks.value
    .filter((mask) => mask.photograph === photograph && mask.kind === kind)
    .sort((a, b) => a.name.localeCompare(b.name, "en"));
}

/** The mask of a photograph that counts. */
export function maskInUse(photograph: number, kind: MaskFile["kind"]): MaskFile | undefined {
  const own = masksOf(photograph, kind);
  const choice = chosen.value.get(`${kind} ${photograph}`);
  return choice === null ? undefined : (own.find(({ id }) => id === choice) ?? own[0]);
}

/** Lets another mask of a photograph count, or none. */
export function chooseMask(photograph: number, kind: MaskFile["kind"], mask: number | null): void {
  chosen.value = new Map(chosen.value).set(`${kind} ${photograph}`, mask);
  void settle(photograph);
}

/** Keeps a mask, for the photograph that it was chosen for or the one that it is named like. */
export async function addMask(mask: Omit<MaskFile, "photograph">, target?: number): Promise<void> {
  masks.value = [...masks.value, { ...mask, photograph: undefined }];
  if (target === undefined) await pairMasks();
  else await giveMask(mask.id, target);
}

/** Gives a mask to a photograph, by a person's choice; to none where `photograph` is left out. */
export async function giveMask(id: number, photograph?: number): Promise<void> {
  const mask = masks.value.find((each) => each.id === id);
  const item = photograph === undefined ? undefined : itemOf(photograph);
  if (mask === undefined) return;
  if (item === undefined) {
    place(id, undefined, ASIDE);
  } else if (item.size?.width !== mask.width || item.size.height !== mask.height) {
    const size = item.size ? `${item.size.width} × ${item.size.height}` : "not been read";
    const reason = `it has ${mask.width} × ${mask.height} pixels, ${item.name} has ${size}`;
    notice.value = `${mask.name} is not used: ${reason}.`;
    if (mask.photograph === undefined) place(id, undefined, reason);
    return;
  } else {
    place(id, item.id);
    chosen.value = new Map(chosen.value).set(`${mask.kind} ${item.id}`, id);
    await settle(item.id);
  }
  if (mask.photograph !== undefined) await settle(mask.photograph);
}

/** Takes a mask out. */
export async function removeMask(id: number): Promise<void> {
  const mask = masks.value.find((each) => each.id === id);
  masks.value = masks.value.filter((each) => each.id !== id);
  if (mask?.photograph !== undefined) await settle(mask.photograph);
}

/** Looks for photographs of the masks that have none; some may have come since. */
export async function pairMasks(): Promise<void> {
  const photographs = items.value.flatMap(({ id, fileName, size }) =>
    size === undefined ? [] : [{ id, fileName, ...size }],
  );
  const settled = new Set<number>();
  for (const mask of masks.value) {
    if (mask.photograph !== undefined || mask.reason === ASIDE) continue;
    const pairing = pairOf({ ...mask, fileName: mask.name }, photographs);
    if (pairing.photograph === undefined) place(mask.id, undefined, pairing.reason);
    else {
      place(mask.id, pairing.photograph);
      settled.add(pairing.photograph);
    }
  }
  for (const id of settled) await settle(id);
}

/** A photograph takes its masks along when it is taken out. */
export function forgetPhotograph(id: number): void {
  masks.value = masks.value.filter(({ photograph }) => photograph !== id);
  chosen.value = new Map([...chosen.value].filter(([key]) => !key.endsWith(` ${id}`)));
}

function place(id: number, photograph: number | undefined, reason?: string): void {
  masks.value = masks.value.map((mask) => {
    if (mask.id !== id) return mask;
    const { reason: _, ...rest } = mask;
    return { ...rest, photograph, ...(reason !== undefined && { reason }) };
  });
}

/** Counts a photograph anew where its masks are others than those it was counted with. */
export async function settle(id: number): Promise<void> {
  const result = resultOf(itemOf(id));
  if (result === undefined) return;
  const judged = await judge(id, result);
  // Another choice, or another result, may have come meanwhile; it settles itself.
  if (judged !== undefined && resultOf(itemOf(id)) === result)
    change(id, { progress: { kind: "done", result: judged } });
}

/** A result as the masks of its photograph have it; undefined where that is what it is already. */
export async function judge(id: Item["id"], result: Result): Promise<Result | undefined> {
  const truth = maskInUse(id, "vessels")?.mask;
  const field = maskInUse(id, "field")?.mask ?? result.detected;
  if (truth === result.truth && field === result.field) return undefined;
  const { probability, truth: _, ...rest } = result;
  const found = { probability, field, ...(truth && { truth }) };
  return { ...rest, ...found, tally: await view.judge(found) };
}

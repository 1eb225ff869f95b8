// The run that the browser keeps, so that a reload or a closed tab does not lose it.

import { delMany, get, set } from "idb-keyval";
import type { OwnPicture } from "./own-pictures.ts";
import type { Curves } from "./state.ts";

/** A run, and what the page shows of it. */
export interface KeptRun {
  readonly step: number;
  readonly checkpoint: Uint8Array;
  readonly curves: Curves;
  /** In ten-thousandths. */
  readonly learningRate: number;
}

/** Photographs of one's own that a run learns from, and the one that is held out. */
export interface KeptPictures {
  readonly pictures: readonly OwnPicture[];
  readonly heldOut?: OwnPicture | undefined;
}

const KEY = "saunet-run";
/** Written once a run: they are large. */
const PICTURES_KEY = "saunet-run-pictures";

/** Keeps a run in place of the one before. */
export const keepRun = (run: KeptRun): Promise<void> => set(KEY, run);

/** The run that was kept; none where the browser keeps nothing. */
export const keptRun = (): Promise<KeptRun | undefined> => get<KeptRun>(KEY).catch(() => undefined);

export const keepPictures = (pictures: KeptPictures): Promise<void> => set(PICTURES_KEY, pictures);

export const keptPictures = async (): Promise<KeptPictures> =>
  (await get<KeptPictures>(PICTURES_KEY).catch(() => undefined)) ?? { pictures: [] };

export const forgetRun = (): Promise<void> => delMany([KEY, PICTURES_KEY]).catch(() => {});

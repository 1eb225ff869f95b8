// The run that the browser keeps, so that a reload or a closed tab does not lose it.

import { del, get, set } from "idb-keyval";
import type { Curves } from "./state.ts";

/** A run, and what the page shows of it. */
export interface KeptRun {
  readonly step: number;
  readonly checkpoint: Uint8Array;
  readonly curves: Curves;
  /** In ten-thousandths. */
  readonly learningRate: number;
}

const KEY = "saunet-run";

/** Keeps a run in place of the one before. */
export const keepRun = (run: KeptRun): Promise<void> => set(KEY, run);

/** The run that was kept; none where the browser keeps nothing. */
export const keptRun = (): Promise<KeptRun | undefined> => get<KeptRun>(KEY).catch(() => undefined);

export const forgetRun = (): Promise<void> => del(KEY).catch(() => {});

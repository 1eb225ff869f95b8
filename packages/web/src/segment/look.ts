// How the photographs are seen: one choice for all of them.

import { computed, signal } from "@preact/signals";
import type { Layer } from "../pictures/paint.ts";
import { STEPS } from "../pictures/tally.ts";
import type { Look, Viewport } from "./view.worker.ts";

/** In thousandths. */
export const threshold = signal(STEPS / 2);
/** In hundredths. */
export const opacity = signal(85);
/** Whether only the field of view counts and is drawn over. */
export const fieldOnly = signal(true);
export const layer = signal<Layer>("mask");
export const mode = signal<Viewport["mode"]>("compare");
/** Whether the selected photograph is still being opened; the stage is empty then. */
export const isOpening = signal(false);
/** Whether the mask is being drawn on: then all of it is seen. */
export const isCorrecting = signal(false);
export const shownMode = computed(() => (isCorrecting.value ? "overlay" : mode.value));
/** Where before ends and after begins, in thousandths of the width. */
export const split = signal(500);

/** A threshold of thousandths as it is read: the slider moves in hundredths. */
export const thresholdText = (step: number): string => (step / STEPS).toFixed(step % 10 === 0 ? 2 : 3);

export const look = computed(
  (): Look => ({
    layer: layer.value,
    threshold: threshold.value / STEPS,
    opacity: opacity.value / 100,
    fieldOnly: fieldOnly.value,
  }),
);

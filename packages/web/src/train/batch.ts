// What one step learns from.

/** Crops a batch, and the side of one in pixels. */
export const BATCH = 4;
export const CROP = 128;
/** Of everything random in a run, so that equal plans give equal runs. */
export const SEED = 7;

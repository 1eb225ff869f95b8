// What one step learns from, and when it is drawn.

/** Crops a batch, and the side of one in pixels. */
export const BATCH = 4;
export const CROP = 128;
/** Of everything random in a run, so that equal plans give equal runs. */
export const SEED = 7;
/**
 * So many batches are drawn ahead: every fourth needs a new photograph and takes longer than a step; the three after it
 * make up for that.
 */
export const AHEAD = 4;

// What one step learns from.

/** Crops a batch, and the side of one in pixels. */
export const BATCH = 4;
export const CROP = 128;

// Synthetic pictures to test with: each knows its vessels exactly, and no run has learned from it.

import { type ClassMap, type SyntheticFundus, syntheticFundus } from "@saunet/data";
import type { Sample } from "@saunet/data/files";
import { classMapOf } from "./batches.ts";

/** A synthetic picture as a sample of a data set, which also knows the classes of its vessels. */
export interface SyntheticSample extends Sample {
  /** The true classes by their places among the names. */
  classes(names: readonly string[]): ClassMap;
}

/** The seeds below are those of examples; `MOST_SYNTHETIC_SAMPLES` further on begin those that are learned from. */
const FIRST_SEED = 100;

/** @param size side of the pictures in pixels */
export function syntheticSamples(count: number, size: number): SyntheticSample[] {
  // A picture takes a while to draw, so the last one is kept: samples are looked at one after the other.
  let drawn: { readonly seed: number; readonly fundus: SyntheticFundus } | undefined;
  const draw = (seed: number): SyntheticFundus => {
    if (drawn?.seed !== seed) drawn = { seed, fundus: syntheticFundus({ seed, width: size, height: size }) };
    return drawn.fundus;
  };
  return Array.from({ length: count }, (_, i) => {
    const seed = FIRST_SEED + i;
    const id = `synthetic-${seed}`;
    const observer = "exact";
    return {
      id,
      observers: [observer],
      files: { id, image: id, vessels: {} },
      size: async () => ({ width: size, height: size }),
      image: async () => draw(seed).image,
      vessels: async () => draw(seed).vessels,
      fieldOfView: async () => draw(seed).fieldOfView,
      classes: (names) => classMapOf(draw(seed), names),
    };
  });
}

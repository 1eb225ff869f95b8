// Random variations of labelled photographs for training: a crop, and then its tones. What is not asked for stays off.

import type { RandomState } from "@saunet/core";
import { expectBetween } from "@saunet/core/kernels";
import { cut, drawGeometry } from "./augment/geometry.ts";
import type { AugmentOptions, Crop } from "./augment/options.ts";
import { drawTones, recolour } from "./augment/tones.ts";
import type { LabelledImage } from "./labelled-image.ts";

export type { AugmentOptions, Crop } from "./augment/options.ts";

/** Options that are shares or sizes. */
const SIZES = [
  "rotation",
  "stretch",
  "brightness",
  "contrast",
  "gamma",
  "colour",
  "mixing",
  "illumination",
  "blur",
  "noise",
] as const;

/**
 * Varies a labelled photograph at random. Everything is interpolated between pixels, labels too; what comes from
 * outside the picture is black and outside the field of view.
 *
 * @param state moved on by the draws; equal states give equal results
 * @throws RangeError on an invalid size, a share below 0, a scale that is not above 0
 * @example
 * const { image, vessels, fieldOfView } = syntheticFundus({ seed: 1, width: 64, height: 64 });
 * const labelled = labelledImage(image, vessels, fieldOfView);
 * const crop = augment(labelled, { width: 32, height: 32, holdsVessel: true, rotation: 10 }, randomState(1));
 * console.log(crop.image.length, crop.vessels.some((share) => share > 0.5)); // 3072 true
 */
export function augment(labelled: LabelledImage, options: AugmentOptions, state: RandomState): Crop {
  for (const name of SIZES) expectBetween("augment", name, options[name] ?? 0, 0, Number.MAX_VALUE);
  for (const end of options.scale ?? [])
    expectBetween("augment", "scale", end, Number.MIN_VALUE, Number.MAX_VALUE);
  const crop = cut(labelled, drawGeometry(labelled, options, state));
  recolour(crop, drawTones(options, state));
  return crop;
}
